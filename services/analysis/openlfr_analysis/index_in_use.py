"""The watchlist index that a worker searches, and the baseline of that index.

The thread that reads control.v1 builds an index and hashes its list. The thread that analyses
frames applies the index and its baseline between two batches. So no frame is matched with one list
and counted under another. The baseline is logged before it is applied.
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
    """The index and the baseline of one worker.

    Attributes:
        threshold: Lowest score of a sighting; before `begin` 1.0, which no score reaches.
    """

    threshold = 1.0

    def __init__(self, analyser: Analyser) -> None:
        """Start without an index; an index offered before `begin` is retained until then."""
        self._analyser = analyser
        self._lock = Lock()
        self._offered: tuple[_Index, Baseline | None] | None = None
        self._has_logged_warning = False
        self._baseline: BaselineInUse | None = None

    def offer(self, index: _Index) -> None:
        """Search this index from the next batch on. Call it from one thread."""
        baseline = self._baseline.baseline_for(index) if self._baseline else None
        with self._lock:
            self._offered = index, baseline

    def begin(self, conditions: Conditions) -> None:
        """Match under these conditions from now on, and log the threshold with its origin."""
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
        self._baseline = BaselineInUse(conditions, on_threshold_warning=self._log_first_warning)

    def apply_offered(self) -> BaselineAdoption | None:
        """Search the last offered index; return its baseline if that is new.

        Return None if no index was offered, before `begin`, or if the baseline is the same. Call
        this from the thread that analyses frames.
        """
        if self._baseline is None:
            return None
        with self._lock:
            offered, self._offered = self._offered, None
        if offered is None:
            return None
        index, baseline = offered
        adoption = self._baseline.plan_adoption(baseline or self._baseline.baseline_for(index))
        if adoption is not self._baseline.current:
            listed = adoption.baseline.listed
            log.info(
                "baseline",
                id=adoption.ref.baseline_id,
                list_root=listed.root,
                references=listed.references,
                former=adoption.previous_baseline_id,
            )
        self._analyser.use_index(index)
        return adoption if self._baseline.adopt(adoption) else None

    @property
    def threshold_warning(self) -> str:
        """The reason why the threshold does not suit this list; empty for a suitable threshold."""
        return self._baseline.threshold_warning if self._baseline else ""

    def _log_first_warning(self, warning: str) -> None:
        """Log the first warning only: a list may grow by single entries, each with a baseline."""
        if not self._has_logged_warning:
            log.warning("threshold_outgrown", why=warning)
        self._has_logged_warning = True
