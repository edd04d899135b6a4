"""Updates the searchable index of a run after each change of the watchlist.

Other processes change the watchlist in SQL only, since the run has the vector store open. A thread
reads the list's version twice a second, applies changes to the vector store, and builds a new
index. So a removal takes effect well within the promised 2 seconds. A direct change of a row in the
database does not change the version, so all entries are compared with their enrolments from time to
time.

If the records do not answer for `SILENCE_S`, the run stops, since it must not search an outdated
list for longer. Any other failure (an OpenLFR bug, a wrong model) would not go away, and ends the
run at once.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from openlfr.domain.errors import Unavailable
from openlfr.domain.watchlist import EntryStatus
from openlfr.operations.gallery import build_index, describe_unsearched
from openlfr.operations.watchlist_sync import WatchlistSync

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from openlfr.adapters.sql.records import Records
    from openlfr.domain.templates import GalleryFacts
    from openlfr.ports import TemplateStore, Vault
    from openlfr.stages.search import ExactIndex

INTERVAL_S = 0.5
SILENCE_S = 30.0
COMPARE_S = 1.0
"""Shortest time between two comparisons of the entries with their enrolments."""
SHARE = 8
"""Comparisons use at most one part in SHARE of the thread's time, so a long list is compared less
often."""


class WatchlistUpdater:
    """Builds the index at the start and after each change."""

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
        """Prepare; no other process may use the vector store.

        `refresh` calls `on_index` and `on_problem`; after `start`, the thread calls `refresh`.
        """
        self._records = records
        self._templates = templates
        self._vault = vault
        self._facts = facts
        self._watchlists = tuple(watchlists)
        self._on_index = on_index
        self._on_problem = on_problem
        self._sync = WatchlistSync(records, vault)
        self._altered: dict[str, str] = {}  # differences by id of an altered entry
        self._compare_at_s = 0.0
        self._unsearched_problem = ""  # last reported problem of entries that are not searchable
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: Exception | None = None

    def refresh(self) -> bool:
        """If the list has changed, build a new index, then apply the next part of pending changes.

        Returns:
            Whether the list had changed. Changes applied by this call are in the index of the next
            call, so call this method until it returns False.

        Raises:
            Unavailable: The records or the vector store do not answer.
        """
        records = self._records.watchlist
        if not (self._sync.is_due() or self._has_new_alterations()):
            return False
        # The index comes first, so that a removal does not wait for the vector store or an import.
        index = build_index(records, self._templates, self._watchlists)
        self._on_index(index)
        self._altered = records.altered_entries(self._watchlists)
        problem = describe_unsearched(records, index, self._altered)
        if problem and problem != self._unsearched_problem:
            self._on_problem(problem)
        self._unsearched_problem = problem
        for entry in self._sync.apply_changes(self._templates, self._facts):
            if entry.status is EntryStatus.REFUSED:
                self._on_problem(f"{entry.subject} was not listed: {entry.note}.")
        return True

    def set_on_index(self, on_index: Callable[[ExactIndex], None]) -> None:
        """Replace the receiver of new indexes; call it before `start`."""
        self._on_index = on_index

    def start(self) -> None:
        """Start the thread that applies changes."""
        self._thread = threading.Thread(target=self._loop, name="watchlist-updater", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise the exception that ended the thread.

        Raises:
            Unavailable: The watchlist could not be read for `SILENCE_S`.
            Exception: Any other exception of the thread, unchanged.
        """
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Stop the thread; safe to call twice."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _has_new_alterations(self) -> bool:
        """Compare all entries if a comparison is due; return whether the altered entries changed.

        A direct change of a row does not increase the list's version, so `is_due` cannot detect it.
        """
        started_at_s = time.monotonic()
        if started_at_s < self._compare_at_s:
            return False
        altered = self._records.watchlist.altered_entries(self._watchlists, compare_all=True)
        duration_s = time.monotonic() - started_at_s
        self._compare_at_s = started_at_s + max(COMPARE_S, duration_s * SHARE)
        return altered != self._altered

    def _loop(self) -> None:
        answered_at_s = time.monotonic()
        while not self._stop.wait(INTERVAL_S):
            try:
                while self.refresh() and not self._stop.is_set():
                    answered_at_s = time.monotonic()
                answered_at_s = time.monotonic()
            except Unavailable as error:
                if time.monotonic() - answered_at_s > SILENCE_S:
                    self._failure = Unavailable(
                        f"The watchlist could not be read for {SILENCE_S:.0f} s, so matching "
                        f"stops: {error}"
                    )
                    return
            except Exception as error:  # noqa: BLE001 - end of a thread: raised again by `check`
                self._failure = error
                return
