"""The baseline under which a process works; only the list of a process can change."""

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
    """The baseline that a process has adopted, and the fit of its threshold to the list.

    The thread that builds a new index calls `baseline_for`, which is slow for a long list. The
    thread that matches calls `adopt`.

    Attributes:
        threshold_warning: Why the threshold does not fit the list; empty if it does.
    """

    def __init__(
        self,
        conditions: Conditions,
        *,
        on_threshold_warning: Callable[[str], None] = lambda _: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Start without a baseline.

        Args:
            conditions: All parts of a baseline except the list.
            on_threshold_warning: Called with the first warning, and with each different warning;
                never if the list was too long for the threshold at the start.
            clock: Returns the time in UTC.
        """
        self._conditions = conditions
        self._on_threshold_warning = on_threshold_warning
        self._clock = clock
        self._current: BaselineAdoption | None = None
        # If the list was too long at the start, `describe` has already stated the problem.
        self._is_described = conditions.threshold.is_outgrown_by(0)
        self.threshold_warning = ""

    def baseline_for(self, index: SearchedIndex) -> Baseline:
        """Return the baseline with the list of this index; thread-safe."""
        return self._conditions.with_list(ListState.from_index(index))

    @property
    def current(self) -> BaselineAdoption | None:
        """The last adoption; None before the first one."""
        return self._current

    def plan_adoption(self, baseline: Baseline) -> BaselineAdoption:
        """Return the adoption to record before `adopt`; the current one for an equal baseline."""
        if self._current is not None and self._current.ref.baseline_id == baseline.baseline_id:
            return self._current
        previous = self._current.ref.baseline_id if self._current else ""
        return BaselineAdoption(baseline, self._clock(), previous)

    def adopt(self, adoption: BaselineAdoption) -> bool:
        """Start to work under a baseline; return whether the baseline or adoption has changed."""
        before, self._current = self._current, adoption
        previous, warning = self.threshold_warning, adoption.baseline.threshold.basis_problem
        self.threshold_warning = warning
        if warning and warning != previous and not self._is_described:
            self._on_threshold_warning(warning)
        return before is None or before.ref != adoption.ref
