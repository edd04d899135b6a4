"""The leader's jobs: relay, verdicts, synchronisation, erasure, comparison, each in a thread.

One replica leads and does all jobs. Synchronising the vector store may take seconds or fail,
erasure waits for disks, and comparison reads the whole list. Each job has its own thread, so that
no removal waits for another job.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import structlog

from openlfr.domain.errors import OpenLFRError, Unavailable
from openlfr.domain.watchlist import EntryStatus
from openlfr.operations.gallery import erase_forgotten_templates
from openlfr.operations.watchlist_sync import WatchlistSync
from openlfr_alerting.relaying import INTERVAL_S, ControlRelay

if TYPE_CHECKING:
    from collections.abc import Callable

    from openlfr.adapters.sql.records import Records
    from openlfr.domain.templates import GalleryFacts
    from openlfr.operations.purge import DueErasures
    from openlfr.ports import TemplateStore, Vault

SILENCE_S = 30.0
"""Seconds without a successful run of the relay after which the process ends. By then the workers
have stopped matching."""
ERASE_S = 60.0
"""Seconds between two erasures of data that is due."""
COMPARE_S = 1.0
"""Minimum seconds between two comparisons of entries with their enrolments."""
PAUSE_FACTOR = 8
"""Length of the pause after a comparison, as a multiple of the comparison's duration."""
_LOG_EACH_S = 30.0  # between two logs of a lasting error

log = structlog.get_logger()


class LeaderJobs:
    """The threads of the leader's five jobs.

    Attributes:
        erased: Number of erasures by kind, as in `operations.purge.DueErasures`, and of failures.
    """

    def __init__(
        self,
        relay: ControlRelay,
        records: Records,
        vault: Vault,
        open_templates: Callable[[GalleryFacts], TemplateStore],
        erase_due: Callable[[], DueErasures],
        *,
        publish: Callable[[], bool],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        """Prepare the threads; `start` starts them.

        Args:
            relay: Publishes the watchlist to the workers.
            records: The records with the watchlist.
            vault: Decrypts sealed templates, and contains the pictures of entries.
            open_templates: Opens the vector store; called after the first enrolment.
            erase_due: Erases data that is due, and returns the erasures.
            publish: Publishes the next waiting verdicts; returns False if none waited.
            on_failure: Called in a thread when the relay fails for good: with `Unavailable` after
                `SILENCE_S`, or at once with any other exception, which is a bug.
        """
        self._relay = relay
        self._records = records
        self._vault = vault
        self._open_templates = open_templates
        self._erase_due = erase_due
        self._publish = publish
        self._on_failure = on_failure
        self._templates: TemplateStore | None = None
        self._sync = WatchlistSync(records, vault)
        self._failing_since: float | None = None
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._relay_changes, name="relay", daemon=True),
            threading.Thread(target=self._sync_templates, name="settle", daemon=True),
            threading.Thread(target=self._erase_regularly, name="erase", daemon=True),
            threading.Thread(target=self._compare_regularly, name="compare", daemon=True),
            threading.Thread(target=self._publish_verdicts, name="verdicts", daemon=True),
        ]
        # Export `failures` from the start: Prometheus detects no increase of a missing series.
        self.erased: Counter[str] = Counter(failures=0)

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End the threads. Safe to call twice."""
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        if self._templates is not None:
            self._templates.close()

    @property
    def failing_s(self) -> float:
        """Seconds since the synchronisation of the vector store began to fail; 0 if it succeeds.

        While it fails, no new entry becomes searchable, and templates of removed entries remain.
        """
        since = self._failing_since
        return 0.0 if since is None else time.monotonic() - since

    def sync_some(self) -> bool:
        """Apply some changes of the list to the vector store; return False if none was due.

        Raises:
            Unavailable: The records or the vector store do not answer.
        """
        watchlist = self._records.watchlist
        if not self._sync.is_due():
            return False
        facts = watchlist.bound_model()
        if facts is None:
            return False  # nobody was enrolled yet
        if self._templates is None:
            templates = self._open_templates(facts)
            if number := erase_forgotten_templates(watchlist, templates):
                log.warning("templates_erased", number=number, why="their entries had left")
            self._templates = templates
        for each in self._sync.apply_changes(self._templates, facts):
            if each.status is EntryStatus.REFUSED:
                log.warning(
                    "not_listed", reference=each.reference_id
                )  # the entry's note states the reason
        return True

    def _relay_changes(self) -> None:
        done_s, logged_s = time.monotonic(), 0.0
        while not self._stop.is_set():
            try:
                self._relay.run_once()
                done_s = time.monotonic()
            except Unavailable as error:
                now = time.monotonic()
                if now - done_s > SILENCE_S:
                    self._on_failure(_silence_error(error))
                    return
                if logged_s < done_s or now - logged_s > _LOG_EACH_S:
                    log.warning("relay_failed", why=f"{type(error).__name__}: {error}")
                    logged_s = now
            except Exception as error:  # noqa: BLE001 - our own bug: waiting does not help
                self._on_failure(error)
                return
            self._stop.wait(INTERVAL_S)

    def _sync_templates(self) -> None:
        logged_s = -_LOG_EACH_S
        while not self._stop.wait(INTERVAL_S):
            try:
                while self._relay.is_leader and not self._stop.is_set() and self.sync_some():
                    pass
                self._failing_since = None
            except Exception as error:
                # Bugs do not end the process either: alerts are folded nevertheless, and an alarm
                # fires on openlfr_settling_failed_seconds. A bug is logged with its traceback.
                self._failing_since = self._failing_since or time.monotonic()
                if time.monotonic() - logged_s > _LOG_EACH_S:
                    bug = None if isinstance(error, OpenLFRError) else error
                    why = f"{type(error).__name__}: {error}"
                    log.warning("not_settled", why=why, exc_info=bug)
                    logged_s = time.monotonic()

    def _publish_verdicts(self) -> None:
        logged_s = -_LOG_EACH_S
        while not self._stop.wait(INTERVAL_S):
            try:
                while self._relay.is_leader and not self._stop.is_set() and self._publish():
                    pass
            except Exception as error:
                # Bugs do not end the process either: alerts are folded nevertheless.
                if time.monotonic() - logged_s > _LOG_EACH_S:
                    bug = None if isinstance(error, OpenLFRError) else error
                    why = f"{type(error).__name__}: {error}"
                    log.warning("verdicts_not_published", why=why, exc_info=bug)
                    logged_s = time.monotonic()

    def _erase_regularly(self) -> None:
        while not self._stop.wait(ERASE_S):
            if not self._relay.is_leader:
                continue
            try:
                due = self._erase_due()
            except Exception as error:
                # Bugs do not end the process either: alerts are folded nevertheless.
                self.erased["failures"] += 1
                bug = None if isinstance(error, OpenLFRError) else error
                log.warning("not_erased", why=f"{type(error).__name__}: {error}", exc_info=bug)
                continue
            self.erased.update(due.counts)
            if due:
                log.info("erased", **due.counts)
            if due.warning:
                log.warning("clock_doubtful", why=due.warning)
            if due.lost_records:
                log.warning("records_older_than_vault", why=due.lost_records)

    def _compare_regularly(self) -> None:
        wait = COMPARE_S
        logged_s = -_LOG_EACH_S
        while not self._stop.wait(wait):
            if not self._relay.is_leader:
                continue
            begun_s = time.monotonic()
            try:
                self._relay.compare()
            except Exception as error:
                # Bugs do not end the process either: removals do not need the comparison.
                if time.monotonic() - logged_s > _LOG_EACH_S:
                    bug = None if isinstance(error, OpenLFRError) else error
                    why = f"{type(error).__name__}: {error}"
                    log.warning("not_compared", why=why, exc_info=bug)
                    logged_s = time.monotonic()
            wait = max(COMPARE_S, (time.monotonic() - begun_s) * PAUSE_FACTOR)


def _silence_error(error: Exception) -> OpenLFRError:
    return Unavailable(f"The watchlist was not published for {SILENCE_S:.0f} s: {error}")
