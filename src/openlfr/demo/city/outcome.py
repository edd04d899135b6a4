"""The outcome of the demonstration: figures, sentences and report."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import openlfr
from openlfr import bootstrap
from openlfr.domain.summary import RunSummary
from openlfr.embedded.opening import hash_settings
from openlfr.embedded.summary import build_alert_item, count_searchable
from openlfr.operations.camera_counts import counts_from_records
from openlfr.operations.gallery import count_listed
from openlfr.settings import require_authorisation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from openlfr.adapters.sql.records import Records
    from openlfr.demo.city.reconciliation import FrameTotals, SightingTotals
    from openlfr.domain.alert_records import RecordedEvent
    from openlfr.domain.summary import KnownTruth
    from openlfr.settings import Settings

_MAX_BEHIND_S = 5.0
"""A machine keeps up if no more frames wait at the end than its cameras send in this time. Services
measure their lag every 5 s."""

_MAX_REST_S = 20.0
"""A machine that keeps up also analyses the waiting frames in this time. This second condition is
needed because a worker's lag may be out of date."""

DISCLAIMER = (
    "This demonstration shows that the pipeline works. It does not show how accurate it is, since"
    " both photos of each listed person are made from one picture."
)


@dataclass(frozen=True, slots=True)
class Outage:
    """The time from a worker's kill until it was ready again.

    Attributes:
        name: Name of the worker.
        killed_at: Time of the kill, seconds of the films.
        killed: Time of the kill, UTC.
        ready_at: Time of readiness, seconds of the films; None until the worker is ready.
        back_at: Time of readiness, UTC; None until the worker is ready.
    """

    name: str
    killed_at: float
    killed: datetime
    ready_at: float | None = None
    back_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Latency:
    """Time from `captured_at` to `emitted_at` in seconds, of `alerts` alert events."""

    alerts: int
    p50: float
    p95: float
    longest: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """All figures of a demonstration.

    Attributes:
        latency: Latency of all alert events; None without events.
        latency_undisturbed: Latency of events whose frames did not wait for the killed worker.
        waited: Number of frames that, at the films' end, ingest had not read or analysis had not
            analysed.
        rest_s: Time from the films' end until analysis had analysed every frame, seconds.
        problems: Problems, a sentence each.
    """

    truth: KnownTruth
    sightings: SightingTotals
    frames: tuple[FrameTotals, ...]
    latency: Latency | None
    latency_undisturbed: Latency | None
    outage: Outage | None
    waited: int
    rest_s: float
    seconds: int
    problems: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether no event was lost or doubled, no alert was false, and no step failed.

        Missed passes are allowed, since small faces may be missed; each missed pass is printed with
        the size of the face. A run that found no listed person at all is not clean.
        """
        found_nobody = self.truth.passes > 0 and self.truth.found == 0
        return self.sightings.is_clean and not (self.truth.wrong or found_nobody or self.problems)

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as JSON values."""
        values: dict[str, Any] = json.loads(json.dumps(asdict(self), default=str))
        return values


def measure_latency(events: Iterable[RecordedEvent]) -> Latency | None:
    """Compute nearest-rank percentiles of the events' latency; None without events."""
    seconds = sorted(
        (each.emitted_at - each.event.sighting.captured_at).total_seconds() for each in events
    )
    if not seconds:
        return None
    return Latency(len(seconds), percentile(seconds, 0.5), percentile(seconds, 0.95), seconds[-1])


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest value that is at least as great as this share of the ordered values."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def select_undisturbed(
    events: Iterable[RecordedEvent], outage: Outage | None
) -> list[RecordedEvent]:
    """Return the events emitted before the kill, or captured after the worker was ready again.

    Without an outage, return all events.
    """
    if outage is None:
        return list(events)
    back = outage.back_at or datetime.max.replace(tzinfo=UTC)
    return [
        each
        for each in events
        if each.emitted_at < outage.killed or each.event.sighting.captured_at > back
    ]


def list_events(records: Records, deployment: str) -> list[RecordedEvent]:
    """Return every event in the records, ordered by capture time."""
    alerts = records.alerts.list(deployment=deployment)
    events = [event for alert in alerts for event in records.alerts.events(alert.alert_id)]
    return sorted(events, key=lambda each: each.event.sighting.captured_at)


def summarise(
    settings: Settings,
    records: Records,
    outcome: Outcome,
    *,
    events: Sequence[RecordedEvent],
    started_at: datetime,
    size: tuple[int, int],
) -> RunSummary:
    """Build the report's summary, in the form of a run in one process."""
    deployment = require_authorisation(settings)
    vault = bootstrap.open_vault(settings)
    references = {each.reference_id: each for each in records.watchlist.references()}
    sealed = records.alerts.sealed_alert_ids()
    embedder = bootstrap.load_embedder(settings)
    listed = count_listed(records.watchlist, settings.watchlists, started_at)
    threshold = bootstrap.choose_threshold(settings, embedder.facts, listed)
    return RunSummary(
        run_id=f"city of {started_at:%Y-%m-%d %H:%M:%S} UTC",
        software=f"OpenLFR {openlfr.__version__}, city-wide mode on one machine",
        config_hash=hash_settings(settings, embedder.facts, threshold.value),
        deployment_id=deployment.deployment_id,
        deployment=deployment.authorisation,
        started_at=started_at,
        ended_at=datetime.now(UTC),
        ended_how="the films ended",
        threshold=threshold,
        models=bootstrap.list_models_used(settings),
        providers=tuple(bootstrap.list_providers(settings)),
        watchlists=tuple(count_searchable(name, records) for name in settings.watchlists),
        cameras=tuple(
            replace(counts, frame_size=size)
            for counts in counts_from_records(
                records.tallies, deployment.deployment_id, list(settings.cameras), events
            ).values()
        ),
        timings=(),
        alerts=tuple(
            build_alert_item(event, references, vault, sealed=event.event.alert_id in sealed)
            for event in events
        ),
        problems=outcome.problems,
        notes=(DISCLAIMER, " ".join(describe(outcome))),
        truth=outcome.truth,
    )


def describe(outcome: Outcome) -> list[str]:
    """Return sentences about the outcome, for a terminal and for the report."""
    return [
        _describe_passes(outcome.truth),
        _describe_sightings(outcome.sightings),
        *_describe_outage(outcome),
        _describe_latency(outcome),
        _describe_frames(outcome.frames),
        _describe_load(outcome),
    ]


def write_figures(outcome: Outcome, path: Path) -> None:
    """Write the figures as JSON."""
    path.write_text(json.dumps(outcome.to_json(), indent=2) + "\n", encoding="utf-8")


def _describe_passes(truth: KnownTruth) -> str:
    false = f"{truth.wrong} false alerts" if truth.wrong else "no false alert"
    return (
        f"Found {truth.found} of {truth.passes} listed passes; {false}"
        f" ({truth.strangers} passes of strangers)."
    )


def _describe_sightings(sightings: SightingTotals) -> str:
    repeated = (
        f" ({sightings.repeated} of them again by the restarted worker)"
        if sightings.repeated
        else ""
    )
    others = {
        "recorded but not published": sightings.unpublished,
        "recorded but not on alerts.v1": sightings.untold,
        "messages set aside": sightings.dead_letters,
    }
    rest = "".join(f", {number} {what}" for what, number in others.items() if number)
    return (
        f"{sightings.published} sightings published{repeated}, {sightings.recorded} alert events"
        f" recorded: {sightings.lost} lost, {sightings.doubled} doubled{rest}."
    )


def _describe_outage(outcome: Outcome) -> list[str]:
    outage = outcome.outage
    if outage is None:
        return []
    if outage.ready_at is None:
        return [f"{outage.name} was killed at {outage.killed_at:.0f} s and was not ready again."]
    away_s = outage.ready_at - outage.killed_at
    when = f"{outage.name} was killed at {outage.killed_at:.0f} s"
    return [f"{when}, was restarted automatically, and was ready again after {away_s:.1f} s."]


def _describe_latency(outcome: Outcome) -> str:
    if outcome.latency is None:
        return "There was no alert, so no latency was measured."
    every, calm, more = outcome.latency, outcome.latency_undisturbed, ""
    if outcome.outage and calm and calm.alerts < every.alerts:
        more = f"; p50 {calm.p50:.2f} s, p95 {calm.p95:.2f} s of the {calm.alerts}"
        more += " that did not wait for the killed worker"
    return (
        f"From capture to alert p50 {every.p50:.2f} s, p95 {every.p95:.2f} s of {every.alerts}"
        f" events{more}."
    )


def _describe_frames(frames: Sequence[FrameTotals]) -> str:
    dropped: dict[str, int] = {}
    for each in frames:
        for reason, number in each.dropped.items():
            dropped[reason] = dropped.get(reason, 0) + number
    why = ", ".join(f"{number} {reason}" for reason, number in dropped.items())
    missing = sum(each.missing for each in frames)
    cut = f"; {missing} were in transit when the cameras were switched off" if missing else ""
    return (
        f"{sum(each.sent for each in frames)} frames sent by {len(frames)} cameras,"
        f" {sum(each.analysed for each in frames)} analysed;"
        f" dropped: {why or 'none'}{cut}."
    )


def _describe_load(outcome: Outcome) -> str:
    sent = sum(each.sent for each in outcome.frames)
    is_behind = outcome.waited * outcome.seconds > _MAX_BEHIND_S * sent
    if not is_behind and outcome.rest_s <= _MAX_REST_S:
        return "The machine kept up with its cameras."
    return (
        f"The machine did NOT keep up with its cameras: {outcome.waited} frames waited when the"
        f" films ended, and all were analysed {outcome.rest_s:.0f} s later."
    )
