"""The watchlist of a run: the searched index, its updates, its baselines and its problems."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlfr.embedded.baselines import RunBaselines
from openlfr.embedded.watchlist_updater import WatchlistUpdater

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openlfr.domain.baselines import Conditions
    from openlfr.embedded.opening import RunParts
    from openlfr.stages.search import ExactIndex

_NOBODY = (
    "Nobody is listed: the watchlist is empty, so there can be no alert. Add people with "
    "openlfr watchlist import; this run then searches for them."
)
_NOBODY_AT_FIRST = (
    "Nobody was listed when the run began: people who passed before the first entry became "
    "searchable were compared with nobody."
)


class RunWatchlist:
    """The search index of a run, which a thread replaces after each change of a watchlist.

    Attributes:
        index: The latest index. The analyser searches a new index from the next frame on.
        baselines: Records a baseline for each index: the list, threshold, models, rules and camera
            inputs under which its frames are searched.
        updater: Builds a new index after each change of a watchlist.
    """

    index: ExactIndex

    def __init__(
        self,
        parts: RunParts,
        watchlists: Sequence[str],
        conditions: Conditions,
        problems: list[str],
    ) -> None:
        """Build the first index; returns when all accepted entries are in it.

        Args:
            parts: Records, vector store, vault and embedder of the run.
            watchlists: Names of the watchlists.
            conditions: Threshold, models, rules and camera inputs of the run.
            problems: Sentences about problems of the run. A sentence is appended if the watchlist
                is empty, and one for each refused entry.
        """
        self._problems = problems
        self.baselines = RunBaselines(parts.records, conditions, problems)
        self.updater = WatchlistUpdater(
            records=parts.records,
            templates=parts.templates,
            vault=parts.vault,
            facts=parts.embedder.facts,
            watchlists=watchlists,
            on_index=self._set_first_index,
            on_problem=problems.append,
        )
        while self.updater.refresh():
            pass  # `refresh` returns True while entries are not searchable yet
        self.updater.set_on_index(self._replace_index)
        if not len(self.index):
            problems.append(_NOBODY)

    def record_first_baseline(self) -> None:
        """Record the baseline of the first index.

        Raises:
            Unavailable: The records do not accept the baseline.
        """
        self.baselines.offer(self.index)

    def _set_first_index(self, index: ExactIndex) -> None:
        self.index = index

    def _replace_index(self, index: ExactIndex) -> None:
        """Search a new index from the next frame on; the updater's thread calls this."""
        self.baselines.offer(index)
        self.index = index
        if len(index) and _NOBODY in self._problems:
            self._problems[self._problems.index(_NOBODY)] = _NOBODY_AT_FIRST
