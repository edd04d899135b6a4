"""Keeps the searchable watchlist fresh while a run lasts.

Other processes change the watchlist in SQL only, since the vector store belongs to the run. A
thread looks for changes twice a second, carries them into the vector store, and hands over a new
index: a removal is in force well within the promised 2 seconds. What is changed in the records by
other means counts no change; so all entries are compared with their enrolments now and then.

While the records do not answer nothing is searched on stale authority for longer than `SILENCE_S`:
the run then stops. Any other failure is one that waiting does not mend (a fault of ours, a wrong
model): it ends the run at once.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from openlfr.domain.errors import Unavailable
from openlfr.domain.watchlist import EntryStatus
from openlfr.operations.gallery import build_index, not_searched
from openlfr.operations.watchlist_sync import WatchlistSync

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from openlfr.adapters.sql.records import Records
    from openlfr.domain.watchlist import GalleryFacts
    from openlfr.ports import TemplateStore, Vault
    from openlfr.stages.search import ExactIndex

INTERVAL_S = 0.5
SILENCE_S = 30.0
COMPARE_S = 1.0
"""How often is looked for entries that are not as they were enrolled any more."""
SHARE = 8
"""At most this part of a thread's time: a longer list is looked at less often."""


class WatchlistKeeper:
    """Builds the index at the start, and anew after each change."""

    def __init__(
        self,
        *,
        records: Records,
        templates: TemplateStore,
        vault: Vault,
        facts: GalleryFacts,
        watchlists: Sequence[str],
        on_index: Callable[[ExactIndex], None],
        on_problem: Callable[[str], None],
    ) -> None:
        """Take charge of the store; `on_index` and `on_problem` are called from the thread."""
        self._records = records
        self._templates = templates
        self._vault = vault
        self._facts = facts
        self._watchlists = tuple(watchlists)
        self._on_index = on_index
        self._on_problem = on_problem
        self._sync = WatchlistSync(records, vault)
        self._altered: dict[str, str] = {}  # not as they were enrolled, and what is not
        self._compare_at = 0.0
        self._unsearched = ""  # who is listed in vain, as it was said last
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: Exception | None = None

    def refresh(self) -> bool:
        """Build the index and carry out some of what is pending, if anything changed.

        Returns:
            Whether anything did; what was settled is searchable after the next refresh.

        Raises:
            Unavailable: The records or the vector store do not answer.
        """
        records = self._records.watchlist
        if not (self._sync.is_due() or self._found_altered()):
            return False
        # First: what left the list waits neither for the vector store nor for a large import.
        index = build_index(records, self._templates, self._watchlists)
        self._on_index(index)
        self._altered = records.altered(self._watchlists)
        unsearched = not_searched(records, index, self._altered)
        if unsearched and unsearched != self._unsearched:
            self._on_problem(unsearched)
        self._unsearched = unsearched
        for settled in self._sync.carry_over(self._templates, self._facts):
            if settled.status is EntryStatus.REFUSED:
                self._on_problem(f"{settled.subject} was not listed: {settled.note}.")
        return True

    def hand_over_to(self, on_index: Callable[[ExactIndex], None]) -> None:
        """Give each new index to somebody else from now on; before `start`."""
        self._on_index = on_index

    def start(self) -> None:
        """Look for changes from now on."""
        self._thread = threading.Thread(target=self._keep, name="watchlist-keeper", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise what the thread could not mend.

        Raises:
            Unavailable: The watchlist could not be read for `SILENCE_S`.
            Exception: Whatever else ended the thread, as it was raised there.
        """
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Stop looking; safe to call twice."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _found_altered(self) -> bool:
        """Whether other entries than before are not as they were enrolled, if it is time to look.

        No version tells: whoever changes a row by other means does not count it.
        """
        begun = time.monotonic()
        if begun < self._compare_at:
            return False
        altered = self._records.watchlist.altered(self._watchlists, anew=True)
        took = time.monotonic() - begun
        self._compare_at = begun + max(COMPARE_S, took * SHARE)
        return altered != self._altered

    def _keep(self) -> None:
        heard = time.monotonic()
        while not self._stop.wait(INTERVAL_S):
            try:
                while self.refresh() and not self._stop.is_set():
                    heard = time.monotonic()
                heard = time.monotonic()
            except Unavailable as error:
                if time.monotonic() - heard > SILENCE_S:
                    self._failure = Unavailable(
                        f"The watchlist could not be read for {SILENCE_S:.0f} s, so matching "
                        f"stops: {error}"
                    )
                    return
            except Exception as error:  # noqa: BLE001 - a thread's edge: raised again by `check`
                self._failure = error
                return
