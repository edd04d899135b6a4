"""The baselines of a run: each is recorded before frames are matched with it.

The thread that offers a new index hashes and records its baseline; the matching thread then takes
over index and baseline together, between two frames. A removal from the list does not wait for
the record: the baseline's id is derived from its content, and the baseline is recorded right
after, or as soon as the records accept it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING

from openlfr.domain.baseline_in_use import BaselineInUse
from openlfr.operations.baselines import open_baseline

if TYPE_CHECKING:
    from openlfr.domain.baseline_openings import BaselineAdoption, BaselineRef
    from openlfr.domain.baselines import Baseline, Conditions
    from openlfr.ports import Records
    from openlfr.stages.search import ExactIndex


class RunBaselines:
    """Records the baselines of a run, and hands each over with its index."""

    def __init__(self, records: Records, conditions: Conditions, problems: list[str]) -> None:
        """Use no baseline yet.

        Args:
            records: Where baselines are recorded.
            conditions: Threshold, models, rules and camera inputs of the run.
            problems: Problems of the run; one of them states that the threshold no longer fits the
                list, and follows the list as it changes.
        """
        self._records = records
        self._in_use = BaselineInUse(conditions, on_doubt=self._record_doubt)
        self._problems, self._doubt = problems, ""
        self._waiting: list[BaselineAdoption] = []  # in use, and not in the records yet
        self._lock = Lock()
        self._ready: tuple[ExactIndex, BaselineRef] | None = None

    def offer(self, index: ExactIndex) -> None:
        """Record the baseline of a new index; one thread at a time.

        Raises:
            Unavailable: The records do not accept the baseline; offer the index again.
        """
        baseline = self._in_use.baseline_for(index)
        adoption = self._in_use.plan_adoption(baseline)
        leaves = self._only_leaves(baseline)
        if leaves:
            self._waiting.append(adoption)
            self._hand_over(index, adoption, adoption.ref)
        while self._waiting:
            self._record(self._waiting[0])
            del self._waiting[0]
        if not leaves:
            self._hand_over(index, adoption, self._record(adoption))

    def take(self) -> tuple[ExactIndex, BaselineRef] | None:
        """Return a new index and its baseline for the next frame, or None; any thread."""
        with self._lock:
            ready, self._ready = self._ready, None
        return ready

    def _record(self, adoption: BaselineAdoption) -> BaselineRef:
        opening = open_baseline(adoption, records=self._records, at=datetime.now(UTC), alone=True)
        return opening.ref

    def _record_doubt(self, doubt: str) -> None:
        if self._doubt in self._problems:
            self._problems[self._problems.index(self._doubt)] = doubt
        else:
            self._problems.append(doubt)
        self._doubt = doubt

    def _only_leaves(self, baseline: Baseline) -> bool:
        before = self._in_use.current
        return before is not None and baseline.listed.entries < before.baseline.listed.entries

    def _hand_over(self, index: ExactIndex, adoption: BaselineAdoption, ref: BaselineRef) -> None:
        self._in_use.adopt(adoption)
        with self._lock:
            self._ready = index, ref
