"""Output of `openlfr passage result`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlfr.domain.passages import TOLERANCE
from openlfr.operations.recognition_rate import MIN_SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openlfr.operations.intervals import Interval
    from openlfr.operations.passage_results import PassageGroup, PassageRate, PassageResult

_TOLERANCE_S = TOLERANCE.total_seconds()
NOT_MEASURED = "Not measured: no passage of a control subject is logged."


def format_result(result: PassageResult) -> Iterator[str]:
    """Yield the result as lines of text."""
    deployment = result.deployment
    yield f"{deployment.name} ({deployment.deployment_id})"
    not_logged = len(result.not_logged)
    yield f"  {_count(result.planned, 'passage')} planned, {not_logged} of them never logged"
    for plan_id in result.not_logged:
        yield f"    {plan_id}"
    for plan_id, why in sorted(result.altered.items()):
        yield f"  {plan_id} was altered in the database ({why}), and is in no figure"
    if not result.groups:
        yield NOT_MEASURED
        return
    for group in result.groups:
        yield from _format_group(group, is_only=len(result.groups) == 1)
    if len(result.groups) > 1:
        yield (
            "These figures are not added up, since model, rules or threshold differ between them."
        )
    yield (
        "A passage is found if a sighting of its subject by one of its cameras was recorded, from "
        f"{_TOLERANCE_S:g} s before the walk to {_TOLERANCE_S:g} s after it."
    )
    if any(group.whole.unknown for group in result.groups):
        yield (
            "A result is unknown if an alert of the same camera and time was erased, with its "
            "subject, before the walk was logged. The rate is a range, which covers both results."
        )
    if any(group.whole.interval is None for group in result.groups):
        yield f"With fewer than {MIN_SUBJECTS} subjects there are only counts."
    if result.upper_bound:
        yield f"Cooperative subjects: an upper bound for listed people, since {result.upper_bound}."


def result_as_json(result: PassageResult) -> dict[str, object]:
    """Return the result as JSON values."""
    return {
        "deployment_id": result.deployment.deployment_id,
        "planned": result.planned,
        "not_logged": len(result.not_logged),
        "plans_not_logged": list(result.not_logged),
        "altered": dict(result.altered),
        "measured": bool(result.groups),
        "tolerance_s": _TOLERANCE_S,
        "min_subjects": MIN_SUBJECTS,
        "upper_bound": result.upper_bound,
        "groups": [
            {
                "baselines": list(each.baselines),
                "threshold": each.threshold,
                "whole": _rate_as_json(each.whole),
                "by_camera": {name: _rate_as_json(r) for name, r in each.by_camera.items()},
            }
            for each in result.groups
        ],
    }


def _format_group(group: PassageGroup, *, is_only: bool) -> Iterator[str]:
    if not is_only:
        numbers = ", ".join(map(str, group.baselines))
        threshold = "" if group.threshold is None else f", threshold {group.threshold:.3f}"
        none_recorded = group.threshold is None
        yield "Without a recorded baseline" if none_recorded else f"Baseline {numbers}{threshold}"
    yield f"  found in {_format_rate(group.whole)}"
    for camera, rate in group.by_camera.items():
        yield f"    {camera}: {_format_rate(rate)}"


def _format_rate(rate: PassageRate) -> str:
    total = rate.found + rate.missed + rate.unknown
    unknown = f", {rate.unknown} unknown" if rate.unknown else ""
    counts = f"{rate.found} of {_count(total, 'passage')} of {_count(rate.subjects, 'subject')}"
    if rate.rate is None or rate.interval is None:
        return f"{counts}{unknown}"
    low, high = rate.rate
    share = f"{low:.2f}" if low == high else f"{low:.2f} to {high:.2f}"
    return (
        f"{counts}{unknown}: recognition rate (TPIR) {share}, "
        f"95% interval {rate.interval.low:.2f} to {rate.interval.high:.2f}"
    )


def _rate_as_json(rate: PassageRate) -> dict[str, object]:
    return {
        "found": rate.found,
        "missed": rate.missed,
        "unknown": rate.unknown,
        "subjects": rate.subjects,
        "tpir": _ends(rate.rate),
        "interval": _ends(rate.interval),
    }


def _ends(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
