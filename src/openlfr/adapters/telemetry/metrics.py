"""A service's metrics for Prometheus.

Services count in plain dictionaries, so that counting is cheap. The dictionaries are read when
Prometheus fetches the page. Labels name cameras, stages and outcomes, never a person.
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
        """Register the metrics that every service has, such as CPU, memory and open files."""
        self._registry = CollectorRegistry()
        self._families: dict[str, _Counts] = {}
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._stages = Histogram(
            "openlfr_stage_seconds", "Duration of a stage's calls; a call is a batch.",
            ["stage"], buckets=_SECONDS, registry=self._registry,
        )  # fmt: skip
        self._ages = Histogram(
            "openlfr_message_age_seconds",
            "Time from the arrival of a message on Kafka to the end of its processing.",
            ["topic"], buckets=_SECONDS, registry=self._registry,
        )  # fmt: skip
        self._busy = Counter(
            "openlfr_busy_seconds", "Seconds of work; the rate is the busy share of a pod's time.",
            registry=self._registry,
        )  # fmt: skip
        Gauge(
            "openlfr_service", "Name of the service.", ["service"], registry=self._registry
        ).labels(service).set(1)
        self.register_counter(
            "openlfr_dead_letters", "Unusable messages that were sent to dead-letters.v1.", dict
        )

    def text(self) -> bytes:
        """Return all metrics in Prometheus's text format."""
        return bytes(generate_latest(self._registry))

    def observe_stage(self, name: str, seconds: float) -> None:
        """Record the duration of one call of a stage."""
        self._stages.labels(name).observe(seconds)

    def observe_age(self, topic: str, seconds: float) -> None:
        """Record the time from the broker's receipt of a message to the end of its processing."""
        self._ages.labels(topic).observe(max(0.0, seconds))

    def timed(self, stage: str, work: Callable[_P, _T]) -> Callable[_P, _T]:
        """Wrap a function so that each call is recorded as a stage's call and as busy time."""

        def call(*args: _P.args, **kwargs: _P.kwargs) -> _T:
            started_at = time.perf_counter()
            try:
                return work(*args, **kwargs)
            finally:
                seconds = time.perf_counter() - started_at
                self.observe_stage(stage, seconds)
                self._busy.inc(seconds)

        return call

    def register_counter(
        self,
        name: str,
        what: str,
        read: Callable[[], Mapping[str, float]],
        *,
        label: str = "",
        where: Mapping[str, str] | None = None,
    ) -> None:
        """Register counts of a service; several registrations of a name make one metric.

        Args:
            name: Name of the metric, without `_total`.
            what: Description in one sentence.
            read: Returns the counts by the label's value; without a label, their sum is used.
            label: Name of the label; empty for no label.
            where: Further labels with their values. Every registration of a metric must have the
                same names of labels.
        """
        self._family(name, what).sources.append((read, label, dict(where or {})))

    def register_labelled_counter(
        self,
        name: str,
        what: str,
        read: Callable[[], Mapping[tuple[str, ...], float]],
        *,
        labels: tuple[str, ...],
    ) -> None:
        """Register a counter with several labels, whose series may appear and disappear.

        Args:
            name: Name of the metric, without `_total`.
            what: Description in one sentence.
            read: Returns the counts by the labels' values.
            labels: Names of the labels.
        """
        self._registry.register(_LabelledCounts(name, what, read, labels))

    def register_gauge(
        self, name: str, what: str, read: Callable[[], Mapping[str, float] | float | None],
        *, label: str = "",
    ) -> None:  # fmt: skip
        """Register a value that is read at each fetch; None omits the metric.

        A mapping contains a value for each value of `label`.
        """
        self._registry.register(_Gauge(name, what, read, label))

    def _family(self, name: str, what: str) -> _Counts:
        if name not in self._families:
            self._families[name] = _Counts(name, what)
            self._registry.register(self._families[name])
        return self._families[name]


class _Counts:
    """Collects a counter metric from all its registered sources."""

    def __init__(self, name: str, what: str) -> None:
        self._name, self._what = name, what
        self.sources: list[tuple[Callable[[], Mapping[str, float]], str, dict[str, str]]] = []

    def describe(self) -> list[Metric]:
        return [CounterMetricFamily(self._name, self._what)]

    def collect(self) -> Iterator[Metric]:
        series: dict[tuple[tuple[str, str], ...], float] = {}
        for read, label, where in self.sources:
            for value, number in _copy(read()).items():
                labels = tuple(sorted({**where, **({label: value} if label else {})}.items()))
                series[labels] = series.get(labels, 0) + number
        if not self.sources[0][1] and not self.sources[0][2]:
            series.setdefault((), 0)
        names = sorted({name for labels in series for name, _ in labels})
        family = CounterMetricFamily(self._name, self._what, labels=names)
        for labels, number in sorted(series.items()):
            family.add_metric([dict(labels).get(name, "") for name in names], number)
        yield family


class _LabelledCounts:
    """Collects a counter metric with several labels from one source."""

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
    """Collects a gauge from one source."""

    def __init__(
        self, name: str, what: str, read: Callable[[], Mapping[str, float] | float | None],
        label: str,
    ) -> None:  # fmt: skip
        self._name, self._what, self._read, self._label = name, what, read, label

    def describe(self) -> list[Metric]:
        return [GaugeMetricFamily(self._name, self._what)]

    def collect(self) -> Iterator[Metric]:
        current = self._read()
        if current is None:
            return
        if isinstance(current, int | float):
            yield GaugeMetricFamily(self._name, self._what, value=float(current))
            return
        family = GaugeMetricFamily(self._name, self._what, labels=[self._label])
        for value, number in sorted(_copy(current).items()):
            family.add_metric([value], number)
        yield family


def _copy(counts: Mapping[str, float]) -> dict[str, float]:
    """Copy counts that another thread may be changing."""
    while True:
        try:
            return dict(counts)
        except RuntimeError:  # a key was added while copying
            continue
