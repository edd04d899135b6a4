"""Erases data whose retention is over, at the start of a run, once a minute, and at its end.

Such data are: alerts beyond the retention, alerts about people who were mistaken for a listed
person, pictures left by a crash, and expired entries. The eraser has its own thread: erasing waits
for disks, and a removal from the watchlist must not wait. The watchlist updater erases templates,
since it has the vector store open.
"""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from openlfr.domain.errors import Unavailable
from openlfr.operations.purge import ROWS_REMAIN, erase_due

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from openlfr.adapters.sql.records import Records
    from openlfr.embedded.watchlist_updater import WatchlistUpdater
    from openlfr.ports import AlertBook, Vault

INTERVAL_S = 60.0

log = structlog.get_logger()


class Eraser:
    """Erases due data in one data folder.

    Attributes:
        erased: Number of erasures by kind, with the names of `operations.purge.DueErasures`.
    """

    def __init__(
        self,
        *,
        records: Records,
        vault: Vault,
        book: AlertBook,
        retention: timedelta,
        deployment: str,
        on_problem: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Prepare; nothing is erased before `erase` or `start`.

        Args:
            records: Records of alerts and entries.
            vault: Store of evidence and reference pictures.
            book: The alert book.
            retention: Time for which an alert is kept after its last event.
            deployment: Id of the run's deployment.
            on_problem: Called with a sentence if the clock disagrees with the audit log, or
                the records may be older than the vault.
        """
        self._records = records
        self._vault = vault
        self._book = book
        self._retention = retention
        self._deployment = deployment
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: Exception | None = None
        self._on_problem = on_problem
        self._warned: set[str] = set()
        self.erased: Counter[str] = Counter()

    def erase(self) -> bool:
        """Erase all data that are due now.

        Returns:
            False if the database's log still contains erased rows; then call `erase` again.

        Raises:
            Unavailable: A store does not answer. Completed erasures are final; call `erase` again.
        """
        due = erase_due(
            records=self._records,
            vault=self._vault,
            book=self._book,
            retention=self._retention,
            now=datetime.now(UTC),
            deployments=[self._deployment],
        )
        self.erased += due.counts
        for event, problem in (
            ("clock_doubtful", due.warning),
            ("records_older_than_vault", due.lost_records),
        ):
            if problem and event not in self._warned:
                log.warning(event, why=problem)
                self._on_problem(problem)
                self._warned.add(event)
            elif not problem:
                self._warned.discard(event)
        if due:
            log.info("erased", **due.counts)
        return self._records.erase_for_good()

    def start(self) -> None:
        """Start the thread that erases once a minute."""
        self._thread = threading.Thread(target=self._loop, name="eraser", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise the exception that ended the thread: an OpenLFR bug, which no retry repairs."""
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Stop the thread; safe to call twice."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _loop(self) -> None:
        while not self._stop.wait(INTERVAL_S):
            try:
                self.erase()
            except Unavailable as error:
                # The next minute tries again, and the end of the run reports the problem.
                log.warning("not_erased", why=str(error))
            except Exception as error:  # noqa: BLE001 - end of a thread: raised again by `check`
                self._failure = error
                return


def erase_at_end_of_run(
    eraser: Eraser, updater: WatchlistUpdater, records: Records, problems: list[str]
) -> None:
    """Stop the eraser's and the updater's thread, and erase all due data.

    If some data remain, add a sentence to `problems`.
    """
    eraser.close()
    updater.close()
    try:
        is_complete = eraser.erase()
        while updater.refresh():  # erases templates of expired entries
            is_complete = records.erase_for_good()
    except Unavailable as error:
        problems.append(f"Not all due data could be erased ({error}): run openlfr purge.")
    else:
        if eraser.erased and not is_complete:
            problems.append(ROWS_REMAIN.format(where=records.erased_rows_location))
