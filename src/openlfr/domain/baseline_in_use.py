"""The baseline that a process is in: one list after the other under the same conditions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openlfr.domain.baselines import TakenUp
from openlfr.domain.listing import ListState

if TYPE_CHECKING:
    from collections.abc import Callable

    from openlfr.domain.baselines import Baseline, Conditions
    from openlfr.domain.listing import Searched


class BaselineInUse:
    """What a process matches with, and whether its threshold still suits the list.

    `prepare` is for the thread that brings a new index, since a long list takes a moment;
    `take_up` for the one that matches.

    Attributes:
        doubt: Why the threshold is not what it was chosen as; empty while it is.
    """

    def __init__(
        self,
        conditions: Conditions,
        *,
        on_doubt: Callable[[str], None] = lambda _: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Be in none yet.

        Args:
            conditions: All but the list.
            on_doubt: Is told once why the threshold no longer is what it was chosen as.
            clock: UTC.
        """
        self._conditions = conditions
        self._on_doubt = on_doubt
        self._clock = clock
        self._now: TakenUp | None = None
        self._doubted = conditions.threshold.outgrown_by(0)  # then `describe` says it already
        self.doubt = ""

    def prepare(self, index: Searched) -> Baseline:
        """The baseline that this index makes; any thread may ask."""
        return self._conditions.with_list(ListState.of(index))

    @property
    def now(self) -> TakenUp | None:
        """The baseline that was taken up last."""
        return self._now

    def begin(self, baseline: Baseline) -> TakenUp:
        """What taking a baseline up will be, from which it may be recorded before it is done."""
        if self._now is not None and self._now.mark.baseline == baseline.baseline_id:
            return self._now
        former = self._now.mark.baseline if self._now else ""
        return TakenUp(baseline, self._clock(), former)

    def take_up(self, taken: TakenUp) -> bool:
        """Be in it from now on; whether that is another one than before."""
        before, self._now = self._now, taken
        self.doubt = taken.baseline.threshold.doubt
        if self.doubt and not self._doubted:
            self._doubted = True
            self._on_doubt(self.doubt)
        return before is None or before.mark != taken.mark
