"""The alert desk of a run: stores evidence, folds a sighting, emits and records the alert.

`operations.raise_alert` defines the order of these steps. After a crash `catch_up` completes the
steps that follow the fold.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openlfr.domain.alerts import event_id_of
from openlfr.operations.evidence import PREFIX, encode, evidence_name
from openlfr.operations.raise_alert import AlertStores, raise_alert

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from openlfr.adapters.sql.records import Records
    from openlfr.domain.alerts import AlertEvent, EventKind
    from openlfr.domain.analysis import SightingWithEvidence
    from openlfr.domain.impossible import Movement
    from openlfr.embedded.lines import AlertLines
    from openlfr.ports import AlertBook, Vault


class AlertDesk:
    """Raises the alerts of one run.

    Attributes:
        event_counts: Number of events by camera and kind, including events before a resume.
    """

    def __init__(
        self,
        *,
        book: AlertBook,
        records: Records,
        vault: Vault,
        lines: AlertLines,
        window: timedelta,
        movement: Movement,
        on_event: Callable[[AlertEvent], None],
    ) -> None:
        self._book = book
        self._records = records
        self._vault = vault
        self._lines = lines
        self._window = window
        self._stores = AlertStores(book, vault, records.alerts, window, movement)
        self._on_event = on_event
        self.event_counts: Counter[tuple[str, EventKind]] = Counter()

    def raise_alert(self, sighted: SightingWithEvidence) -> AlertEvent | None:
        """Open or join an alert, and return its event; None if the sighting was recorded before.

        Raises:
            Unavailable: The disk, Redis or the database does not accept the alert.
        """
        sighting = sighted.sighting
        if self._records.alerts.is_recorded(event_id_of(sighting.sighting_id)):
            return None  # ask the records, since the alert book may have lost the sighting
        now, has_picture = datetime.now(UTC), sighted.evidence is not None
        event = raise_alert(
            sighting,
            None if sighted.evidence is None else encode(sighted.evidence),
            self._stores,
            publish=lambda event: self._lines.write(event, now),
            record=lambda event: self._record(event, now, has_picture=has_picture),
        )
        if event is not None:
            self.event_counts[sighting.camera, event.event] += 1
            self._on_event(event)
        return event

    def catch_up(self, deployment: str, epoch: int | None) -> int:
        """Record all unrecorded events of the alert book after a crash.

        Events of the resumed run that were not emitted are also emitted.

        Args:
            deployment: Id of the deployment.
            epoch: Epoch of the resumed run; None for a new run, which emits no old event.

        Returns:
            The number of events emitted now.
        """
        emitted = 0
        stored = set(self._vault.names(PREFIX))
        for event in self._book.events(deployment):
            is_of_this_run = event.sighting.epoch == epoch
            has_picture = evidence_name(event.sighting.sighting_id) in stored
            if is_of_this_run and event.event_id not in self._lines.written_ids:
                is_recorded = self._records.alerts.is_recorded(event.event_id)
                if self._lines.has_file or not is_recorded:
                    self._emit(event, has_picture=has_picture)
                    emitted += 1
                    continue
            if not self._records.alerts.is_recorded(event.event_id):
                self._record(event, datetime.now(UTC), has_picture=has_picture)
        if epoch is not None:
            events = self._records.alerts.events_of_run(deployment, epoch)
            self.event_counts = Counter((e.event.sighting.camera, e.event.event) for e in events)
        return emitted

    def _emit(self, event: AlertEvent, *, has_picture: bool) -> None:
        now = datetime.now(UTC)
        self._lines.write(event, now)
        self._record(event, now, has_picture=has_picture)
        self._on_event(event)

    def _record(self, event: AlertEvent, emitted_at: datetime, *, has_picture: bool) -> None:
        evidence = evidence_name(event.sighting.sighting_id) if has_picture else None
        self._records.alerts.record(event, evidence, emitted_at=emitted_at, window=self._window)
