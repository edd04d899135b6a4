"""The figures of a deployment as one row of a table, to compare deployments.

The first columns are those that the Home Office publishes per deployment, in its order. A value
that is not recorded is empty, never 0.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from openlfr.domain.alert_results import US_PER_HOUR
from openlfr.domain.counts import add_up
from openlfr.domain.errors import BadInput, Unavailable
from openlfr.domain.watching import UnwatchedReason
from openlfr.domain.watchlist import DEFAULT_CATEGORIES
from openlfr.operations.report import replace_private
from openlfr.operations.report.canonical import share_text

if TYPE_CHECKING:
    from pathlib import Path

    from openlfr.domain.alert_results import FalseAlerts
    from openlfr.domain.baselines import Baseline
    from openlfr.domain.counts import CameraCounts
    from openlfr.domain.summary import RunSummary

RATES = ("searched_track", "face_seen", "alert", "watched_hour")


def render_table(summary: RunSummary) -> bytes:
    """Render the row below its header, as CSV (RFC 4180) in UTF-8."""
    row = row_of(summary)
    text = io.StringIO()
    csv.writer(text).writerows([row.keys(), row.values()])
    return text.getvalue().encode()


def write_table(summary: RunSummary, path: Path) -> None:
    """Write the table into a file that only its owner can read; an older file is replaced.

    Raises:
        BadInput: The path is a folder or a device.
        Unavailable: The file cannot be written.
    """
    target = path.resolve()  # a link stays, and its file is replaced
    if target.exists() and not target.is_file():
        raise BadInput(f"{path} is not a regular file, so no table is written: choose a file.")
    try:
        replace_private(target, render_table(summary))
    except OSError as error:
        raise Unavailable(
            f"The table {path} cannot be written: {error.strerror or error}. Free some space, or "
            "choose another file."
        ) from error


def row_of(summary: RunSummary) -> dict[str, str]:
    """Return the row: texts by column; values that are not recorded are empty."""
    total = add_up(summary.cameras)
    values = (
        _published(summary, total)
        | _recognition(summary)
        | _denominators(summary, total)
        | _false_alerts(summary)
        | _unwatched(total)
        | _listed(_last_baseline(summary))
        | _stops(summary)
    )
    return {name: _text(value) for name, value in values.items()}


def _published(summary: RunSummary, total: CameraCounts) -> dict[str, object]:
    """Return the columns of the Home Office; refuted alerts are its incorrect alerts."""
    results, first, last = summary.results, total.first_captured_at, total.last_captured_at
    baseline = _last_baseline(summary)
    rate = results.refuted / total.tracks_closed if results and total.tracks_closed else None
    return {
        "date": first and first.date().isoformat(),
        "type": None,
        "duration_hours": _hours((last - first).total_seconds() * 1e6) if first and last else None,
        "cameras": len(summary.cameras),
        "watchlist_number": baseline and baseline.listed.subjects,
        "threshold": share_text(summary.threshold.value),
        "total_alerts": results and results.alerts,
        "positive_alerts": results and results.confirmed,
        "interventions_after_positive": results and results.engaged_confirmed,
        "incorrect_alerts": results and results.refuted,
        "interventions_after_incorrect": results and results.engaged_refuted,
        "arrests_or_disposals": None,
        "faces_seen": total.tracks_closed,
        "incorrect_alert_rate": _share(rate),
    }


def _recognition(summary: RunSummary) -> dict[str, object]:
    """Return the true recognition rate; empty if not measured, or not under one threshold."""
    rates = summary.recognition.rates if summary.recognition else ()
    one = rates[0] if len(rates) == 1 else None
    is_known = one is not None and one.lowest == one.highest
    return {
        "tpir": _share(one.lowest if one and is_known else None),
        "tpir_low": _share(one.interval_low if one else None),
        "tpir_high": _share(one.interval_high if one else None),
        "control_subjects": one and one.subjects,
        "passages": one and one.passages,
        "passages_found": one and one.found,
    }


def _share(share: float | None) -> str | None:
    return None if share is None else share_text(share)


def _denominators(summary: RunSummary, total: CameraCounts) -> dict[str, object]:
    results = summary.results
    return {
        "unverified_alerts": results and results.unverified,
        "control_alerts": results and results.control_alerts,
        "searched_tracks": total.tracks_searched,
        "watched_hours": _hours(total.watched_us) if _is_time_recorded(total) else None,
    }


def _false_alerts(summary: RunSummary) -> dict[str, object]:
    """Return the rates if all figures may be added up, else empty values."""
    whole = find_whole(summary)
    rates = {rate.per: rate for rate in whole.rates} if whole else {}
    values: dict[str, object] = {}
    for per in RATES:
        for name in ("lowest", "highest", "interval_low", "interval_high"):
            rate = rates.get(per)
            values[f"false_per_{per}_{name}"] = share_text(getattr(rate, name)) if rate else None
    bound = whole.silence if whole else None
    return values | {
        "silence_tracks": bound and bound.tracks,
        "silence_tracks_per_walker": bound and share_text(bound.tracks_per_walker),
        "silence_tracks_per_walker_measured": bound and ("yes" if bound.is_measured else "no"),
        "silence_one_sided": bound and share_text(bound.one_sided),
        "silence_two_sided": bound and share_text(bound.two_sided),
    }


def find_whole(summary: RunSummary) -> FalseAlerts | None:
    """Return the false alerts of the whole deployment; None if its figures may not be added up."""
    numbers = {each.number for each in summary.baselines if each.is_displayed}
    return next((each for each in summary.false_alerts if set(each.numbers) == numbers), None)


def _unwatched(total: CameraCounts) -> dict[str, object]:
    is_recorded = _is_time_recorded(total)
    return {
        f"unwatched_hours_{reason}": _hours(total.unwatched_us.get(reason, 0))
        if is_recorded
        else None
        for reason in UnwatchedReason
    }


def _is_time_recorded(total: CameraCounts) -> bool:
    """Return False for tallies of versions that did not measure the watched time."""
    return bool(total.watched_us or total.unwatched_us or not total.frames_analysed)


def _listed(baseline: Baseline | None) -> dict[str, object]:
    """Return the people of each category; the default categories come first."""
    people: dict[str, int | None] = dict.fromkeys(DEFAULT_CATEGORIES, 0)
    for part in baseline.listed.parts if baseline else ():
        category = part.category or "without_category"
        before = people.get(category, 0)
        unknown = part.subjects is None or before is None
        people[category] = None if unknown else (before or 0) + (part.subjects or 0)
    if baseline is None:
        people = dict.fromkeys(people)
    return {f"listed_{category}": number for category, number in people.items()}


def _stops(summary: RunSummary) -> dict[str, object]:
    results = summary.results
    return {
        "minutes_stopped": results and results.minutes_stopped,
        "stops_without_minutes": results and results.stops_without_minutes,
        "deployment_id": summary.deployment_id,
        "status": summary.ended_how,
    }


def _last_baseline(summary: RunSummary) -> Baseline | None:
    openings = [each.opening for each in summary.baselines if each.opening is not None]
    valid = [opening.baseline for opening in openings if not opening.alteration]
    return valid[-1] if valid else None


def _hours(microseconds: float) -> str:
    return share_text(microseconds / US_PER_HOUR)


def _text(value: object) -> str:
    """Return the text of a value; empty for None. No text becomes a formula of a spreadsheet."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
