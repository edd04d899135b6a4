"""What people make of an alert: verdicts, undo, second look, settling, outcome.

A verdict is never altered: undoing it, looking a second time, settling and what became of it are
rows of their own, and where an alert stands follows from them. Every rule is a function from a case
to a case; each checks who may do it beside whom, and when. Roles are `domain.permissions`'.

    open ──decide──▶ decided ──8 s──▶ final ──second look that agrees, or the time──▶ settled
      ▲────────undo────┘                └──second look that differs──▶ disputed ──settle──▶ settled
    lapsed ──late verdict──▶ decided        an outcome, or a settled do not engage ──▶ closed
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from openlfr.domain.alerts import Adjudication, Outcome
from openlfr.domain.errors import BadInput
from openlfr.domain.principals import OURSELVES, Principal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class VerdictKind(StrEnum):
    """In which role a verdict was given."""

    FIRST = "first"
    SECOND = "second"  # by another person, who does not see the first
    SETTLED = "settled"  # by a supervisor, or by the time
    LATE = "late"  # the first one, on an alert whose time was over


class AlertState(StrEnum):
    """Where an alert stands."""

    OPEN = "open"  # somebody has to decide
    LAPSED = "lapsed"  # nobody did in time; a verdict is still owed
    DECIDED = "decided"
    DISPUTED = "disputed"  # the second look differs
    SETTLED = "settled"  # an outcome is owed
    CLOSED = "closed"


class Reason(StrEnum):
    """Why somebody decided so, as it is counted; `REASONS` says which goes with what."""

    FEATURES_AGREE = "features_agree"
    MARK_AGREES = "mark_agrees"
    SEVERAL_FRAMES = "several_frames"
    KNOWN_TO_ME = "known_to_me"
    FEATURES_DIFFER = "features_differ"
    MARK_DIFFERS = "mark_differs"  # or is missing
    AGE_OR_BUILD = "age_or_build"
    DECIDED_BEFORE = "decided_before"
    ELSEWHERE = "elsewhere"  # known to be somewhere else
    TOO_POOR = "too_poor"  # small or blurred
    TURNED_AWAY = "turned_away"
    COVERED = "covered"
    POOR_REFERENCE = "poor_reference"  # or an old one
    NO_TIME = "no_time"


REASONS: Final[Mapping[Adjudication, tuple[Reason, ...]]] = {
    Adjudication.ENGAGE: tuple(Reason)[:4],
    Adjudication.DO_NOT_ENGAGE: tuple(Reason)[4:9],
    Adjudication.CANNOT_TELL: tuple(Reason)[9:],
}


@dataclass(frozen=True, slots=True)
class DecisionTimes:
    """How long people have.

    Attributes:
        undo: Until when the person who gave a verdict can take it back.
        settle: After which a verdict that nobody looked at a second time is settled; after a
            *do not engage* the pictures go then.
        sealed: How long the pictures of a person who was stopped by mistake are kept, sealed, for
            that person's complaint.
    """

    undo: timedelta = timedelta(seconds=8)
    settle: timedelta = timedelta(minutes=14)
    sealed: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What somebody found on comparing the faces.

    Attributes:
        reason: None where none was chosen.
        note: In the person's words.
    """

    adjudication: Adjudication
    reason: Reason | None = None
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse a reason that goes with another finding.

        Raises:
            BadInput: It does.
        """
        if self.reason is not None and self.reason not in REASONS[self.adjudication]:
            fitting = ", ".join(REASONS[self.adjudication])
            raise BadInput(
                f"{self.reason} is no reason for {self.adjudication}; reasons are: {fitting}."
            )


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judgement as it stands on record.

    Attributes:
        by: Who gave it; the parts of OpenLFR settle what nobody contested.
        decided_at, final_at: When, and until when it could be undone; UTC.
        settle_at: When it is settled if nobody does it before.
        withdrawn_at: When it was undone; None: it stands.
        verdict_id: UUID text.
    """

    kind: VerdictKind
    what: Judgement
    by: Principal
    decided_at: datetime
    final_at: datetime
    settle_at: datetime
    withdrawn_at: datetime | None = None
    verdict_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def adjudication(self) -> Adjudication:
        """What was decided."""
        return self.what.adjudication

    def __str__(self) -> str:
        who = "nobody contested it, so it was settled as" if self.by.issuer == OURSELVES else ""
        who = who or f"{self.by.name or 'somebody'} decided"
        late = ", late" * (self.kind is VerdictKind.LATE)
        return f"{who} {self.adjudication}{late} at {self.decided_at:%H:%M:%S} UTC"


@dataclass(frozen=True, slots=True)
class RecordedOutcome:
    """What became of an alert, as it stands on record; the latest one counts.

    Attributes:
        minutes_stopped: How long somebody was stopped; None where nobody said.
        sealed_until: Until when the pictures of a refuted alert are kept.
        note: In the person's words.
        outcome_id: UUID text.
    """

    outcome: Outcome
    by: Principal
    at: datetime
    minutes_stopped: int | None = None
    sealed_until: datetime | None = None
    note: str = ""
    outcome_id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that people made of one alert, and where it stands.

    Attributes:
        version: Grows by one with each change that a person has to know of before deciding.
        verdicts, outcomes: In the order in which they were given.
        lapse_at: From when nobody decides it in time; None for one of a recording, which waits.
        lapsed_at: When it stopped taking in sightings; None: it still does.
        reopened_at: When a new sighting made a *cannot tell* a question again: verdicts of before
            do not stand any more.
    """

    alert_id: str
    version: int = 1
    verdicts: tuple[Verdict, ...] = ()
    outcomes: tuple[RecordedOutcome, ...] = ()
    lapse_at: datetime | None = None
    lapsed_at: datetime | None = None
    reopened_at: datetime | None = None

    def _standing(self, *kinds: VerdictKind) -> Verdict | None:
        found = [
            each
            for each in self.verdicts
            if each.kind in kinds
            and each.withdrawn_at is None
            and (self.reopened_at is None or each.decided_at > self.reopened_at)
        ]
        return found[-1] if found else None

    @property
    def first(self) -> Verdict | None:
        """The first verdict that stands, a late one too."""
        return self._standing(VerdictKind.FIRST, VerdictKind.LATE)

    @property
    def second(self) -> Verdict | None:
        """The second look that stands."""
        return self._standing(VerdictKind.SECOND)

    @property
    def settled(self) -> Verdict | None:
        """The verdict that settled it."""
        return self._standing(VerdictKind.SETTLED)

    @property
    def verdict(self) -> Verdict | None:
        """The one that counts: what settled it, else the first."""
        return self.settled or self.first

    @property
    def outcome(self) -> RecordedOutcome | None:
        """The latest."""
        return self.outcomes[-1] if self.outcomes else None

    @property
    def state(self) -> AlertState:
        """Where it stands."""
        if self.closed_at is not None:
            return AlertState.CLOSED
        if self.settled is not None:
            return AlertState.SETTLED
        if self.first is None:
            lapsed = self.lapsed_at is not None and self.lapse_at is not None
            return AlertState.LAPSED if lapsed else AlertState.OPEN
        if self.second is not None and self.second.adjudication != self.first.adjudication:
            return AlertState.DISPUTED
        return AlertState.DECIDED

    @property
    def settle_at(self) -> datetime | None:
        """When it is settled without anybody's doing; None where there is nothing to settle."""
        first, second = self.first, self.second
        if self.settled is not None or first is None:
            return None
        if second is not None and second.adjudication == first.adjudication:
            return min(first.settle_at, max(first.final_at, second.final_at))
        return first.settle_at

    @property
    def closed_at(self) -> datetime | None:
        """Since when it owes nothing; None while it owes a verdict or an outcome."""
        moments = [self.outcomes[0].at] if self.outcomes else []
        if self.settled is not None and _nobody_stopped(self.settled):
            moments.append(self.settled.decided_at)
        return min(moments, default=None)

    @property
    def erase_at(self) -> datetime | None:
        """From when its pictures may not be kept; None: the retention alone says it."""
        if self.outcome is not None and self.outcome.outcome is Outcome.REFUTED:
            return self.outcome.sealed_until
        if self.verdict is None or not _nobody_stopped(self.verdict):
            return None
        return self.settled.decided_at if self.settled else self.settle_at

    @property
    def sealed(self) -> bool:
        """Whether its pictures are kept for a complaint alone."""
        return self.outcome is not None and self.outcome.outcome is Outcome.REFUTED

    def changed_since(self, version: int) -> str:
        """What somebody reads who acts on an alert as it was in another version."""
        said = self.verdict or "nothing is decided"
        outcome = f", and what became of it is {self.outcome.outcome}" if self.outcome else ""
        return (
            f"The alert {self.alert_id} has changed since version {version}: {said}{outcome}. "
            f"Look at it again; its version is {self.version} now."
        )


def _nobody_stopped(verdict: Verdict) -> bool:
    return verdict.adjudication is Adjudication.DO_NOT_ENGAGE
