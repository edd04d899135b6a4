"""The numbered baselines of a deployment, and the baseline to which a process or tally belongs.

Each process computes the id of a baseline by itself, and adopts a new baseline when its list
changes. The records number the baselines of a deployment in the order of their opening. A baseline
that returns after another one gets a new number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openlfr.domain.baselines import Baseline

_ADOPTION_SPREAD = timedelta(seconds=5)
"""Longest time by which a worker may adopt a baseline before the worker that opened it."""


@dataclass(frozen=True, slots=True)
class BaselineRef:
    """The baseline under which a tally was counted.

    Attributes:
        baseline_id: Empty if the counting process has no baseline.
        adopted_at: Time at which the counting process adopted the baseline, UTC; None without a
            baseline.
    """

    baseline_id: str = ""
    adopted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BaselineAdoption:
    """The start of a process's work under a baseline.

    Attributes:
        adopted_at: UTC.
        previous_baseline_id: The process's previous baseline; empty at the start of the process.
    """

    baseline: Baseline
    adopted_at: datetime
    previous_baseline_id: str = ""

    @property
    def ref(self) -> BaselineRef:
        """The reference in tallies that were counted under this adoption."""
        return BaselineRef(self.baseline.baseline_id, self.adopted_at)


@dataclass(frozen=True, slots=True)
class Opening:
    """A recorded baseline of a deployment, with its number and the time when it opened.

    Attributes:
        number: Position among the deployment's baselines, from 1.
        baseline_id: Hash of `baseline`; two openings have the same hash if a baseline returned.
        opened_at: UTC.
        changes: Each change from the previous baseline, as a sentence fragment.
        alteration: How the row was altered in the database, as the end of a sentence; empty if it
            was not altered. No figures are claimed under an altered baseline.
    """

    number: int
    baseline_id: str
    opened_at: datetime
    changes: tuple[str, ...]
    baseline: Baseline
    alteration: str = ""

    @property
    def ref(self) -> BaselineRef:
        """The reference in tallies of the process that opened this baseline."""
        return BaselineRef(self.baseline_id, self.opened_at)


def find_opening(
    openings: Sequence[Opening], adoption: BaselineAdoption, *, is_alone: bool = False
) -> Opening | None:
    """Return the recorded opening of an adoption; None if the adoption opens a new baseline.

    Args:
        openings: The deployment's openings, by number.
        adoption: The adoption of a baseline by the process.
        is_alone: Whether no other process works for the deployment. If so, only the last opening
            can match. Otherwise another process may have opened this baseline already, and then a
            further baseline.
    """
    ref = adoption.ref
    if is_alone:
        last = openings[-1] if openings else None
        return (
            last if last and last.baseline_id == ref.baseline_id and not last.alteration else None
        )
    same = [
        each for each in openings if each.baseline_id == ref.baseline_id and not each.alteration
    ]
    opening = opening_of(same, ref)
    if opening is None or opening.ref == ref:
        return opening
    between = [
        each for each in openings if opening.opened_at < each.opened_at < adoption.adopted_at
    ]
    if between and adoption.previous_baseline_id == between[-1].baseline_id != ref.baseline_id:
        return None  # the process returned from another baseline, so this baseline opens again
    return opening


def opening_of(openings: Sequence[Opening], ref: BaselineRef) -> Opening | None:
    """Return the opening to which a reference belongs, among the openings of the same baseline.

    Returns:
        The opening at the time of adoption, else the last opening before the adoption (5 s after it
        at the latest), else the first opening; None if no opening has this baseline.
    """
    same = [each for each in openings if each.baseline_id == ref.baseline_id]
    exact = [each for each in same if each.opened_at == ref.adopted_at]
    if exact or not same:
        return exact[-1] if exact else None
    if ref.adopted_at is None:
        return same[-1]
    latest = ref.adopted_at + _ADOPTION_SPREAD
    return next((each for each in reversed(same) if each.opened_at <= latest), same[0])


def opening_at(openings: Sequence[Opening], at: datetime) -> Opening | None:
    """Return the last opening before a time, UTC.

    Returns:
        The first opening if no opening is before the time; None without openings.
    """
    opened = [each for each in openings if each.opened_at <= at]
    return max(opened, key=lambda each: each.opened_at, default=openings[0] if openings else None)


def next_opening(openings: Sequence[Opening], adoption: BaselineAdoption) -> Opening:
    """Return the new opening that an adoption adds, without the hashes of the listed entries."""
    previous = openings[-1].baseline if openings and not openings[-1].alteration else None
    return Opening(
        (openings[-1].number if openings else 0) + 1,
        adoption.baseline.baseline_id,
        adoption.adopted_at,
        adoption.baseline.changes_from(previous),
        replace(adoption.baseline, listed=replace(adoption.baseline.listed, entries=frozenset())),
    )
