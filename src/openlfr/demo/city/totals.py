"""Reads the counts of sightings in Redis and of frames in the records, by camera."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from openlfr import bootstrap
from openlfr.domain.errors import OpenLFRError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openlfr.adapters.sql.records import Records
    from openlfr.domain.tallies import CameraTotals
    from openlfr.ports import AlertBook
    from openlfr.settings import Settings


class CityTotals:
    """Counts in Redis and in the records; if a server does not answer, the last known counts.

    Attributes:
        records: The records.
        sightings: Number of sightings by camera.
        cameras: Totals of the tallies by camera.
    """

    def __init__(self, settings: Settings, deployment: str) -> None:
        """Connect to Redis and to the records."""
        self._deployment = deployment
        self.records: Records = bootstrap.open_records(settings)
        self._book: AlertBook = bootstrap.open_alert_book(settings)
        self.sightings: Counter[str] = Counter()
        self.cameras: Mapping[str, CameraTotals] = {}

    def refresh(self) -> None:
        """Read all counts again."""
        try:
            sums: Counter[str] = Counter()
            for (camera, _), number in self._book.event_counts(self._deployment).items():
                sums[camera] += number
            self.sightings = sums
            totals = self.records.tallies.totals(self._deployment)
            self.cameras = {each.camera: each for each in totals}
        except OpenLFRError:
            return

    def close(self) -> None:
        """Close both connections."""
        self._book.close()
        self.records.close()
