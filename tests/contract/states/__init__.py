"""Contents of previous versions' databases, written by their own code: a file for each schema.

`python -m tests.contract.states` writes the one of the present schema. A migration that is added
needs that of the schema before it and its own: `tests/contract/test_one_version_back.py` says so.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

FOLDER = Path(__file__).parent


def dump(url: str) -> dict[str, list[dict[str, Any]]]:
    """Return every row of an SQLite database by table."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        names = sorted(sa.inspect(connection).get_table_names())
        rows = {
            name: [
                {column: _plain(value) for column, value in row.items()}
                for row in connection.execute(sa.text(f'SELECT * FROM "{name}"')).mappings()
            ]
            for name in names
            if name != "alembic_version"
        }
    engine.dispose()
    return {name: found for name, found in rows.items() if found}


def load(engine: sa.Engine, tables: dict[str, list[dict[str, Any]]]) -> None:
    """Insert rows into a database with the same schema."""
    known = sa.MetaData()
    known.reflect(engine)
    with engine.begin() as connection:
        connection.execute(sa.delete(known.tables["counters"]))  # migrations insert some rows
        for table in known.sorted_tables:
            for row in tables.get(table.name, []):
                values = {name: _typed(table.c[name], value) for name, value in row.items()}
                connection.execute(sa.insert(table).values(values))


def read(path: Path) -> dict[str, Any]:
    """Return a file's state: its tables, and the facts that every later version must read."""
    state: dict[str, Any] = json.loads(path.read_text())
    return state


def write(revision: str, state: dict[str, Any]) -> Path:
    """Write the state of a schema."""
    path = FOLDER / f"{revision}.json"
    path.write_text(json.dumps(state, sort_keys=True, ensure_ascii=False) + "\n")
    return path


def _plain(value: Any) -> Any:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _typed(column: sa.Column[Any], value: Any) -> Any:
    kind = column.type
    if value is None:
        return sa.null()
    if isinstance(value, dict):
        return base64.b64decode(value["base64"])
    if isinstance(kind, sa.DateTime):
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if kind.timezone else moment
    if isinstance(kind, sa.Date):
        return date.fromisoformat(value)
    if isinstance(kind, sa.Boolean):
        return bool(value)
    return json.loads(value) if isinstance(kind, sa.JSON) else value
