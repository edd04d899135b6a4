"""Computes the contents of the report's page: sentences, steps and cards."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openlfr.domain.counts import LossReason, NotSearchedReason, add_up

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openlfr.domain.counts import CameraCounts
    from openlfr.domain.summary import AlertItem, RunSummary, StageTiming

REASONS = {
    NotSearchedReason.TOO_SMALL: "too far away",
    NotSearchedReason.TOO_POOR: "turned away, blurred or hidden",
    NotSearchedReason.TOO_SHORT: "gone too soon",
    NotSearchedReason.NOBODY_LISTED: "while nobody was listed",
}
LOST = {
    LossReason.INTERRUPTED: "lost when the run ended",
    LossReason.PAUSED: "lost when the deployment was paused",
    LossReason.MOVED: "lost to another worker",
    LossReason.FAILED: "lost to a failure",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the funnel.

    Attributes:
        count: Number of faces, tracks or alerts.
        name, explained: Texts of the step.
        share: Share of the first step, 0 to 1.
        lost: Reason if the count is lower than in the step before; else empty.
    """

    count: int
    name: str
    explained: str
    share: float
    lost: str


@dataclass(frozen=True, slots=True)
class AlertCard:
    """One alert with its events, and with pictures of the best event.

    Attributes:
        events: The alert's events; without erased events, unless all are erased.
        probe, reference, scene: data: URIs; empty without a picture.
        is_erased: Whether the whole alert was erased.
    """

    alert_id: str
    subject: str
    category: str
    legal_basis: str
    watchlist: str
    score: float
    threshold: float
    quality: float
    events: tuple[AlertItem, ...]
    best: AlertItem
    probe: str
    reference: str
    scene: str
    missing: str
    is_erased: bool = False


@dataclass(frozen=True, slots=True)
class TimedStage:
    """A stage's cost and its share of all CPU time."""

    timing: StageTiming
    share: float
    ms_per_item: float


def plural(count: int, one: str, many: str = "") -> str:
    """`1 alert`, `2 alerts`, `1,204 passes`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def headline(summary: RunSummary) -> str:
    """Describe the whole run or deployment in one sentence."""
    total = add_up(summary.cameras)
    alerts = plural(len(cards(summary.alerts)), "alert")
    passes = plural(total.tracks_closed, "face", "faces")
    return f"{alerts} from {passes} seen at {plural(len(summary.cameras), 'camera')}"


def funnel(summary: RunSummary) -> tuple[Step, ...]:
    """Return the steps from all faces seen to the alerts for a person's decision."""
    total = add_up(summary.cameras)
    alerts = len(cards(summary.alerts))
    whole = max(total.tracks_closed, 1)
    below = total.tracks_searched - total.tracks_matched
    steps = (
        (
            total.tracks_closed,
            "faces seen",
            "not people: one person may count several times, as in a crowd or on a second visit",
            "",
        ),
        (
            total.tracks_searched,
            "compared",
            "with the watchlist, after a face was good enough",
            not_compared(total),
        ),
        (
            total.tracks_matched,
            "matched",
            f"a listed person at {summary.threshold.value:.3f} or more",
            f"{below:,} stayed below the threshold; nothing of them was stored"
            if below > 0
            else "",
        ),
        (
            alerts,
            "alerts",
            "for a person to decide",
            joined(total.sightings, alerts, total.tracks_matched),
        ),
    )
    return tuple(
        Step(count, name, explained, min(count / whole, 1.0), lost)
        for count, name, explained, lost in steps
    )


def joined(sightings: int, alerts: int, matched: int) -> str:
    """Describe the sightings that joined an open alert; empty if there are none.

    A track has a sighting for each matched subject, so there may be more sightings than tracks.
    """
    more = sightings - alerts
    if more <= 0:
        return ""
    of = f", of {plural(sightings, 'match', 'matches')} in all" if sightings != matched else ""
    return f"{plural(more, 'match', 'matches')} joined an alert that was open{of}"


def not_compared(counts: CameraCounts) -> str:
    """Describe the reasons why tracks were not searched; empty if all were searched."""
    reasons = [
        f"{counts.tracks_not_searched[reason]:,} {words}"
        for reason, words in REASONS.items()
        if counts.tracks_not_searched.get(reason)
    ]
    reasons += [
        f"{counts.tracks_lost[reason]:,} {words}"
        for reason, words in LOST.items()
        if counts.tracks_lost.get(reason)
    ]
    if not reasons:
        return ""
    number = sum(counts.tracks_not_searched.values()) + sum(counts.tracks_lost.values())
    return f"{number:,} were not: {', '.join(reasons)}"


def cards(items: Iterable[AlertItem]) -> tuple[AlertCard, ...]:
    """Make one card per alert, in the order of opening, with the pictures of the best score."""
    groups: dict[str, list[AlertItem]] = {}
    for item in items:
        groups.setdefault(item.event.alert_id, []).append(item)
    made = []
    for alert_id, items_of_alert in groups.items():
        remaining = [item for item in items_of_alert if not item.is_erased]
        events = remaining or items_of_alert
        events.sort(key=lambda item: item.event.sighting.captured_at)
        best = max(events, key=lambda item: (bool(item.probe), item.event.sighting.score))
        sighting = best.event.sighting
        made.append(
            AlertCard(
                alert_id=alert_id,
                subject=sighting.subject,
                category=best.category.replace("_", " "),
                legal_basis=best.legal_basis,
                watchlist=sighting.watchlist,
                score=sighting.score,
                threshold=sighting.threshold,
                quality=sighting.quality,
                events=tuple(events),
                best=best,
                probe=_data_uri(best.probe),
                reference=_data_uri(best.reference),
                scene=_data_uri(best.scene),
                missing=best.missing,
                is_erased=not remaining,
            )
        )
    return tuple(sorted(made, key=lambda card: card.events[0].event.sighting.captured_at))


def timed_stages(timings: Iterable[StageTiming]) -> tuple[TimedStage, ...]:
    """Return the stages in the order of the pipeline, with their shares."""
    listed = tuple(timings)
    whole = sum(t.cpu_s for t in listed) or 1.0
    return tuple(
        TimedStage(t, t.cpu_s / whole, 1000 * t.cpu_s / t.items if t.items else 0.0) for t in listed
    )


def render_meter(score: float, threshold: float, quality: float) -> str:
    """Return the HTML of an alert's score; an erasure in the page replaces it without Jinja."""
    width = 100 * min(max(score, 0.0), 1.0)
    return (
        f'<div class="meter" role="img" aria-label="Score {score:.3f}, threshold {threshold:.2f}">'
        f'<div class="rail"><i style="width:{width:.1f}%"></i>'
        f'<u style="left:{100 * threshold:.1f}%"></u></div>'
        f"<p><span>Score <b>{score:.3f}</b></span><span>threshold {threshold:.2f}</span>"
        f"<span>quality {quality:.0f}</span></p></div>"
    )


def _data_uri(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{b64encode(jpeg).decode()}" if jpeg else ""
