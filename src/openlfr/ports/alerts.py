"""Ports of the records of alerts and decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from openlfr.domain.alerts import LIFE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime, timedelta

    from openlfr.domain.adjudication import Case
    from openlfr.domain.alert_records import (
        AlertPage,
        Hold,
        NameErasures,
        RecordedAlert,
        RecordedEvent,
    )
    from openlfr.domain.alerts import AlertEvent


class AlertRecords(Protocol):
    """Recorded alerts and their events, to read."""

    def find(self, prefix: str) -> RecordedAlert:
        """Return the alert whose id, or an id merged into it, begins with `prefix`.

        Raises:
            BadInput: No alert matches, or several match.
        """
        ...

    def list(
        self, *, undecided: bool = False, deployment: str | None = None, subject: str | None = None
    ) -> Sequence[RecordedAlert]:
        """Return the alerts that meet all given conditions, the latest first."""
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
        """Return one page of `list`.

        Args:
            limit: Maximum number of alerts on the page.
            after: `AlertPage.after` of the previous page; empty for the first page.
            undecided: As for `list`.
            deployment: As for `list`.
            subject: As for `list`.

        Raises:
            BadInput: `after` is not from an `AlertPage`.
        """
        ...

    def events(self, alert_id: str) -> Sequence[RecordedEvent]:
        """Return the events of an alert, ordered by capture time."""
        ...

    def events_of_run(self, deployment: str, epoch: int | None) -> Sequence[RecordedEvent]:
        """Return the events of one run of a deployment, ordered by capture time.

        Args:
            deployment: Id of the deployment.
            epoch: Epoch of the run; None for all runs.
        """
        ...

    def case(self, alert_id: str) -> Case:
        """Return the decisions and outcomes of the alert with this complete id."""
        ...

    def due_alert_ids(self, now: datetime) -> Sequence[str]:
        """Return the ids of alerts that must lapse or whose verdict must become final now."""
        ...

    def mistaken_alerts_to_erase(self, now: datetime) -> Sequence[RecordedAlert]:
        """Return the alerts about the wrong person whose pictures or data must be erased now."""
        ...

    def altered_alerts(self) -> Mapping[str, str]:
        """Return the unerased alerts whose deadlines differ from what decisions imply.

        Returns:
            The differences by the alert's id, as parts of a sentence.
        """
        ...

    def retained_references(self, now: datetime) -> Collection[str]:
        """Return the ids of the entries that sightings of held or sealed alerts name."""
        ...

    def sealed_alert_ids(self) -> Collection[str]:
        """Return the ids of alerts whose pictures are retained only for a possible complaint."""
        ...

    def rejected_events_to_erase(self, now: datetime) -> Sequence[RecordedEvent]:
        """Return events that were removed from their alert and are not completely erased yet."""
        ...

    def holds(self, alert_id: str) -> Sequence[Hold]:
        """Return all legal holds of an alert, released holds included, the latest first."""
        ...

    def erasable_alerts(self, moment: datetime, now: datetime) -> Sequence[RecordedAlert]:
        """Return the alerts whose last event is older than `moment`.

        Alerts with a hold, sealed alerts and erased alerts are left out.
        """
        ...

    def evidence_names(self) -> Collection[str]:
        """Return the names of all blobs in the vault to which events refer."""
        ...


class AlertRecording(AlertRecords, Protocol):
    """Recorded alerts, and the recording of cameras' events."""

    def assign_alert(self, event: AlertEvent, window: timedelta) -> AlertEvent:
        """Return the event with the id of the alert to which it belongs in the records.

        Args:
            event: The event from the alert book.
            window: Maximum difference in capture time within one alert.
        """
        ...

    def is_erased(self, event_id: str) -> bool:
        """Return whether this event is recorded and its evidence and position are erased."""
        ...

    def record(
        self,
        event: AlertEvent,
        evidence: str | None,
        *,
        emitted_at: datetime,
        window: timedelta = LIFE,
    ) -> bool:
        """Record an event once and update its alert; return whether the event was new.

        The events of an alert may come in any order, even a joining event before the opening
        event. If the event makes an alert lapse or become undecided again, an act is recorded.

        Args:
            event: The published event. The event is recorded with the alert to which it
                belongs, even if the published id is that of another alert.
            evidence: Name of the evidence in the vault; None without evidence.
            emitted_at: Time of publication, UTC.
            window: As for `assign_alert`.
        """
        ...

    def is_recorded(self, event_id: str) -> bool:
        """Return whether this event is recorded."""
        ...


class AlertChanges(AlertRecords, Protocol):
    """Changes of alerts by acts, in one transaction."""

    def append_changes(self, before: Case, after: Case, event_id: str) -> None:
        """Record the difference of two cases: verdicts, an undo, outcomes.

        Args:
            before: The case that this transaction read.
            after: The result of a rule of `domain.adjudication`.
            event_id: Id of the audit event of this act.

        Raises:
            Conflict: The alert has changed since `before` was read.
        """
        ...

    def begin_erasing(self, alert_ids: Sequence[str], at: datetime) -> set[str]:
        """Mark alerts whose erasure begins; after that no hold can be placed.

        Returns:
            The ids of the marked alerts; alerts with a hold are not marked, nor sealed alerts
            before the end of their seal.
        """
        ...

    def mark_erased(self, alert_id: str, event_ids: Sequence[str], at: datetime) -> None:
        """Record that the pictures of these events are erased; no later event joins the alert.

        Positions, the subject, and texts by people in acts on the alert are erased as well.
        """
        ...

    def reject(self, alert_id: str, event_id: str, at: datetime) -> None:
        """Remove from an alert a sighting that shows another person than the other sightings."""
        ...

    def mark_rejected_erased(self, event_ids: Sequence[str]) -> None:
        """Record that the pictures of rejected events are erased, and erase their cameras."""
        ...

    def erase_names(self, before: datetime, now: datetime) -> NameErasures:
        """Erase the names of people in acts before this moment.

        Acts on alerts and passages are changed, and acts on entries whose subject was erased. Acts
        on alerts that are held or sealed at `now` are left out. Return the number of changed acts,
        and of acts left out.
        """
        ...

    def place_hold(self, hold: Hold) -> None:
        """Record a hold, which prevents the erasure of an alert."""
        ...

    def release_hold(self, hold_id: str, at: datetime) -> None:
        """Record the release of a hold."""
        ...
