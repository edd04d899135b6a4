"""Ports of the records of alerts and decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from openlfr.domain.alerts import LIFE

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime, timedelta

    from openlfr.domain.adjudication import Case
    from openlfr.domain.alert_records import AlertPage, Hold, RecordedAlert, RecordedEvent
    from openlfr.domain.alerts import AlertEvent


class AlertRecords(Protocol):
    """Recorded alerts and their events."""

    def find(self, prefix: str) -> RecordedAlert:
        """The alert whose id, or a merged id, begins with `prefix`.

        Raises:
            BadInput: There is none, or several.
        """
        ...

    def list(
        self, *, undecided: bool = False, deployment: str | None = None, subject: str | None = None
    ) -> Sequence[RecordedAlert]:
        """Alerts that meet all given conditions, the latest first."""
        ...

    def page(
        self,
        limit: int,
        after: str = "",
        *,
        undecided: bool = False,
        deployment: str | None = None,
        subject: str | None = None,
    ) -> AlertPage:
        """One page of `list`.

        Args:
            limit: Most alerts on the page.
            after: The previous page's `after`; empty for the first page.
            undecided: As for `list`.
            deployment: As for `list`.
            subject: As for `list`.

        Raises:
            BadInput: No page has returned this `after`.
        """
        ...

    def events(self, alert_id: str) -> Sequence[RecordedEvent]:
        """The events of an alert by capture time."""
        ...

    def events_of_run(self, deployment: str, epoch: int | None) -> Sequence[RecordedEvent]:
        """All events of one run of a deployment by capture time; `epoch` None: of all runs."""
        ...

    def case(self, alert_id: str) -> Case:
        """The decisions and outcomes of an alert, by its whole id."""
        ...

    def waiting(self, now: datetime) -> Sequence[str]:
        """Ids of alerts that are due to lapse or to be settled."""
        ...

    def mistaken(self, now: datetime) -> Sequence[RecordedAlert]:
        """Alerts about the wrong person whose pictures or data are due for erasure."""
        ...

    def sealed(self) -> Collection[str]:
        """Ids of alerts whose pictures are kept only because of a complaint."""
        ...

    def rejected(self, now: datetime) -> Sequence[RecordedEvent]:
        """Sightings that were removed from their alert, with pictures or data not erased yet."""
        ...

    def holds(self, alert_id: str) -> Sequence[Hold]:
        """All holds against the erasure of an alert, released ones too, the latest first."""
        ...

    def older_than(self, moment: datetime, now: datetime) -> Sequence[RecordedAlert]:
        """Alerts whose last event is older than `moment`, without a hold, not erased yet."""
        ...

    def evidence_names(self) -> Collection[str]:
        """Names in the vault that events refer to."""
        ...


class AlertRecording(AlertRecords, Protocol):
    """Alerts, to read and to record events of cameras."""

    def assign_alert(self, event: AlertEvent, window: timedelta) -> AlertEvent:
        """The event with the alert to which it belongs according to the records.

        Args:
            event: The event from the alert book.
            window: Greatest difference in capture time within one alert.
        """
        ...

    def is_erased(self, event_id: str) -> bool:
        """Whether this event is recorded and what was kept of it is erased."""
        ...

    def record(
        self,
        event: AlertEvent,
        evidence: str | None,
        *,
        emitted_at: datetime,
        window: timedelta = LIFE,
    ) -> bool:
        """Record an event once and update its alert; return whether it was new.

        The events of an alert may come in any order, even a joining one before the opening one. If
        the event makes an alert lapse or become undecided again, that is recorded as an act.

        Args:
            event: The published event. It is recorded with the alert to which it belongs, even if
                it was published with another.
            evidence: Name of the evidence in the vault; None if there is none.
            emitted_at: Time of publication, UTC.
            window: As for `placed`.
        """
        ...

    def knows(self, event_id: str) -> bool:
        """Whether this event is recorded."""
        ...


class AlertChanges(AlertRecords, Protocol):
    """Changes of alerts by acts, in one transaction."""

    def append(self, before: Case, after: Case, event_id: str) -> None:
        """Record the difference of two cases: verdicts, an undo, outcomes.

        Args:
            before: The case as it was read in this transaction.
            after: The case after a rule of `domain.adjudication`.
            event_id: Id of the audit event of this act.

        Raises:
            Conflict: The alert has changed since `before` was read.
        """
        ...

    def begin_erasing(self, alert_ids: Sequence[str], at: datetime) -> set[str]:
        """Mark alerts whose erasure begins, so that no hold can be placed any more.

        Returns:
            The ids of the marked alerts; alerts with a hold are not marked.
        """
        ...

    def mark_erased(self, alert_id: str, event_ids: Sequence[str], at: datetime) -> None:
        """Record that the pictures of these events are erased; no event can join the alert now.

        Positions, the subject, and people's texts in acts about the alert are erased as well.
        """
        ...

    def reject(self, alert_id: str, event_id: str, at: datetime) -> None:
        """Remove a sighting from an alert, since it shows another person than the others."""
        ...

    def mark_rejected_erased(self, event_ids: Sequence[str]) -> None:
        """Record that the pictures of rejected sightings are erased, and erase their cameras."""
        ...

    def erase_names(self, before: datetime) -> int:
        """Erase the names of people in acts before this moment; return the number of acts.

        This concerns acts on alerts, and on entries whose subject was erased.
        """
        ...

    def place_hold(self, hold: Hold) -> None:
        """Place a hold that prevents the erasure of an alert."""
        ...

    def release_hold(self, hold_id: str, at: datetime) -> None:
        """Release a hold."""
        ...
