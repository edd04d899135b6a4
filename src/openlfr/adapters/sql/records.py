"""The records of one database: watchlist, alerts, audit log and runs in SQLite or PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

from openlfr.adapters.sql import rights
from openlfr.adapters.sql.access import OwnTransactions
from openlfr.adapters.sql.alerts import AlertRecords
from openlfr.adapters.sql.audit import AuditLog
from openlfr.adapters.sql.baselines import BaselineRecords
from openlfr.adapters.sql.calibrations import CalibrationRecords
from openlfr.adapters.sql.control import ControlRecords
from openlfr.adapters.sql.deployments import DeploymentRecords
from openlfr.adapters.sql.engine import erase_for_good, open_engine
from openlfr.adapters.sql.passages import PassageRecords
from openlfr.adapters.sql.runs import RunRecords
from openlfr.adapters.sql.schema import migrate, require_current_schema
from openlfr.adapters.sql.tallies import TallyRecords
from openlfr.adapters.sql.unit_of_work import UnitOfWork, unit_of_work
from openlfr.adapters.sql.verdict_outbox import VerdictOutbox
from openlfr.adapters.sql.watchlist import WatchlistRecords
from openlfr.domain.audit_deployments import ReportWritten
from openlfr.domain.report_acts import files_of_acts

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import TracebackType

    from sqlalchemy.engine import Engine

    from openlfr.domain.runs import WrittenFiles

__all__ = [
    "Records",
    "Upgraded",
    "upgrade",
]


class Records:
    """The records in one database; each attribute is a part of the records."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        access = OwnTransactions(engine)
        self.watchlist = WatchlistRecords(access)
        self.alerts = AlertRecords(access)
        self.deployments = DeploymentRecords(access)
        self.baselines = BaselineRecords(access)
        self.passages = PassageRecords(access)
        self.calibrations = CalibrationRecords(access)
        self.audit = AuditLog(access)
        self.control = ControlRecords(engine)
        self.runs = RunRecords(engine)
        self.tallies = TallyRecords(engine)
        self.verdict_outbox = VerdictOutbox(engine)

    @classmethod
    def open(cls, url: str, *, upgrade: bool = True) -> Self:
        """Open the database.

        Args:
            url: `sqlite:///PATH` or `postgresql://...`. An absent file is created with permissions
                for its owner only.
            upgrade: Whether to create or upgrade the schema first. If not, an older schema is
                rejected, since processes of an older version may use it.

        Raises:
            Misconfigured: The url has another scheme, the file is damaged, or the schema differs.
            Unavailable: The database does not answer, is locked, or cannot be written to.
        """
        engine = open_engine(url)
        try:
            if upgrade:
                migrate(engine)
            else:
                require_current_schema(engine)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine)

    def unit_of_work(self) -> AbstractContextManager[UnitOfWork]:
        """Begin a transaction: committed at the end of the `with`, rolled back on an exception."""
        return unit_of_work(self._engine)

    def written_files(self) -> list[WrittenFiles]:
        """Return the files of alert lines and reports that were written with these records."""
        acts = self.audit.all(object_kind=ReportWritten.object_kind)
        return list(dict.fromkeys([*self.runs.written_files(), *files_of_acts(acts)]))

    @property
    def erased_rows_location(self) -> str:
        """Path of SQLite's write-ahead log, for messages; empty with a server."""
        sqlite = self._engine.dialect.name == "sqlite"
        return f"{self._engine.url.database}-wal" if sqlite else ""

    def erase_for_good(self) -> bool:
        """Remove erased rows from the disk; return False if another process is reading.

        In that case the next call removes the rows, or the reading process removes them
        when it closes the database.
        """
        return erase_for_good(self._engine)

    def close(self) -> None:
        """Close every connection; safe to call twice."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Upgraded(NamedTuple):
    """The result of an upgrade.

    Attributes:
        before: Revision of the schema before the upgrade; None without a schema.
        now: Revision of the schema after the upgrade.
        roles: PostgreSQL roles with new grants.
    """

    before: str | None
    now: str
    roles: tuple[str, ...]


def upgrade(url: str) -> Upgraded:
    """Upgrade a database to the schema of this version, and grant its other roles their rights.

    Raises:
        Misconfigured: The url has another scheme, the file is damaged, or the schema is newer.
        Unavailable: The database does not answer, is locked, or cannot be written to.
    """
    engine = open_engine(url)
    try:
        before, now = migrate(engine)
        with engine.begin() as connection:
            return Upgraded(before, now, tuple(rights.grant(connection)))
    finally:
        engine.dispose()
