"""What the processes say about themselves, and what Redis and the records have counted so far."""

from __future__ import annotations

import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from openlfr import bootstrap
from openlfr.domain.errors import OpenLFRError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openlfr.adapters.sql import Records
    from openlfr.domain.tallies import CameraTotals
    from openlfr.ports import AlertBook
    from openlfr.settings import Settings

_PATIENCE_S = 1.0

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Said:
    """The metrics of one process at one moment.

    Attributes:
        values: By name and labels.
    """

    values: Mapping[tuple[str, Labels], float] = field(default_factory=dict)

    def get(self, name: str, **labels: str) -> float:
        """One value; 0 where it is not said."""
        return self.values.get((name, tuple(sorted(labels.items()))), 0.0)

    def by(self, name: str, label: str, **labels: str) -> Counter[str]:
        """A metric's values added up by one of its labels, where others are as given."""
        sums: Counter[str] = Counter()
        for (each, found), value in self.values.items():
            all_ = dict(found)
            if each == name and label in all_ and labels.items() <= all_.items():
                sums[all_[label]] += round(value)
        return sums


def ask(port: int) -> Said | None:
    """What a process says on its page of metrics; None where none answers."""
    text = page(port, "/metrics")
    if text is None:
        return None
    return Said({
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        if family.name.startswith("openlfr_")
        for sample in family.samples
    })  # fmt: skip


def is_ready(port: int) -> bool:
    """Whether a process says that it is at work."""
    return page(port, "/health/ready") is not None


def page(port: int, path: str) -> str | None:
    """A page of a process on this machine; None where it does not answer with 200."""
    try:
        address = f"http://127.0.0.1:{port}{path}"
        with urllib.request.urlopen(address, timeout=_PATIENCE_S) as answer:
            text: str = answer.read().decode()
            return text
    except OSError:
        return None


class Counted:
    """What Redis and the records have counted, by camera; kept where one does not answer."""

    def __init__(self, settings: Settings, deployment: str) -> None:
        """Connect to both."""
        self._deployment = deployment
        self._records: Records = bootstrap.open_records(settings)
        self._book: AlertBook = bootstrap.open_alert_book(settings)
        self.sightings: Counter[str] = Counter()
        self.totals: Mapping[str, CameraTotals] = {}

    @property
    def records(self) -> Records:
        """The records themselves."""
        return self._records

    @property
    def book(self) -> AlertBook:
        """The alert book itself."""
        return self._book

    def look(self) -> None:
        """Read both anew."""
        try:
            sums: Counter[str] = Counter()
            for (camera, _), number in self._book.counts(self._deployment).items():
                sums[camera] += number
            self.sightings = sums
            totals = self._records.tallies.totals(self._deployment)
            self.totals = {each.camera: each for each in totals}
        except OpenLFRError:
            return

    def close(self) -> None:
        """Free both connections."""
        self._book.close()
        self._records.close()
