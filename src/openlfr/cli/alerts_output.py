"""Prints alerts: a table of several alerts, the facts of one alert, or JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from openlfr.domain.text import escape_line
from openlfr.terminal import say

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from openlfr.domain.adjudication import Case, RecordedOutcome, Verdict
    from openlfr.domain.alert_records import RecordedAlert, RecordedEvent


def print_second_looks(alerts: Sequence[RecordedAlert], *, as_json: bool) -> None:
    """Print the alerts that need a second verdict, without the first verdict."""
    if not alerts and not as_json:
        say("No alert needs a second verdict.")
    for alert in alerts:
        final_at = _iso_time(alert.settle_at)
        if as_json:
            values = {"alert_id": alert.alert_id, "subject": alert.subject, "settle_at": final_at}
            say(json.dumps(values, ensure_ascii=False))
        else:
            about = escape_line(alert.subject_label)
            say(f"{alert.alert_id[:8]}  {about}, final automatically at {final_at}")


def print_alerts(alerts: Sequence[RecordedAlert], *, undecided: bool, as_json: bool) -> None:
    """Print a line for each alert.

    Args:
        alerts: The alerts, in the order of printing.
        undecided: Whether the list contains only undecided alerts.
        as_json: Whether to print one JSON object per line.
    """
    if as_json:
        for alert in alerts:
            say(json.dumps(_as_json(alert), ensure_ascii=False))
        return
    if not alerts:
        say("No alert is open." if undecided else "There are no alerts.")
        return
    rows = [
        ("ALERT", "LAST SEEN (UTC)", "SUBJECT", "SIGHTINGS", "SCORE", "DECISION", "OUTCOME", "")
    ]
    rows += [
        (
            alert.alert_id[:8],
            alert.last_at.strftime("%Y-%m-%d %H:%M:%S"),
            escape_line(alert.subject_label),
            str(alert.events),
            f"{alert.best_score:.3f}",
            str(alert.adjudication or alert.state),
            str(alert.outcome or ""),
            "IMPOSSIBLE" if alert.impossible else "",
        )
        for alert in alerts
    ]
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        say(line.rstrip())


def print_alert(
    alert: RecordedAlert, case: Case, events: Sequence[RecordedEvent], *, as_json: bool
) -> None:
    """Print the facts, verdicts, outcomes and sightings of one alert."""
    if as_json:
        values = _as_json(alert)
        values["verdicts"] = [_verdict_as_json(each) for each in case.verdicts]
        values["outcomes"] = [_outcome_as_json(each) for each in case.outcomes]
        values["sightings"] = [_event_as_json(event) for event in events]
        say(json.dumps(values, ensure_ascii=False))
    else:
        _print_facts(alert, case, events)


def _print_facts(alert: RecordedAlert, case: Case, events: Sequence[RecordedEvent]) -> None:
    from openlfr.operations.show_alert import SCORE_NOTE, list_facts

    for name, value in list_facts(alert, case):
        say(f"{name:<11} {escape_line(value)}")
    say()
    for event in events:
        sighting = event.event.sighting
        x, y, w, h = (round(value) for value in sighting.box)
        box = f"box {x},{y} {w}x{h}" if w else "position erased"
        assumed = " (recording, time assumed)" if sighting.time_assumed else ""
        say(
            f"{event.event.event_id[:8]}  {event.event.event:<7} "
            f"{sighting.captured_at:%Y-%m-%d %H:%M:%S.%f} UTC{assumed}  {_format_place(event)}  "
            f"{box}  score {sighting.score:.3f}  quality {sighting.quality:.0f}  "
            f"{_describe_evidence(event)}"
        )
        if event.event.impossible is not None:
            say(f"        IMPOSSIBLE: {event.event.impossible}")
    say(f"\n{SCORE_NOTE}")


def _format_place(event: RecordedEvent) -> str:
    sighting = event.event.sighting
    return "rejected" if event.rejected_at else f"{sighting.camera} frame {sighting.seq}"


def _describe_evidence(event: RecordedEvent) -> str:
    if event.evidence:
        return "evidence stored"
    was_never_stored = event.event.sighting.box.w  # an erasure also clears the box
    return "no picture was stored" if was_never_stored else "no evidence"


def _as_json(alert: RecordedAlert) -> dict[str, Any]:
    return {
        "alert_id": alert.alert_id,
        "deployment": alert.deployment,
        "subject": alert.subject or None,
        "watchlist": alert.watchlist,
        "opened_at": alert.opened_at.isoformat(),
        "last_at": alert.last_at.isoformat(),
        "best_score": alert.best_score,
        "threshold": alert.threshold,
        "events": alert.events,
        "state": alert.state,
        "version": alert.version,
        "adjudication": alert.adjudication,
        "outcome": alert.outcome,
        "decided_at": _iso_time(alert.decided_at),
        "lapse_at": _iso_time(alert.lapse_at),
        "lapsed_at": _iso_time(alert.lapsed_at),
        "settle_at": _iso_time(alert.settle_at),
        "closed_at": _iso_time(alert.closed_at),
        "erased_at": _iso_time(alert.erased_at),
        "impossible": alert.impossible,
    }


def _iso_time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _verdict_as_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "verdict_id": verdict.verdict_id,
        "kind": verdict.kind,
        "adjudication": verdict.adjudication,
        "reason": verdict.judgement.reason,
        "note": verdict.judgement.note,
        "by": verdict.by.name,
        "decided_at": verdict.decided_at.isoformat(),
        "final_at": verdict.final_at.isoformat(),
        "withdrawn_at": _iso_time(verdict.withdrawn_at),
    }


def _outcome_as_json(outcome: RecordedOutcome) -> dict[str, Any]:
    return {
        "outcome": outcome.outcome,
        "by": outcome.by.name,
        "at": outcome.at.isoformat(),
        "minutes_stopped": outcome.minutes_stopped,
        "note": outcome.note,
        "sealed_until": _iso_time(outcome.sealed_until),
    }


def _event_as_json(event: RecordedEvent) -> dict[str, Any]:
    sighting = event.event.sighting
    return {
        "event": event.event.event,
        "event_id": event.event.event_id,
        "rejected_at": _iso_time(event.rejected_at),
        "camera": sighting.camera or None,
        "frame_index": sighting.seq,
        "captured_at": sighting.captured_at.isoformat(),
        "time_assumed": sighting.time_assumed,
        "emitted_at": event.emitted_at.isoformat(),
        "box": list(sighting.box) if sighting.box.w else None,
        "score": sighting.score,
        "threshold": sighting.threshold,
        "quality": sighting.quality,
        "reference_id": sighting.reference_id,
        "evidence": event.evidence is not None,
        "impossible": asdict(event.event.impossible) if event.event.impossible else None,
    }
