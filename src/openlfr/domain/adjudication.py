"""How an alert is decided: verdicts, undo, second look, settling, outcome.

A verdict is never altered. An undo, a second look, a settlement and an outcome are records of
their own, and the alert's state follows from all of them. `domain.adjudication_rules` has a
function for each change, which checks the time and whether this person may act after the others.
Roles are checked by `domain.permissions`.

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
from openlfr.domain.principals import OPENLFR, Principal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class VerdictKind(StrEnum):
    """The role of a verdict among those on one alert."""

    FIRST = "first"
    SECOND = "second"  # by another person, who does not see the first
    SETTLED = "settled"  # by a supervisor, or by OpenLFR at its deadline
    LATE = "late"  # the first one, on an alert that had lapsed


class AlertState(StrEnum):
    """What an alert still needs from people."""

    OPEN = "open"  # a first verdict is due
    LAPSED = "lapsed"  # no verdict came in time; a late one is due
    DECIDED = "decided"
    DISPUTED = "disputed"  # the second look differs
    SETTLED = "settled"  # an outcome is due
    CLOSED = "closed"


class Reason(StrEnum):
    """Coded reason for a decision; `REASONS` lists those that fit each decision."""

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
    """The periods that follow a verdict or an outcome.

    Attributes:
        undo: For how long the author of a verdict can undo it.
        settle: Time after which a verdict without a second look is settled; the pictures of a
            settled *do not engage* are erased.
        sealed: For how long the pictures of a person who was stopped by mistake are kept, sealed,
            for that person's complaint.
    """

    undo: timedelta = timedelta(seconds=8)
    settle: timedelta = timedelta(minutes=14)
    sealed: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A person's decision after comparing the faces.

    Attributes:
        reason: Coded reason; None where none was chosen.
        note: Free text of the person.
    """

    adjudication: Adjudication
    reason: Reason | None = None
    note: str = ""

    def __post_init__(self) -> None:
        """Reject a reason that does not fit the decision.

        Raises:
            BadInput: The reason does not fit.
        """
        if self.reason is not None and self.reason not in REASONS[self.adjudication]:
            fitting = ", ".join(REASONS[self.adjudication])
            raise BadInput(
                f"{self.reason} is no reason for {self.adjudication}; reasons are: {fitting}."
            )


@dataclass(frozen=True, slots=True)
class Verdict:
    """A recorded judgement.

    Attributes:
        by: Its author; OpenLFR itself where it settled an uncontested verdict.
        decided_at: UTC.
        final_at: End of the time in which it can be undone, UTC.
        settle_at: When it is settled automatically, UTC.
        withdrawn_at: When it was undone, UTC; None while it is valid.
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
        """The decision."""
        return self.what.adjudication

    def __str__(self) -> str:
        who = "nobody contested it, so it was settled as" if self.by.issuer == OPENLFR else ""
        who = who or f"{self.by.name or 'somebody'} decided"
        late = ", late" * (self.kind is VerdictKind.LATE)
        return f"{who} {self.adjudication}{late} at {self.decided_at:%H:%M:%S} UTC"


@dataclass(frozen=True, slots=True)
class RecordedOutcome:
    """A recorded outcome of an alert; the latest one counts.

    Attributes:
        minutes_stopped: How long somebody was stopped; None where it was not recorded.
        sealed_until: Until when the pictures of a refuted alert are kept, UTC.
        note: Free text of the person.
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
    """All verdicts and outcomes of one alert, from which its state follows.

    Attributes:
        version: Grows by one with each change that a person must see before acting.
        verdicts, outcomes: In the order in which they were recorded.
        lapse_at: Time from which a verdict is late, UTC; None for an alert of a recording, which
            never lapses.
        lapsed_at: When the alert stopped accepting sightings, UTC; None while it accepts them.
        reopened_at: When a new sighting reopened an alert decided as *cannot tell*, UTC; earlier
            verdicts are no longer valid.
    """

    alert_id: str
    version: int = 1
    verdicts: tuple[Verdict, ...] = ()
    outcomes: tuple[RecordedOutcome, ...] = ()
    lapse_at: datetime | None = None
    lapsed_at: datetime | None = None
    reopened_at: datetime | None = None

    def _valid_verdict(self, *kinds: VerdictKind) -> Verdict | None:
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
        """The valid first verdict, which may be a late one."""
        return self._valid_verdict(VerdictKind.FIRST, VerdictKind.LATE)

    @property
    def second(self) -> Verdict | None:
        """The valid second look."""
        return self._valid_verdict(VerdictKind.SECOND)

    @property
    def settled(self) -> Verdict | None:
        """The verdict that settled the alert."""
        return self._valid_verdict(VerdictKind.SETTLED)

    @property
    def verdict(self) -> Verdict | None:
        """The verdict that counts: the settling one, else the first."""
        return self.settled or self.first

    @property
    def outcome(self) -> RecordedOutcome | None:
        """The latest outcome."""
        return self.outcomes[-1] if self.outcomes else None

    @property
    def state(self) -> AlertState:
        """The state that follows from the verdicts and outcomes."""
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
        """When the alert is settled automatically; None where there is nothing to settle."""
        first, second = self.first, self.second
        if self.settled is not None or first is None:
            return None
        if second is not None and second.adjudication == first.adjudication:
            return min(first.settle_at, max(first.final_at, second.final_at))
        return first.settle_at

    @property
    def closed_at(self) -> datetime | None:
        """Since when neither a verdict nor an outcome is due; None while one is."""
        moments = [self.outcomes[0].at] if self.outcomes else []
        if self.settled is not None and _nobody_stopped(self.settled):
            moments.append(self.settled.decided_at)
        return min(moments, default=None)

    @property
    def erase_at(self) -> datetime | None:
        """When the pictures must be erased; None where the retention period alone decides."""
        if self.outcome is not None and self.outcome.outcome is Outcome.REFUTED:
            return self.outcome.sealed_until
        if self.verdict is None or not _nobody_stopped(self.verdict):
            return None
        return self.settled.decided_at if self.settled else self.settle_at

    @property
    def sealed(self) -> bool:
        """Whether the pictures are kept only for a complaint."""
        return self.outcome is not None and self.outcome.outcome is Outcome.REFUTED

    def changed_since(self, version: int) -> str:
        """The message for a person who acted on an older version of the alert."""
        verdict = self.verdict or "nothing is decided"
        outcome = f", and what became of it is {self.outcome.outcome}" if self.outcome else ""
        return (
            f"The alert {self.alert_id} has changed since version {version}: {verdict}{outcome}. "
            f"Look at it again; its version is {self.version} now."
        )


def _nobody_stopped(verdict: Verdict) -> bool:
    return verdict.adjudication is Adjudication.DO_NOT_ENGAGE
