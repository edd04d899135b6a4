"""Migration of a database to the schema of this version."""

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
    "0021",
    "0022",
)  # every migration in `versions/`, the oldest first
MIGRATIONS = Path(__file__).parent / "migrations"
_POSTGRES_LOCK = 0x0F6C6672  # an arbitrary number, the same for every OpenLFR process
_MIGRATION_TIMEOUT_S = 60.0
"""Longest wait for another process that migrates SQLite's file; a migration may take long."""


def migrate(engine: Engine) -> tuple[str | None, str]:
    """Apply the missing migrations; import Alembic only if a migration is missing.

    Importing Alembic takes about a second (measured on 2 busy cores). If several processes open an
    old schema, only one of them migrates.

    Returns:
        The schema before (None if there was none) and the schema after.

    Raises:
        Misconfigured: The database was written by a newer version of OpenLFR.
    """
    deadline_s = time.monotonic() + _MIGRATION_TIMEOUT_S
    while True:
        try:
            with reading(engine) as connection:
                revision = _read_revision(connection)
            if revision == REVISIONS[-1]:
                return revision, revision
            return _migrate_once(engine), REVISIONS[-1]
        except Unavailable as error:
            if "locked" not in str(error) or time.monotonic() > deadline_s:
                raise  # before the deadline, a lock may come from a migration


def _migrate_once(engine: Engine) -> str | None:
    """Migrate unless another process already did; return the schema before."""
    with engine.begin() as connection:  # on SQLite this acquires the write lock
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_POSTGRES_LOCK)))
        revision = _read_revision(connection)
        if revision != REVISIONS[-1]:
            _upgrade(connection)
    return revision


def require_current_schema(engine: Engine) -> None:
    """Check that a database has the schema of this version.

    Raises:
        Misconfigured: The schema is older, newer, or missing.
    """
    with reading(engine) as connection:
        revision = _read_revision(connection)
    if revision != REVISIONS[-1]:
        description = f"schema {revision}" if revision else "no schema yet"
        raise Misconfigured(
            f"The records have {description}, and this version needs schema {REVISIONS[-1]}: run "
            "`openlfr records upgrade` first."
        )


def _read_revision(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    if revision is not None and revision not in REVISIONS:
        raise Misconfigured(
            f"The records were written by a newer OpenLFR (schema {revision}, this version "
            f"supports up to {REVISIONS[-1]}): update OpenLFR, or point data_dir or services.sql "
            "elsewhere."
        )
    return revision


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, REVISIONS[-1])
