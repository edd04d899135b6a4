"""Counts the results of a deployment's alerts, and computes its rates of false alerts.

An alert counts for the baseline in which it opened, as in `operations.baseline_figures`. Alerts
about control subjects are not false alerts and have a count of their own. After the erasure of an
alert, the category of its entry is unknown, so that the alert counts as one about a listed person
who is no control subject.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openlfr.domain.alert_results import (
    US_PER_HOUR,
    WATCHED_HOUR,
    AlertResults,
    FalseAlertRate,
    FalseAlerts,
)
from openlfr.domain.alerts import Adjudication, EventKind, Outcome
from openlfr.domain.faces import CONTROL
from openlfr.operations.baseline_figures import valid_number_at
from openlfr.operations.intervals import clopper_pearson, poisson_rate
from openlfr.operations.silence import silence

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openlfr.domain.alert_records import RecordedAlert, RecordedEvent
    from openlfr.domain.alert_results import FalseAlertBound
    from openlfr.domain.baseline_figures import FiguresByBaseline
    from openlfr.domain.counts import CameraCounts
    from openlfr.ports import Records

_STOPPED = (Outcome.CONFIRMED, Outcome.REFUTED)


@dataclass(frozen=True, slots=True)
class Results:
    """The results of all alerts together, and their false alerts by baseline and by pool.

    Attributes:
        by_baseline: First each displayed baseline, then each pool of more than one baseline.
    """

    total: AlertResults
    by_baseline: tuple[FalseAlerts, ...] = ()


@dataclass(frozen=True, slots=True)
class _CountedAlert:
    """An alert with the facts that its results need.

    Attributes:
        baseline: Number of the baseline in which the alert opened; 0 without a valid baseline.
        minutes: Minutes stopped, of the latest outcome; None if unknown.
    """

    alert: RecordedAlert
    baseline: int
    is_control: bool
    minutes: int | None


def count_results(
    deployment: str,
    events: Sequence[RecordedEvent],
    figures: FiguresByBaseline,
    *,
    records: Records,
    tracks_per_walker: float | None = None,
) -> Results:
    """Count the results of the alerts of these events.

    Args:
        deployment: Id of the deployment.
        events: The alert events of the deployment, or of one of its runs.
        figures: The figures by baseline of the same events.
        records: Records of alerts, entries and baselines.
        tracks_per_walker: Tracks per person, measured with passages; None if not measured.
    """
    counted = list(_counted_alerts(deployment, events, records))
    groups: list[tuple[tuple[int, ...], CameraCounts]] = [
        ((each.number,), each.counts) for each in figures.baselines if each.is_displayed
    ]
    groups += [(pool.numbers, pool.counts) for pool in figures.pools if len(pool.numbers) > 1]
    return Results(
        _add_up(counted),
        tuple(
            _false_alerts(
                numbers,
                counts,
                _add_up([each for each in counted if each.baseline in numbers]),
                tracks_per_walker,
            )
            for numbers, counts in groups
        ),
    )


def bound_silence(
    results: AlertResults, counts: CameraCounts, tracks_per_walker: float | None
) -> FalseAlertBound | None:
    """Bound the share of false alerts by the searched tracks without an alert.

    Returns:
        The bound; None if an alert is refuted or unverified, or if there is no such track.
    """
    tracks = counts.tracks_searched - counts.tracks_matched  # matched tracks are of listed people
    if results.max_false or tracks < 1:
        return None
    return silence(tracks, tracks_per_walker)


def _counted_alerts(
    deployment: str, events: Sequence[RecordedEvent], records: Records
) -> Iterable[_CountedAlert]:
    first: dict[str, RecordedEvent] = {}
    for each in sorted(events, key=lambda each: each.event.event is not EventKind.OPENED):
        first.setdefault(each.event.alert_id, each)
    wanted_ids = {each.event.sighting.reference_id for each in events}
    references = records.watchlist.references(reference_ids=sorted(wanted_ids - {""}))
    control_ids = {each.reference_id for each in references if each.category == CONTROL}
    control_alerts = {
        each.event.alert_id for each in events if each.event.sighting.reference_id in control_ids
    }
    openings = records.baselines.openings_of(deployment)
    for alert in records.alerts.list(deployment=deployment):
        if alert.alert_id not in first:
            continue
        minutes = None
        if alert.outcome is not None:
            latest = records.alerts.case(alert.alert_id).outcome
            minutes = latest.minutes_stopped if latest else None
        yield _CountedAlert(
            alert,
            valid_number_at(openings, first[alert.alert_id].emitted_at),
            alert.alert_id in control_alerts,
            minutes,
        )


def _add_up(counted: Sequence[_CountedAlert]) -> AlertResults:
    real = [each for each in counted if not each.is_control]
    outcomes = Counter(each.alert.outcome for each in real)
    decisions = Counter(each.alert.adjudication for each in real)
    engaged = [each for each in real if each.alert.adjudication is Adjudication.ENGAGE]
    interventions = Counter(each.alert.outcome for each in engaged)
    minutes = [each.minutes for each in real if each.minutes is not None]
    return AlertResults(
        alerts=len(real),
        control_alerts=len(counted) - len(real),
        confirmed=outcomes[Outcome.CONFIRMED],
        refuted=outcomes[Outcome.REFUTED],
        not_located=outcomes[Outcome.NOT_LOCATED],
        not_attended=outcomes[Outcome.NOT_ATTENDED],
        engaged=decisions[Adjudication.ENGAGE],
        not_engaged=decisions[Adjudication.DO_NOT_ENGAGE],
        cannot_tell=decisions[Adjudication.CANNOT_TELL],
        undecided=decisions[None],
        engaged_confirmed=interventions[Outcome.CONFIRMED],
        engaged_refuted=interventions[Outcome.REFUTED],
        minutes_stopped=sum(minutes) if minutes else None,
        stops_without_minutes=sum(
            each.minutes is None and each.alert.outcome in _STOPPED for each in engaged
        ),
    )


def _false_alerts(
    numbers: tuple[int, ...],
    counts: CameraCounts,
    results: AlertResults,
    tracks_per_walker: float | None,
) -> FalseAlerts:
    if 0 in numbers:  # conditions are unknown
        return FalseAlerts(numbers, results)
    return FalseAlerts(
        numbers,
        results,
        compute_rates(results, counts),
        bound_silence(results, counts, tracks_per_walker),
    )


def compute_rates(results: AlertResults, counts: CameraCounts) -> tuple[FalseAlertRate, ...]:
    """Compute the range of false alerts over each denominator that is not 0.

    A share that could exceed 1 is left out. Intervals of shares are Clopper and Pearson's. The
    number of false alerts in an hour has no upper limit, so its interval is that of a Poisson rate.
    """
    low, high = results.refuted, results.max_false
    rates = [
        FalseAlertRate(
            per,
            total,
            low / total,
            high / total,
            clopper_pearson(low, total).low,
            clopper_pearson(high, total).high,
        )
        for per, total in (
            ("searched_track", counts.tracks_searched),
            ("face_seen", counts.tracks_closed),
            ("alert", results.alerts),
        )
        if total and high <= total
    ]
    if hours := counts.watched_us / US_PER_HOUR:
        rates.append(
            FalseAlertRate(
                WATCHED_HOUR,
                hours,
                low / hours,
                high / hours,
                poisson_rate(low, hours).low,
                poisson_rate(high, hours).high,
            )
        )
    return tuple(rates)
