"""Watchlist entries in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine


class WatchlistRecords:
    """The watchlist entries of one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
