"""Migrating a database to the schema of this version."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from openlfr.adapters.sql.engine import reading
from openlfr.domain.errors import Misconfigured, Unavailable

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

REVISIONS = (
    "0001",
    "0002",
    "0003",
    "0004",
    "0005",
    "0006",
    "0007",
    "0008",
    "0009",
    "0010",
    "0011",
    "0012",
    "0013",
    "0014",
    "0015",
    "0016",
    "0017",
    "0018",
    "0019",
    "0020",
)  # every migration in versions/, oldest first
MIGRATIONS = Path(__file__).parent / "migrations"
_POSTGRES_LOCK = 0x0F6C6672  # any number, the same for every OpenLFR process
_ANOTHER_S = 60.0
"""Longest wait for another process that migrates SQLite's file; more than 5 s on a busy machine."""


def migrate(engine: Engine) -> tuple[str | None, str]:
    """Apply the migrations that the database lacks; import Alembic only if there are any.

    Importing Alembic takes about a second (measured on 2 busy cores), and one query shows whether
    it is needed. Of several processes that find an old schema, one migrates.

    Returns:
        The schema before, None if there was none, and the schema after.

    Raises:
        Misconfigured: The database was written by a newer version of OpenLFR.
    """
    until = time.monotonic() + _ANOTHER_S
    while True:
        try:
            with reading(engine) as connection:
                found = _revision(connection)
            if found == REVISIONS[-1]:
                return found, found
            return _migrate_once(engine), REVISIONS[-1]
        except Unavailable as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise  # while locked, another process may be migrating


def _migrate_once(engine: Engine) -> str | None:
    """Migrate unless another process has meanwhile; returns the schema before."""
    with engine.begin() as connection:  # on SQLite this is the write lock already
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_POSTGRES_LOCK)))
        found = _revision(connection)
        if found != REVISIONS[-1]:
            _upgrade(connection)
    return found


def require_present(engine: Engine) -> None:
    """Check that a database has the schema of this version.

    Raises:
        Misconfigured: The schema is older, newer, or missing.
    """
    with reading(engine) as connection:
        found = _revision(connection)
    if found != REVISIONS[-1]:
        what = f"schema {found}" if found else "no schema yet"
        raise Misconfigured(
            f"The records have {what}, and this version needs schema {REVISIONS[-1]}: run "
            "`openlfr records upgrade` first."
        )


def _revision(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    if found is not None and found not in REVISIONS:
        raise Misconfigured(
            f"The records were written by a newer OpenLFR (schema {found}, this version knows "
            f"{REVISIONS[-1]}): update OpenLFR, or point data_dir or services.sql elsewhere."
        )
    return found


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, REVISIONS[-1])
