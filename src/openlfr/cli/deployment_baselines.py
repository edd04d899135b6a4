"""Prints a deployment's baselines, for `openlfr deployment show`."""

from __future__ import annotations

from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from openlfr.domain.baseline_figures import figures_json, pool_json
from openlfr.operations.report.figures import plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openlfr.domain.baseline_figures import BaselineFigures, FiguresByBaseline
    from openlfr.domain.counts import CameraCounts


def lines(figures: FiguresByBaseline, ended: datetime | None = None) -> Iterator[str]:
    """A few lines for each baseline, then the sums of baselines that may be added up.

    Args:
        figures: Figures of a deployment.
        ended: When the deployment was stopped, UTC; None while it goes on.
    """
    shown = [each for each in figures.baselines if each.shown]
    if not shown:
        return
    yield "baselines (list, threshold, models, rules and camera inputs unchanged; times UTC):"
    for each in shown:
        yield from _baseline(each, ended)
    for pool in figures.pools:
        ours = _numbers(pool.numbers)
        if len(pool.numbers) > 1:
            yield f"  {ours} together (same model, rules and threshold): {_counted(pool.counts)}"
        for numbers, why in pool.apart:
            if numbers > pool.numbers:  # each pair once
                yield f"  {_numbers(numbers)} not added to {ours}: other {' and '.join(why)}"


def as_json(figures: FiguresByBaseline) -> dict[str, Any]:
    """The figures as JSON values."""
    return {
        "baselines": [_plain(figures_json(each)) for each in figures.baselines],
        "pools": [_plain(pool_json(each)) for each in figures.pools],
    }


def _baseline(each: BaselineFigures, ended: datetime | None) -> Iterator[str]:
    opening = each.opening
    if opening is None:
        yield f"  -  of no recorded baseline: {_counted(each.counts)}"
        return
    if opening.altered:
        yield (
            f"  {each.number}  was altered in the database ({opening.altered}): what was counted "
            "in it is with what is of no recorded baseline"
        )
        return
    content = opening.baseline
    last = each.until or ended
    until = _moment(last) if last else "now"
    people = content.listed.subjects
    listed = plural(content.listed.references, "reference")
    if people is not None:
        listed += f" of {plural(people, 'person', 'people')}"
    yield f"  {each.number}  {_moment(opening.opened_at)} to {until}: {'; '.join(opening.why)}"
    yield (
        f"     threshold {content.threshold.value:.3f} ({content.threshold.origin}), {listed}; "
        f"list root {content.listed.root[:16]}; id {opening.baseline_id[:16]}"
    )
    yield f"     {_counted(each.counts)}"
    if content.threshold.doubt:
        yield f"     {content.threshold.doubt}"


def _counted(counts: CameraCounts) -> str:
    joined = f" and {counts.alerts_joined:,} joined" if counts.alerts_joined else ""
    return (
        f"{plural(counts.tracks_closed, 'face')} seen, {counts.tracks_searched:,} compared, "
        f"{counts.tracks_matched:,} matched, {plural(counts.alerts_opened, 'alert')}{joined}"
    )


def _numbers(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers))


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return _plain(asdict(value)) if is_dataclass(value) and not isinstance(value, type) else value
