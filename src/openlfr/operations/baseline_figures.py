"""Figures by baseline, and sums of comparable baselines, for a run and for a city.

Numbers of faces and tracks, and scores, come from the tallies of the baseline. An alert event
counts for the baseline that opened last before the event. In a city two baselines are in use for a
moment, since workers apply a change one after the other.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from openlfr.domain.alerts import EventKind
from openlfr.domain.baseline_figures import BaselineFigures, FiguresByBaseline, Pool
from openlfr.domain.baseline_openings import opening_at, opening_of
from openlfr.domain.counts import add_up
from openlfr.operations.camera_counts import counts_of_totals

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from openlfr.domain.alert_records import RecordedEvent
    from openlfr.domain.baseline_openings import Opening
    from openlfr.domain.counts import CameraCounts
    from openlfr.ports import BaselineRecords, Tallies

EVERYTHING = "all cameras"


def figures_by_baseline(
    baselines: BaselineRecords,
    tallies: Tallies,
    deployment: str,
    events: Iterable[RecordedEvent],
    *,
    epoch: int | None = None,
) -> FiguresByBaseline:
    """Add up the counts of each baseline, and of each pool of baselines, of a deployment.

    Counts of an altered baseline are added to number 0, like counts without a baseline.

    Args:
        baselines: Recorded baselines.
        tallies: Recorded tallies.
        deployment: Id of the deployment.
        events: The alert events of the same deployment and epoch.
        epoch: A single epoch, which is one run of one process; only the baselines of that run are
            returned. None for all epochs.
    """
    known = list(baselines.openings_of(deployment))
    parts: dict[int, list[CameraCounts]] = {}
    for ref, (totals, histograms) in tallies.by_baseline(deployment, epoch=epoch).items():
        counts = counts_of_totals(EVERYTHING, totals, histograms)
        parts.setdefault(_valid_number(opening_of(known, ref)), []).append(counts)
    raised: Counter[tuple[int, EventKind]] = Counter()
    for each in events:
        raised[valid_number_at(known, each.emitted_at), each.event.event] += 1
    figures = []
    numbers = {number for number, _ in raised} | parts.keys()
    numbers |= {each.number for each in known if epoch is None or each.alteration}
    by_number = {each.number: each for each in known}
    for number in sorted(numbers):
        counts = replace(
            add_up(tuple(parts.get(number, ())), EVERYTHING),
            alerts_opened=raised[number, EventKind.OPENED],
            alerts_joined=raised[number, EventKind.JOINED],
        )
        later = by_number.get(number + 1) if number else None
        until = later.opened_at if later else None
        figures.append(BaselineFigures(by_number.get(number), until, counts))
    return FiguresByBaseline(tuple(figures), tuple(_pools(figures)))


def valid_number_at(openings: Sequence[Opening], at: datetime) -> int:
    """Return the number of the baseline at a time, UTC; 0 without one, or if it was altered."""
    return _valid_number(opening_at(openings, at))


def _valid_number(opening: Opening | None) -> int:
    """Return the number of the baseline; 0 without a baseline, or if its record was altered."""
    return opening.number if opening and not opening.alteration else 0


def _pools(figures: Sequence[BaselineFigures]) -> list[Pool]:
    """Add up baselines with the same model, rules and threshold."""
    named = [
        (each.opening, each.counts)
        for each in figures
        if each.opening is not None and not each.opening.alteration
    ]
    groups: dict[tuple[object, ...], list[tuple[Opening, CameraCounts]]] = {}
    for opening, counts in named:
        groups.setdefault(opening.baseline.pool, []).append((opening, counts))
    pools = [
        (tuple(opening.number for opening, _ in members), members[0][0].baseline, members)
        for members in groups.values()
    ]
    return [
        Pool(
            numbers,
            add_up(tuple(counts for _, counts in members), EVERYTHING),
            tuple(
                (others, first.differs_in(other)) for others, other, _ in pools if others != numbers
            ),
        )
        for numbers, first, members in pools
    ]
