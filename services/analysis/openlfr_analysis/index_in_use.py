"""A worker's list and baseline: prepared in the thread that brings a list, taken up in another.

An index comes from the thread that reads control.v1, which also hashes it. The thread that looks at
frames takes it up between two batches, with the baseline that it makes, so that no frame is matched
with one list and counted under another. What is taken up is logged before.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

import structlog

from openlfr.domain.baseline_in_use import BaselineInUse

if TYPE_CHECKING:
    from openlfr.adapters.milvus.index import MilvusIndex
    from openlfr.domain.baseline_openings import BaselineAdoption
    from openlfr.domain.baselines import Baseline, Conditions
    from openlfr.pipeline import Analyser
    from openlfr.stages.search import ExactIndex

    _Index = ExactIndex | MilvusIndex

log = structlog.get_logger()


class IndexInUse:
    """Which list a worker matches with, and under which baseline.

    Attributes:
        threshold: From which score a track is a sighting; nothing is one before `begin`.
    """

    threshold = 1.0

    def __init__(self, analyser: Analyser) -> None:
        """Have no list yet; what comes before `begin` is kept until then."""
        self._analyser = analyser
        self._lock = Lock()
        self._ready: tuple[_Index, Baseline | None] | None = None
        self._in_use: BaselineInUse | None = None

    def offer(self, index: _Index) -> None:
        """Match with this index from the next batch on; one thread calls it."""
        baseline = self._in_use.baseline_for(index) if self._in_use else None
        with self._lock:
            self._ready = index, baseline

    def begin(self, conditions: Conditions) -> None:
        """Match under these conditions; log the threshold, and where it comes from."""
        threshold = conditions.threshold
        log.info(
            "threshold",
            value=threshold.value,
            origin=threshold.origin,
            listed=threshold.list_size,
            why=threshold.describe(),
        )
        self._analyser.set_threshold(threshold.value)
        self.threshold = threshold.value
        self._in_use = BaselineInUse(conditions, on_doubt=_log_doubt)

    def take(self) -> BaselineAdoption | None:
        """Match with what came last; the baseline that begins with it, where it is another one.

        The thread that looks at frames calls it.
        """
        if self._in_use is None:
            return None
        with self._lock:
            ready, self._ready = self._ready, None
        if ready is None:
            return None
        index, baseline = ready
        adoption = self._in_use.plan_adoption(baseline or self._in_use.baseline_for(index))
        if adoption is not self._in_use.current:
            listed = adoption.baseline.listed
            log.info(
                "baseline",
                id=adoption.ref.baseline_id,
                list_root=listed.root,
                references=listed.references,
                former=adoption.previous_baseline_id,
            )
        self._analyser.use_index(index)
        return adoption if self._in_use.adopt(adoption) else None

    @property
    def doubt(self) -> str:
        """Why the threshold is not what it was chosen as with this list; empty while it is."""
        return self._in_use.doubt if self._in_use else ""


def _log_doubt(why: str) -> None:
    log.warning("threshold_outgrown", why=why)
