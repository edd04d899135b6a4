"""Formats a deployment's baselines, for `openlfr deployment show`."""

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


def format_baselines(figures: FiguresByBaseline, ended_at: datetime | None = None) -> Iterator[str]:
    """Yield some lines for each baseline, then the sums of comparable baselines.

    Args:
        figures: Figures of a deployment.
        ended_at: When the deployment was stopped, UTC; None if it is not stopped.
    """
    displayed = [each for each in figures.baselines if each.is_displayed]
    if not displayed:
        return
    yield "baselines (list, threshold, models, rules and camera inputs unchanged; times UTC):"
    for each in displayed:
        yield from _format_baseline(each, ended_at)
    for pool in figures.pools:
        pooled = _join_numbers(pool.numbers)
        if len(pool.numbers) > 1:
            counts = _format_counts(pool.counts)
            yield f"  {pooled} together (same model, rules and threshold): {counts}"
        for numbers, differences in pool.other_pools:
            if numbers > pool.numbers:  # each pair once
                others = _join_numbers(numbers)
                yield f"  {others} not added to {pooled}: different {' and '.join(differences)}"


def baselines_as_json(figures: FiguresByBaseline) -> dict[str, Any]:
    """Return the figures as JSON values."""
    return {
        "baselines": [_to_json(figures_json(each)) for each in figures.baselines],
        "pools": [_to_json(pool_json(each)) for each in figures.pools],
    }


def _format_baseline(each: BaselineFigures, ended_at: datetime | None) -> Iterator[str]:
    opening = each.opening
    if opening is None:
        yield f"  -  of no recorded baseline: {_format_counts(each.counts)}"
        return
    if opening.alteration:
        yield (
            f"  {each.number}  was altered in the database ({opening.alteration}): its counts are "
            "added to those of no recorded baseline"
        )
        return
    content = opening.baseline
    end = each.until or ended_at
    until = _format_time(end) if end else "now"
    people = content.listed.subjects
    listed = plural(content.listed.references, "reference")
    if people is not None:
        listed += f" of {plural(people, 'person', 'people')}"
    start = _format_time(opening.opened_at)
    yield f"  {each.number}  {start} to {until}: {'; '.join(opening.changes)}"
    yield (
        f"     threshold {content.threshold.value:.3f} ({content.threshold.origin}), {listed}; "
        f"list root {content.listed.root[:16]}; id {opening.baseline_id[:16]}"
    )
    yield f"     {_format_counts(each.counts)}"
    if content.threshold.basis_problem:
        yield f"     {content.threshold.basis_problem}"


def _format_counts(counts: CameraCounts) -> str:
    joined = f" and {counts.alerts_joined:,} joined" if counts.alerts_joined else ""
    return (
        f"{plural(counts.tracks_closed, 'face')} seen, {counts.tracks_searched:,} compared, "
        f"{counts.tracks_matched:,} matched, {plural(counts.alerts_opened, 'alert')}{joined}"
    )


def _join_numbers(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers))


def _format_time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _to_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _to_json(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_to_json(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return _to_json(asdict(value)) if is_dataclass(value) and not isinstance(value, type) else value
