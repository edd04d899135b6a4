"""What one replica does for all: relay, publish, settle, erase, compare, each in its own thread.

All are done under the same turn. Carrying templates into the vector store may take seconds, and
that store may be away; erasing waits for disks, and comparing reads the whole list: none of them
keeps a removal from being told.
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
from openlfr_alerting.relaying import INTERVAL_S, Relay

if TYPE_CHECKING:
    from collections.abc import Callable

    from openlfr.adapters.sql.records import Records
    from openlfr.domain.watchlist import GalleryFacts
    from openlfr.operations.purge import DueErasures
    from openlfr.ports import TemplateStore, Vault

SILENCE_S = 30.0
"""After how long without a round that came to its end this process gives up. Workers have stopped
matching by then."""
ERASE_S = 60.0
"""How often is looked for what may no longer be kept."""
COMPARE_S = 1.0
"""How often is looked for entries that are not as they were enrolled any more."""
SHARE = 8
"""At most this part of a thread's time: a longer list is looked at less often."""
_TELL_S = 30.0  # how often a trouble that lasts is told

log = structlog.get_logger()


class LeaderJobs:
    """Keeps the control topic and the vector store as the records are, and erases what is due.

    Attributes:
        erased: How many of each kind that `operations.purge.DueErasures` names, and failures.
    """

    def __init__(
        self,
        relay: Relay,
        records: Records,
        vault: Vault,
        open_templates: Callable[[GalleryFacts], TemplateStore],
        erase_due: Callable[[], DueErasures],
        *,
        publish: Callable[[], bool],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        """Do nothing yet.

        Args:
            relay: What tells the workers.
            records: Who is listed.
            vault: Opens the sealed templates; loses the pictures of what left the list.
            open_templates: Called when the gallery has a model, that is with the first enrolment.
            erase_due: Erases what may no longer be kept, and says what it was.
            publish: Publishes some of the verdicts that wait, and says whether any did.
            on_failure: Told, from a thread, that the relay cannot do its work for good:
                `Unavailable` where a service was away for too long, a fault itself, at once.
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
            threading.Thread(target=self._tell, name="relay", daemon=True),
            threading.Thread(target=self._settle, name="settle", daemon=True),
            threading.Thread(target=self._erase, name="erase", daemon=True),
            threading.Thread(target=self._compare, name="compare", daemon=True),
            threading.Thread(target=self._publish_verdicts, name="verdicts", daemon=True),
        ]
        # `failures` is exported from the start: Prometheus sees no rise from nothing.
        self.erased: Counter[str] = Counter(failures=0)

    def start(self) -> None:
        """Work from now on."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End the threads; safe to call twice."""
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        if self._templates is not None:
            self._templates.close()

    @property
    def failing_s(self) -> float:
        """For how many seconds the vector store has not been brought to what the records say.

        Meanwhile nobody new is searchable, and templates of those who left stay stored.
        """
        since = self._failing_since
        return 0.0 if since is None else time.monotonic() - since

    def settle(self) -> bool:
        """Carry some of what is pending into the vector store; whether anything had changed.

        Raises:
            Unavailable: The records or the vector store do not answer.
        """
        watchlist = self._records.watchlist
        if not self._sync.is_due():
            return False
        facts = watchlist.facts()
        if facts is None:
            return False  # nobody was ever enrolled
        if self._templates is None:
            templates = self._open_templates(facts)
            if number := erase_forgotten_templates(watchlist, templates):
                log.warning("templates_erased", number=number, why="their entries had left")
            self._templates = templates
        for each in self._sync.carry_over(self._templates, facts):
            if each.status is EntryStatus.REFUSED:
                log.warning("not_listed", reference=each.reference_id)  # its note says why
        return True

    def _tell(self) -> None:
        done, told = time.monotonic(), 0.0
        while not self._stop.is_set():
            try:
                self._relay.round()
                done = time.monotonic()
            except Unavailable as error:
                now = time.monotonic()
                if now - done > SILENCE_S:
                    self._on_failure(_sentence(error))
                    return
                if told < done or now - told > _TELL_S:
                    log.warning("relay_failed", why=f"{type(error).__name__}: {error}")
                    told = now
            except Exception as error:  # noqa: BLE001 - a thread's edge: no waiting mends it
                self._on_failure(error)
                return
            self._stop.wait(INTERVAL_S)

    def _settle(self) -> None:
        told = -_TELL_S
        while not self._stop.wait(INTERVAL_S):
            try:
                while self._relay.at_work and not self._stop.is_set() and self.settle():
                    pass
                self._failing_since = None
            except Exception as error:
                # A fault of ours too: alerts are folded all the same, and openlfr_settling_failed_
                # seconds calls somebody. Its traceback says that it is one.
                self._failing_since = self._failing_since or time.monotonic()
                if time.monotonic() - told > _TELL_S:
                    fault = None if isinstance(error, OpenLFRError) else error
                    why = f"{type(error).__name__}: {error}"
                    log.warning("not_settled", why=why, exc_info=fault)
                    told = time.monotonic()

    def _publish_verdicts(self) -> None:
        told = -_TELL_S
        while not self._stop.wait(INTERVAL_S):
            try:
                while self._relay.at_work and not self._stop.is_set() and self._publish():
                    pass
            except Exception as error:
                # A fault of ours too: alerts are folded all the same, and what waits is counted.
                if time.monotonic() - told > _TELL_S:
                    fault = None if isinstance(error, OpenLFRError) else error
                    why = f"{type(error).__name__}: {error}"
                    log.warning("verdicts_not_published", why=why, exc_info=fault)
                    told = time.monotonic()

    def _erase(self) -> None:
        while not self._stop.wait(ERASE_S):
            if not self._relay.at_work:
                continue
            try:
                due = self._erase_due()
            except Exception as error:
                # A fault of ours too: alerts are folded all the same, and its traceback is logged.
                self.erased["failures"] += 1
                fault = None if isinstance(error, OpenLFRError) else error
                log.warning("not_erased", why=f"{type(error).__name__}: {error}", exc_info=fault)
                continue
            self.erased.update(due.counts)
            if due:
                log.info("erased", **due.counts)
            if due.warning:
                log.warning("clock_doubtful", why=due.warning)

    def _compare(self) -> None:
        wait = COMPARE_S
        told = -_TELL_S
        while not self._stop.wait(wait):
            if not self._relay.at_work:
                continue
            begun = time.monotonic()
            try:
                self._relay.compare()
            except Exception as error:
                # A fault of ours too: what is told of removals does not depend on it.
                if time.monotonic() - told > _TELL_S:
                    fault = None if isinstance(error, OpenLFRError) else error
                    why = f"{type(error).__name__}: {error}"
                    log.warning("not_compared", why=why, exc_info=fault)
                    told = time.monotonic()
            wait = max(COMPARE_S, (time.monotonic() - begun) * SHARE)


def _sentence(error: Exception) -> OpenLFRError:
    return Unavailable(f"Nobody was told who is searchable for {SILENCE_S:.0f} s: {error}")
