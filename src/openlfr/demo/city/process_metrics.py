"""Reads the health and metrics pages of processes on this machine."""

from __future__ import annotations

import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from collections.abc import Mapping

_TIMEOUT_S = 1.0

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ProcessMetrics:
    """The metrics of one process at one moment.

    Attributes:
        values: Values by name and labels.
    """

    values: Mapping[tuple[str, Labels], float] = field(default_factory=dict)

    def get(self, name: str, **labels: str) -> float:
        """Return the value of a series; 0 if the process does not report the series."""
        return self.values.get((name, tuple(sorted(labels.items()))), 0.0)

    def sum_by(self, name: str, label: str, **labels: str) -> Counter[str]:
        """Return a metric's sum by the value of `label`, over all series that match `labels`.

        Each value is rounded to a whole number.
        """
        sums: Counter[str] = Counter()
        for (each, series_labels), value in self.values.items():
            by_name = dict(series_labels)
            if each == name and label in by_name and labels.items() <= by_name.items():
                sums[by_name[label]] += round(value)
        return sums


def fetch_metrics(port: int) -> ProcessMetrics | None:
    """Fetch the `openlfr_` metrics of a process; None if the process does not answer."""
    text = fetch_page(port, "/metrics")
    if text is None:
        return None
    return ProcessMetrics({
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        if family.name.startswith("openlfr_")
        for sample in family.samples
    })  # fmt: skip


def is_ready(port: int) -> bool:
    """Return whether a process reports that it is ready."""
    return fetch_page(port, "/health/ready") is not None


def fetch_page(port: int, path: str) -> str | None:
    """Fetch a page of a process on this machine; None without an answer or with an error status."""
    try:
        address = f"http://127.0.0.1:{port}{path}"
        with urllib.request.urlopen(address, timeout=_TIMEOUT_S) as answer:
            text: str = answer.read().decode()
            return text
    except OSError:
        return None
