"""What a service counts and times, as Prometheus reads it.

Services keep plain counters; these are read when Prometheus asks, so that counting costs nothing
here. Labels name cameras, stages and what became of something, never a person.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client.metrics_core import Metric

_P = ParamSpec("_P")
_T = TypeVar("_T")
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The metrics of one process."""

    def __init__(self, service: str) -> None:
        """Begin with the process's own: CPU, memory, files."""
        self._registry = CollectorRegistry()
        self._families: dict[str, _Counts] = {}
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._stages = Histogram(
            "openlfr_stage_seconds", "Wall seconds of a stage's calls; a call is a batch.",
            ["stage"], buckets=_SECONDS, registry=self._registry,
        )  # fmt: skip
        self._ages = Histogram(
            "openlfr_message_age_seconds", "From a message's arrival on Kafka until it was done.",
            ["topic"], buckets=_SECONDS, registry=self._registry,
        )  # fmt: skip
        self._busy = Counter(
            "openlfr_busy_seconds", "Seconds of work; its rate is the share of time a pod is busy.",
            registry=self._registry,
        )  # fmt: skip
        Gauge(
            "openlfr_service", "Which service this is.", ["service"], registry=self._registry
        ).labels(service).set(1)
        self.count("openlfr_dead_letters", "Messages set aside.", dict)

    def text(self) -> bytes:
        """Everything, in Prometheus's text format."""
        return bytes(generate_latest(self._registry))

    def stage(self, name: str, seconds: float) -> None:
        """A stage took this long, once."""
        self._stages.labels(name).observe(seconds)

    def age(self, topic: str, seconds: float) -> None:
        """A message of the topic was done this long after the broker took it."""
        self._ages.labels(topic).observe(max(0.0, seconds))

    def timed(self, stage: str, work: Callable[_P, _T]) -> Callable[_P, _T]:
        """The same function; each call is timed as a stage, and as work."""

        def call(*given: _P.args, **named: _P.kwargs) -> _T:
            begun = time.perf_counter()
            try:
                return work(*given, **named)
            finally:
                took = time.perf_counter() - begun
                self.stage(stage, took)
                self._busy.inc(took)

        return call

    def count(
        self,
        name: str,
        what: str,
        read: Callable[[], Mapping[str, float]],
        *,
        label: str = "",
        where: Mapping[str, str] | None = None,
    ) -> None:
        """Tell a counter that a service keeps.

        Args:
            name: Without `_total`.
            what: One sentence.
            read: Gives the counts by the label's value; without a label they are summed.
            label: What tells them apart.
            where: Further labels, the same for all; must be the same names wherever `name` is.
        """
        self._family(name, what).sources.append((read, label, dict(where or {})))

    def count_each(
        self,
        name: str,
        what: str,
        read: Callable[[], Mapping[tuple[str, ...], float]],
        *,
        labels: tuple[str, ...],
    ) -> None:
        """Register a counter whose series come and go.

        Args:
            name: Without `_total`.
            what: One sentence.
            read: Gives the counts by the labels' values.
            labels: Their names.
        """
        self._registry.register(_Each(name, what, read, labels))

    def gauge(
        self, name: str, what: str, read: Callable[[], Mapping[str, float] | float | None],
        *, label: str = "",
    ) -> None:  # fmt: skip
        """Tell a value as it is when it is asked for; None leaves it out."""
        self._registry.register(_Gauge(name, what, read, label))

    def _family(self, name: str, what: str) -> _Counts:
        if name not in self._families:
            self._families[name] = _Counts(name, what)
            self._registry.register(self._families[name])
        return self._families[name]


class _Counts:
    """A family of counters that others keep."""

    def __init__(self, name: str, what: str) -> None:
        self._name, self._what = name, what
        self.sources: list[tuple[Callable[[], Mapping[str, float]], str, dict[str, str]]] = []

    def describe(self) -> list[Metric]:
        return [CounterMetricFamily(self._name, self._what)]

    def collect(self) -> Iterator[Metric]:
        found: dict[tuple[tuple[str, str], ...], float] = {}
        for read, label, where in self.sources:
            for value, number in _copy(read()).items():
                labels = tuple(sorted({**where, **({label: value} if label else {})}.items()))
                found[labels] = found.get(labels, 0) + number
        if not self.sources[0][1] and not self.sources[0][2]:
            found.setdefault((), 0)
        names = sorted({name for labels in found for name, _ in labels})
        family = CounterMetricFamily(self._name, self._what, labels=names)
        for labels, number in sorted(found.items()):
            family.add_metric([dict(labels).get(name, "") for name in names], number)
        yield family


class _Each:
    """A family of counters that is asked for whole."""

    def __init__(
        self, name: str, what: str, read: Callable[[], Mapping[tuple[str, ...], float]],
        labels: tuple[str, ...],
    ) -> None:  # fmt: skip
        self._name, self._what, self._read, self._labels = name, what, read, labels

    def describe(self) -> list[Metric]:
        return [CounterMetricFamily(self._name, self._what, labels=self._labels)]

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(self._name, self._what, labels=self._labels)
        for values, number in sorted(self._read().items()):
            family.add_metric(list(values), number)
        yield family


class _Gauge:
    """A value that is asked for."""

    def __init__(
        self, name: str, what: str, read: Callable[[], Mapping[str, float] | float | None],
        label: str,
    ) -> None:  # fmt: skip
        self._name, self._what, self._read, self._label = name, what, read, label

    def describe(self) -> list[Metric]:
        return [GaugeMetricFamily(self._name, self._what)]

    def collect(self) -> Iterator[Metric]:
        found = self._read()
        if found is None:
            return
        if isinstance(found, int | float):
            yield GaugeMetricFamily(self._name, self._what, value=float(found))
            return
        family = GaugeMetricFamily(self._name, self._what, labels=[self._label])
        for value, number in sorted(_copy(found).items()):
            family.add_metric([value], number)
        yield family


def _copy(counts: Mapping[str, float]) -> dict[str, float]:
    """A copy of what another thread may be counting in."""
    while True:
        try:
            return dict(counts)
        except RuntimeError:  # it grew meanwhile
            continue
