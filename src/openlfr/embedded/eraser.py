"""Erases what may no longer be kept, at the start of a run, once a minute and at its end.

That is: alerts beyond the retention, alerts about people who were mistaken for somebody listed,
pictures left by a crash, and expired entries. The eraser has its own thread, since erasing waits
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
from openlfr.operations.purge import erase_due

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from openlfr.adapters.sql.records import Records
    from openlfr.ports import AlertBook, Vault

INTERVAL_S = 60.0

log = structlog.get_logger()


class Eraser:
    """Erases what is due in one data folder.

    Attributes:
        erased: Number of erasures by kind, as in `operations.purge.DueErasures`.
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
        """Erase nothing yet."""
        self._records = records
        self._vault = vault
        self._book = book
        self._retention = retention
        self._deployment = deployment
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._fault: Exception | None = None
        self._on_problem = on_problem
        self._warned = False
        self.erased: Counter[str] = Counter()

    def erase(self) -> bool:
        """Erase what is due now; False if the records' log still contains erased rows.

        Raises:
            Unavailable: A store does not answer. Completed erasures remain; call it again later.
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
        if due.warning and not self._warned:
            log.warning("clock_doubtful", why=due.warning)
            self._on_problem(due.warning)
        self._warned = bool(due.warning)
        if due:
            log.info("erased", **due.counts)
        return self._records.erase_for_good()

    def start(self) -> None:
        """Start the thread, which erases once a minute."""
        self._thread = threading.Thread(target=self._loop, name="eraser", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise the exception that ended the thread: our own bug, which no retry repairs."""
        if self._fault is not None:
            raise self._fault

    def close(self) -> None:
        """End the thread; safe to call twice."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _loop(self) -> None:
        while not self._stop.wait(INTERVAL_S):
            try:
                self.erase()
            except Unavailable as error:
                log.warning("not_erased", why=str(error))  # retried; the run's end reports it
            except Exception as error:  # noqa: BLE001 - end of a thread: raised again by `check`
                self._fault = error
                return
