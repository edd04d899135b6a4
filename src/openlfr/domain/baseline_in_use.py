"""The baseline under which a process works: its list changes, its conditions do not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openlfr.domain.baseline_openings import BaselineAdoption
from openlfr.domain.listing import ListState

if TYPE_CHECKING:
    from collections.abc import Callable

    from openlfr.domain.baselines import Baseline, Conditions
    from openlfr.domain.listing import SearchedIndex


class BaselineInUse:
    """The baseline that a process has adopted, and whether its threshold still suits the list.

    The thread that builds a new index calls `baseline_for`, which takes a while for a long list.
    The thread that matches calls `adopt`.

    Attributes:
        doubt: Why the threshold's stated basis no longer holds; empty while it holds.
    """

    def __init__(
        self,
        conditions: Conditions,
        *,
        on_doubt: Callable[[str], None] = lambda _: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Start without a baseline.

        Args:
            conditions: Everything that makes a baseline except the list.
            on_doubt: Called with the reason when the threshold no longer fits the list, and again
                when the reason changes.
            clock: Returns the time in UTC.
        """
        self._conditions = conditions
        self._on_doubt = on_doubt
        self._clock = clock
        self._current: BaselineAdoption | None = None
        self._is_described = conditions.threshold.outgrown_by(
            0
        )  # `describe` states it at the start
        self.doubt = ""

    def baseline_for(self, index: SearchedIndex) -> Baseline:
        """The baseline with the list of this index; safe from any thread."""
        return self._conditions.with_list(ListState.of(index))

    @property
    def current(self) -> BaselineAdoption | None:
        """The last adoption; None before the first one."""
        return self._current

    def plan_adoption(self, baseline: Baseline) -> BaselineAdoption:
        """The adoption to record before `adopt`; the current one where the baseline is the same."""
        if self._current is not None and self._current.ref.baseline_id == baseline.baseline_id:
            return self._current
        previous = self._current.ref.baseline_id if self._current else ""
        return BaselineAdoption(baseline, self._clock(), previous)

    def adopt(self, adoption: BaselineAdoption) -> bool:
        """Work under a baseline from now on; True if it is another one than before."""
        before, self._current = self._current, adoption
        doubt_before, self.doubt = self.doubt, adoption.baseline.threshold.doubt
        if self.doubt and self.doubt != doubt_before and not self._is_described:
            self._on_doubt(self.doubt)
        return before is None or before.ref != adoption.ref
