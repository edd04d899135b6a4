"""The database engine: durable transactions, and conversion of exceptions to OpenLFR's errors.

Use `engine.begin()` to write and `reading(engine)` to read. On SQLite a writer acquires the write
lock when it begins. Otherwise a transaction that reads before it writes would fail, without
waiting, if another process wrote in between (SQLITE_BUSY_SNAPSHOT).
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.dialects import postgresql, sqlite

from openlfr.domain import extras
from openlfr.domain.addresses import redact_address, redact_address_in, spelling_hint
from openlfr.domain.errors import BadInput, Misconfigured, OpenLFRError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine, ExceptionContext

BUSY_TIMEOUT_S = 5.0

_TRUNCATE_TIMEOUT_S = 1.0  # for truncating the write-ahead log, since writers wait
_MIN_OVERWRITING_VERSION = 1  # user_version of files in which erased rows are overwritten

_AUTHORITY_PREFIX = "ck_watchlist_references_"
"""Prefix of the constraint names of `tables.AUTHORITY`."""
_TABLES_WITH_NAMES = ("alerts", "alert_events", "act_words", "watchlist_references")
"""Tables with erasable names of people."""

_INSUFFICIENT_PRIVILEGE = "42501"  # a code of PostgreSQL

FULL_DISK_BYTES = 1 << 20
"""If fewer bytes are free, an i/o error means a full disk. SQLite reports an i/o error if the file
shared by its readers does not fit."""

# Text in SQLite's message, and our message; {where} is the database's path.
_SQLITE_SENTENCES = {
    "locked": "The records in {where} have been locked by another program for more than 5 seconds: "
    "end that program, or try again.",
    "disk is full": "The disk is full: the records in {where} cannot be written. Free some space.",
    "unable to open": "The records in {where} cannot be opened: check that the folder exists and "
    "may be written to.",
    "readonly": "The records in {where} cannot be written to: check the permissions of the file "
    "and its folder.",
    "i/o error": "The disk fails while reading or writing the records in {where}: check the disk "
    "and its free space.",
}


def open_engine(url: str) -> Engine:
    """Create the engine for `sqlite:///PATH` or `postgresql://...`; it connects on first use.

    Raises:
        Misconfigured: The url has another scheme, or its driver is not installed.
        Unavailable: The folder of the SQLite file cannot be created or written to.
    """
    try:
        parsed = sa.make_url(url)
    except exc.ArgumentError:
        raise Misconfigured(
            "services.sql is not the address of a database: write sqlite:///PATH, or postgresql:// "
            f"and user, host and name.{spelling_hint(url)}"
        ) from None
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    elif backend != "sqlite":
        raise Misconfigured(
            f"services.sql is an address of {backend!r}: use SQLite or PostgreSQL for records."
        )
    where = redact_address(url)
    try:
        if backend == "sqlite":
            where = parsed.database or ":memory:"
            if parsed.database:
                _make_private(Path(parsed.database))
            engine = sa.create_engine(parsed)
            event.listen(engine, "connect", _set_up_sqlite(where))
            event.listen(engine, "begin", _begin_sqlite)
        else:
            engine = sa.create_engine(parsed, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise Misconfigured(
            f"PostgreSQL needs the package {error.name!r}: {extras.install_advice('city')}."
        ) from None
    event.listen(engine, "handle_error", _translate_errors(where, url))
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open a connection that acquires no write lock and waits for no writer."""
    with engine.connect() as connection:
        yield connection.execution_options(openlfr_reading=True)


def erase_for_good(engine: Engine) -> bool:
    """Remove erased rows from the disk; return whether every erased row is removed.

    SQLite's write-ahead log retains old pages until it is checkpointed and truncated. Truncating
    waits, up to `_TRUNCATE_TIMEOUT_S`, for processes that are reading, but not for processes that
    only have the file open. A database of an older version, which did not overwrite erased rows, is
    rebuilt once.

    PostgreSQL retains an old row in its file until another row overwrites it. So tables with names
    of people are rewritten, if this user owns them. PostgreSQL's own log is outside our control.
    """
    if engine.dialect.name != "sqlite":
        for table in _TABLES_WITH_NAMES:
            _rewrite_table(engine, table)
        return True
    with engine.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        try:
            raw.execute(f"PRAGMA busy_timeout = {round(_TRUNCATE_TIMEOUT_S * 1000)}")
            if raw.execute("PRAGMA user_version").fetchone()[0] < _MIN_OVERWRITING_VERSION:
                raw.execute("VACUUM")
                raw.execute(f"PRAGMA user_version = {_MIN_OVERWRITING_VERSION}")
            busy: int = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.OperationalError as error:
            if "locked" in str(error).lower():
                return False
            raise _explain_sqlite_error(error, str(engine.url.database)) from error
        finally:
            raw.execute(f"PRAGMA busy_timeout = {round(BUSY_TIMEOUT_S * 1000)}")
    return not busy


def _rewrite_table(engine: Engine, table: str) -> None:
    """Rewrite a table of PostgreSQL without its old rows; other users of the table wait.

    If this user does not own the table, PostgreSQL only logs a warning. If the table is in use for
    longer than a second, the next erasure tries again.
    """
    with (
        engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
        suppress(exc.OperationalError, Unavailable),
    ):
        connection.exec_driver_sql("SET lock_timeout = '1s'")
        connection.exec_driver_sql(f"VACUUM (FULL) {table}")
        connection.exec_driver_sql("RESET lock_timeout")


def insert_new(connection: Connection, table: sa.Table, **values: Any) -> bool:
    """Insert a row unless its key exists; return whether the row was inserted."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(table).values(**values).on_conflict_do_nothing()
    # Without this option SQLAlchemy reports -1 inserted rows on PostgreSQL.
    return connection.execute(insert, execution_options={"preserve_rowcount": True}).rowcount == 1


def _make_private(path: Path) -> None:
    """Create the file with permissions for its owner only; SQLite does so for its log."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise Unavailable(
            f"The records in {path} cannot be opened: {error.strerror}. Check that the folder "
            "exists and may be written to."
        ) from None


def _set_up_sqlite(where: str) -> Any:
    def set_up(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions begin in _begin_sqlite, DDL included
        try:
            connection.execute(f"PRAGMA busy_timeout = {round(BUSY_TIMEOUT_S * 1000)}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")  # a committed act survives a crash
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA secure_delete = ON")  # erased rows are overwritten
        except sqlite3.Error as error:
            raise _explain_sqlite_error(error, where) from error

    return set_up


def _begin_sqlite(connection: Connection) -> None:
    is_read_only = connection.get_execution_options().get("openlfr_reading", False)
    connection.exec_driver_sql("BEGIN" if is_read_only else "BEGIN IMMEDIATE")


def _translate_errors(where: str, url: str) -> Any:
    def translate(context: ExceptionContext) -> None:
        original = context.original_exception
        if isinstance(original, OpenLFRError):
            raise original
        if _AUTHORITY_PREFIX in str(original):
            raise BadInput(
                f"The records in {where} reject a watchlist entry without complete authority of "
                "two people: remove the entry, and import it again."
            ) from original
        if isinstance(original, sqlite3.Error):
            translated: BaseException = _explain_sqlite_error(original, where)
        elif isinstance(context.sqlalchemy_exception, exc.OperationalError | exc.InterfaceError):
            first_line = redact_address_in(str(original).strip().partition("\n")[0], url)
            translated = Unavailable(f"The records at {where} do not answer: {first_line}")
        elif getattr(original, "sqlstate", "") == _INSUFFICIENT_PRIVILEGE:
            first_line = str(original).strip().partition("\n")[0]
            translated = Misconfigured(
                f"The records at {where} deny this user the right to do that ({first_line}): use "
                "the role with this right, or run `openlfr records upgrade` as their owner. "
                "`openlfr rights sql` lists the roles."
            )
        else:
            return
        if isinstance(translated, OpenLFRError):
            raise translated from original

    return translate


def _explain_sqlite_error(error: sqlite3.Error, where: str) -> BaseException:
    """Return the error for the operator; SQLite's own error if OpenLFR caused it."""
    message = str(error).lower()
    with suppress(OSError):
        if "i/o error" in message and shutil.disk_usage(Path(where).parent).free < FULL_DISK_BYTES:
            message = "disk is full"
    for words, sentence in _SQLITE_SENTENCES.items():
        if words in message:
            return Unavailable(sentence.format(where=where))
    if "not a database" in message or "malformed" in message:
        return Misconfigured(
            f"{where} is damaged or is not an SQLite database: restore it from a backup, or move "
            "it away to start with empty records."
        )
    return error


def hour_of(moment: sa.ColumnElement[datetime], engine: Engine) -> sa.ColumnElement[str]:
    """Return an expression for the hour of a column's moments, 'YYYY-MM-DDTHH' UTC."""
    if engine.dialect.name == "sqlite":
        return sa.func.strftime("%Y-%m-%dT%H", moment)
    return sa.func.to_char(sa.func.timezone("UTC", moment), 'YYYY-MM-DD"T"HH24')
