"""The records in memory, for tests: a module for each part, as in `adapters/sql`.

They apply the same rules of `domain` as the database, and pass the same contract suites. They end
with their process, and several threads may use them.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from threading import RLock
from typing import TYPE_CHECKING

from openlfr.adapters.memory.alert_changes import MemoryAlertChanges
from openlfr.adapters.memory.alerts import MemoryAlerts
from openlfr.adapters.memory.audit import MemoryAuditLog, write_events
from openlfr.adapters.memory.deployments import (
    MemoryBaselines,
    MemoryCalibrations,
    MemoryDeployments,
)
from openlfr.adapters.memory.passages import MemoryPassages
from openlfr.adapters.memory.state import OneTransaction, State
from openlfr.adapters.memory.tallies import MemoryTallies
from openlfr.adapters.memory.watchlist import MemoryWatchlist
from openlfr.domain.report_acts import files_of_acts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openlfr.domain.audit import AuditEvent
    from openlfr.domain.runs import WrittenFiles
    from openlfr.ports import (
        AlertChanges,
        AuditLog,
        BaselineChanges,
        CalibrationChanges,
        DeploymentChanges,
        PassageChanges,
        WatchlistChanges,
    )

__all__ = ["MemoryRecords", "MemoryUnitOfWork", "MemoryWatchlist"]


class MemoryUnitOfWork:
    """The changes of one transaction, on a copy of the records."""

    def __init__(self, state: State) -> None:
        access = OneTransaction(state)
        self.watchlist: WatchlistChanges = MemoryWatchlist(access)
        self.alerts: AlertChanges = MemoryAlertChanges(access)
        self.deployments: DeploymentChanges = MemoryDeployments(access)
        self.baselines: BaselineChanges = MemoryBaselines(access)
        self.passages: PassageChanges = MemoryPassages(access)
        self.calibrations: CalibrationChanges = MemoryCalibrations(access)
        self.events: list[AuditEvent] = []

    def record(self, event: AuditEvent) -> None:
        """Record an act, which gets its number at the end of the transaction."""
        self.events.append(event)


class MemoryRecords:
    """The `Records` port in memory."""

    erased_rows_location = ""

    def __init__(self) -> None:
        self._state = State()
        self._writers = RLock()
        self.watchlist = MemoryWatchlist(self)
        self.alerts = MemoryAlerts(self)
        self.deployments = MemoryDeployments(self)
        self.baselines = MemoryBaselines(self)
        self.passages = MemoryPassages(self)
        self.calibrations = MemoryCalibrations(self)
        self.tallies = MemoryTallies(self)
        self.audit: AuditLog = MemoryAuditLog(self)

    def reading(self) -> State:
        """Return the present state, which must not be changed."""
        return self._state

    @contextmanager
    def writing(self) -> Iterator[State]:
        """Yield a copy that replaces the state at the end of the block; one thread at a time."""
        with self._writers:
            state = self._state.copy()
            yield state
            self._state = state

    @contextmanager
    def unit_of_work(self) -> Iterator[MemoryUnitOfWork]:
        """Begin a transaction: committed at the end of the block, rolled back on an exception."""
        with self.writing() as state:
            work = MemoryUnitOfWork(state)
            yield work
            write_events(state, work.events)

    def written_files(self) -> Sequence[WrittenFiles]:
        """Return the files of alert lines and reports that were written with these records."""
        return list(dict.fromkeys([*self._state.files, *files_of_acts(self._state.acts)]))

    def record_files(self, files: WrittenFiles) -> None:
        """Record the files that a run writes, so that an erasure includes them."""
        with self.writing() as state:
            state.files = (*state.files, replace(files))

    def erase_for_good(self) -> bool:
        """Return True: memory contains no erased rows."""
        return True

    def close(self) -> None:
        """Do nothing."""
