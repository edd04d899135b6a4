"""The records: watchlist entries, alerts, acts and runs in SQLite or PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from openlfr.adapters.sql.acts import ActRecords
from openlfr.adapters.sql.alerts import AlertRecords
from openlfr.adapters.sql.control import ControlRecords
from openlfr.adapters.sql.engine import open_engine
from openlfr.adapters.sql.runs import RunRecords
from openlfr.adapters.sql.schema import migrate
from openlfr.adapters.sql.watchlist import WatchlistRecords

if TYPE_CHECKING:
    from types import TracebackType

    from sqlalchemy.engine import Engine


class Records:
    """One database, and what is kept in it, each part by a class of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.watchlist = WatchlistRecords(engine)
        self.control = ControlRecords(engine)
        self.acts = ActRecords(engine)
        self.alerts = AlertRecords(engine)
        self.runs = RunRecords(engine)

    @classmethod
    def open(cls, url: str) -> Self:
        """Open the database, made or migrated to the schema of this version first.

        Args:
            url: `sqlite:///PATH` (made if absent, for its owner alone) or `postgresql://...`.

        Raises:
            Misconfigured: A url of another kind, a damaged file, or a newer schema.
            Unavailable: The database does not answer, is locked, or cannot be written to.
        """
        engine = open_engine(url)
        try:
            migrate(engine)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine)

    def close(self) -> None:
        """Free every connection; safe to call twice."""
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
