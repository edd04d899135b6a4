"""What was alerted and decided: the part of the records that alerting and operators use."""

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
    """Alerts and their events as they were recorded."""

    def find(self, prefix: str) -> RecordedAlert:
        """The alert whose id begins so, or an id that was merged into it.

        Raises:
            BadInput: No alert, or several.
        """
        ...

    def list(
        self, *, undecided: bool = False, deployment: str | None = None, subject: str | None = None
    ) -> Sequence[RecordedAlert]:
        """Alerts, the latest first: those that nobody decided, of a deployment, of a subject."""
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
        """As `list`, so many at a time; `after` is that of the page before.

        Raises:
            BadInput: No page gave that `after`.
        """
        ...

    def events(self, alert_id: str) -> Sequence[RecordedEvent]:
        """The events of an alert by captured time."""
        ...

    def events_of_run(self, deployment: str, epoch: int | None) -> Sequence[RecordedEvent]:
        """All events of one run of a deployment by captured time; of all its runs: None."""
        ...

    def case(self, alert_id: str) -> Case:
        """What people made of an alert, by its whole id."""
        ...

    def waiting(self, now: datetime) -> Sequence[str]:
        """Ids of alerts whose time to lapse, or to be settled, has come."""
        ...

    def mistaken(self, now: datetime) -> Sequence[RecordedAlert]:
        """Alerts about the wrong person of which something is still kept, and may be no longer."""
        ...

    def sealed(self) -> Collection[str]:
        """Ids of alerts whose pictures are kept for a complaint alone, and are not erased."""
        ...

    def rejected(self, now: datetime) -> Sequence[RecordedEvent]:
        """Sightings that were taken out of their alert, and of which something is still kept."""
        ...

    def holds(self, alert_id: str) -> Sequence[Hold]:
        """What keeps an alert from being erased, or did; the latest first."""
        ...

    def older_than(self, moment: datetime, now: datetime) -> Sequence[RecordedAlert]:
        """Alerts whose last event is older, that nothing holds, of which something is kept."""
        ...

    def evidence_names(self) -> Collection[str]:
        """Names in the vault that an event refers to."""
        ...


class AlertRecording(AlertRecords, Protocol):
    """Alerts, to read and to record what happened in front of a camera."""

    def placed(self, event: AlertEvent, window: timedelta) -> AlertEvent:
        """The event under the alert to which it belongs by what is recorded so far.

        Args:
            event: As the alert book folded it.
            window: How near sightings of one alert are, by captured time.
        """
        ...

    def record(
        self,
        event: AlertEvent,
        evidence: str | None,
        *,
        emitted_at: datetime,
        window: timedelta = LIFE,
    ) -> bool:
        """Record an event once and bring its alert up to date; whether it was new.

        Events of an alert may come in any order, a joining one before the opening one too. That an
        alert lapses for it, or is asked again, is recorded as an act.

        Args:
            event: As published; where it belongs to another alert than it was published with, it is
                recorded there.
            evidence: Name in the vault; None where there is none.
            emitted_at: UTC.
            window: As of `placed`.
        """
        ...

    def knows(self, event_id: str) -> bool:
        """Whether this event was recorded."""
        ...


class AlertChanges(AlertRecords, Protocol):
    """Changes of alerts by acts, in a transaction."""

    def append(self, before: Case, after: Case, event_id: str) -> None:
        """Record by what two cases differ: verdicts, an undo, outcomes.

        Args:
            before: As it was read in this transaction.
            after: What a rule of `domain.adjudication` made of it.
            event_id: Of the audit event that is recorded with it.

        Raises:
            Conflict: The alert has changed since `before` was read.
        """
        ...

    def begin_erasing(self, alert_ids: Sequence[str], at: datetime) -> set[str]:
        """Mark what is about to be erased, so that nobody is promised to keep it; ids of which.

        None of those that are held.
        """
        ...

    def mark_erased(self, alert_id: str, event_ids: Sequence[str], at: datetime) -> None:
        """Record that these events' pictures are gone, of an alert that takes in no more.

        Positions, the subject, and what people wrote in acts about the alert go with them.
        """
        ...

    def reject(self, alert_id: str, event_id: str, at: datetime) -> None:
        """Take a sighting out of an alert: it shows another person than the others."""
        ...

    def mark_rejected_erased(self, event_ids: Sequence[str]) -> None:
        """Record that what was kept of rejected sightings is gone; the camera goes with it."""
        ...

    def erase_names(self, before: datetime) -> int:
        """Erase who did what before this moment; of how many acts.

        To alerts, and to entries of which it was erased who was listed.
        """
        ...

    def place_hold(self, hold: Hold) -> None:
        """Keep an alert from being erased."""
        ...

    def release_hold(self, hold_id: str, at: datetime) -> None:
        """Let a hold keep nothing any more."""
        ...
