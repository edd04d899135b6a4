"""The baselines of a run: each is recorded before its index is searched, except after a removal.

The thread that offers a new index hashes and records the baseline of the index. The matching thread
then starts to use index and baseline together, between two frames. A removal from the list does not
wait for the record, since the id of a baseline is derived from its content. In this case the
baseline is recorded afterwards, as soon as the records accept it.
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
    """Records the baselines of a run, and passes each baseline on with its index."""

    def __init__(self, records: Records, conditions: Conditions, problems: list[str]) -> None:
        """Start without a baseline.

        Args:
            records: Records of the baselines.
            conditions: Threshold, models, rules and camera inputs of the run.
            problems: Problems of the run. A warning is added if the threshold does not fit the
                list; each later warning about the threshold replaces this warning.
        """
        self._records = records
        self._in_use = BaselineInUse(
            conditions, on_threshold_warning=self._report_threshold_warning
        )
        self._problems, self._threshold_warning = problems, ""
        self._unrecorded: list[BaselineAdoption] = []  # in use, but not in the records yet
        self._lock = Lock()
        self._new_index: tuple[ExactIndex, BaselineRef] | None = None

    def offer(self, index: ExactIndex) -> None:
        """Record the baseline of a new index; call this method from one thread at a time.

        Raises:
            Unavailable: The records do not accept the baseline; offer the index again.
        """
        baseline = self._in_use.baseline_for(index)
        adoption = self._in_use.plan_adoption(baseline)
        is_removal = self._only_removes_entries(baseline)
        if is_removal:
            self._unrecorded.append(adoption)
            self._put_in_use(index, adoption, adoption.ref)
        while self._unrecorded:
            self._record(self._unrecorded[0])
            del self._unrecorded[0]
        if not is_removal:
            self._put_in_use(index, adoption, self._record(adoption))

    def pop_new_index(self) -> tuple[ExactIndex, BaselineRef] | None:
        """Return the newest index with its baseline; None if it was returned already, or is absent.

        Any thread may call this method.
        """
        with self._lock:
            new_index, self._new_index = self._new_index, None
        return new_index

    def _record(self, adoption: BaselineAdoption) -> BaselineRef:
        opening = open_baseline(adoption, records=self._records, at=datetime.now(UTC), alone=True)
        return opening.ref

    def _report_threshold_warning(self, warning: str) -> None:
        if self._threshold_warning in self._problems:
            self._problems[self._problems.index(self._threshold_warning)] = warning
        else:
            self._problems.append(warning)
        self._threshold_warning = warning

    def _only_removes_entries(self, baseline: Baseline) -> bool:
        before = self._in_use.current
        return before is not None and baseline.listed.entries < before.baseline.listed.entries

    def _put_in_use(self, index: ExactIndex, adoption: BaselineAdoption, ref: BaselineRef) -> None:
        self._in_use.adopt(adoption)
        with self._lock:
            self._new_index = index, ref
