"""The decision of an alert: verdicts, undo, second look, settling and outcome.

A verdict is never altered. An undo, a second look, a settling verdict and an outcome are separate
records, and the alert's state follows from all records. `domain.adjudication_rules` has a function
for each change, which checks the time and the authors of the earlier verdicts.
`domain.permissions` checks roles.

    open ──decide──▶ decided ──8 s──▶ final ──second look agrees, or deadline──▶ settled
      ▲────────undo────┘                └──second look differs──▶ disputed ──settle──▶ settled
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
    """The role of a verdict among the verdicts on one alert."""

    FIRST = "first"
    SECOND = "second"  # the second look, by another person who does not see the first verdict
    SETTLED = "settled"  # the settling verdict, by a supervisor, or by OpenLFR at the deadline
    LATE = "late"  # the first verdict, on an alert that had lapsed


class AlertState(StrEnum):
    """State of an alert, which implies the next decision of a person."""

    OPEN = "open"  # a first verdict is due
    LAPSED = "lapsed"  # there was no verdict in time; a late verdict is due
    DECIDED = "decided"  # a second look may be due
    DISPUTED = "disputed"  # the second look differs; a supervisor's verdict is due
    SETTLED = "settled"  # an outcome is due
    CLOSED = "closed"  # neither a verdict nor an outcome is due


class Reason(StrEnum):
    """Coded reason for a decision; `REASONS` lists the reasons that fit each decision."""

    FEATURES_AGREE = "features_agree"
    MARK_AGREES = "mark_agrees"
    SEVERAL_FRAMES = "several_frames"
    KNOWN_TO_ME = "known_to_me"
    FEATURES_DIFFER = "features_differ"
    MARK_DIFFERS = "mark_differs"  # the mark differs or is missing
    AGE_OR_BUILD = "age_or_build"
    DECIDED_BEFORE = "decided_before"
    ELSEWHERE = "elsewhere"  # the subject is known to be somewhere else
    TOO_POOR = "too_poor"  # the face is small or blurred
    TURNED_AWAY = "turned_away"
    COVERED = "covered"
    POOR_REFERENCE = "poor_reference"  # the enrolled photo is poor or old
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
        undo: Period in which the author of a verdict can undo the verdict.
        settle: Period after which a verdict without a second look is settled. The pictures of a
            settled *do not engage* are erased within a minute, so 15 minutes after the verdict at
            the latest.
        sealed: Period for which the pictures of a person who was stopped by mistake are retained,
            sealed, for that person's complaint.
    """

    undo: timedelta = timedelta(seconds=8)
    settle: timedelta = timedelta(minutes=14)
    sealed: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A person's decision after comparing the faces.

    Attributes:
        reason: Coded reason; None if the person chose none.
        note: Free text of the person.
    """

    adjudication: Adjudication
    reason: Reason | None = None
    note: str = ""

    def __post_init__(self) -> None:
        """Reject a reason that does not fit the decision (`BadInput`)."""
        if self.reason is not None and self.reason not in REASONS[self.adjudication]:
            fitting = ", ".join(REASONS[self.adjudication])
            raise BadInput(
                f"{self.reason} is no reason for {self.adjudication}; reasons are: {fitting}."
            )


@dataclass(frozen=True, slots=True)
class Verdict:
    """A recorded judgement.

    Attributes:
        by: The author; OpenLFR itself for an automatic settlement.
        decided_at: UTC.
        final_at: End of the period in which the verdict can be undone, UTC.
        settle_at: Time at which the verdict is settled automatically, UTC.
        withdrawn_at: Time of the undo, UTC; None while the verdict is valid.
        verdict_id: UUID text.
    """

    kind: VerdictKind
    judgement: Judgement
    by: Principal
    decided_at: datetime
    final_at: datetime
    settle_at: datetime
    withdrawn_at: datetime | None = None
    verdict_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def adjudication(self) -> Adjudication:
        """The decision."""
        return self.judgement.adjudication

    def __str__(self) -> str:
        is_automatic = self.by.issuer == OPENLFR
        decided = f"{self.by.name or 'somebody'} decided"
        decided = "nobody contested it, so it was settled as" if is_automatic else decided
        late = ", late" * (self.kind is VerdictKind.LATE)
        return f"{decided} {self.adjudication}{late} at {self.decided_at:%H:%M:%S} UTC"


@dataclass(frozen=True, slots=True)
class RecordedOutcome:
    """A recorded outcome of an alert; the latest outcome is valid.

    Attributes:
        minutes_stopped: Minutes for which a person was stopped; None if unknown.
        sealed_until: Time until which the pictures of a refuted alert are retained, UTC.
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
        version: Number that grows by one with each change that a person must see before acting.
        verdicts, outcomes: The records in the order of their recording.
        lapse_at: Time from which a verdict is late, UTC; None for an alert of a recording, which
            never lapses.
        lapsed_at: Time from which the alert no longer accepts sightings, UTC; None until then.
        reopened_at: Time at which a new sighting reopened an alert decided as *cannot tell*, UTC.
            Earlier verdicts are no longer valid.
    """

    alert_id: str
    version: int = 1
    verdicts: tuple[Verdict, ...] = ()
    outcomes: tuple[RecordedOutcome, ...] = ()
    lapse_at: datetime | None = None
    lapsed_at: datetime | None = None
    reopened_at: datetime | None = None

    def _valid_verdict(self, *kinds: VerdictKind) -> Verdict | None:
        valid = [
            each
            for each in self.verdicts
            if each.kind in kinds
            and each.withdrawn_at is None
            and (self.reopened_at is None or each.decided_at > self.reopened_at)
        ]
        return valid[-1] if valid else None

    @property
    def first_verdict(self) -> Verdict | None:
        """The valid first verdict, which may be a late one."""
        return self._valid_verdict(VerdictKind.FIRST, VerdictKind.LATE)

    @property
    def second_look(self) -> Verdict | None:
        """The valid second look."""
        return self._valid_verdict(VerdictKind.SECOND)

    @property
    def settling_verdict(self) -> Verdict | None:
        """The verdict that settled the alert."""
        return self._valid_verdict(VerdictKind.SETTLED)

    @property
    def verdict(self) -> Verdict | None:
        """The verdict in force: the settling verdict, else the first verdict."""
        return self.settling_verdict or self.first_verdict

    @property
    def outcome(self) -> RecordedOutcome | None:
        """The latest outcome."""
        return self.outcomes[-1] if self.outcomes else None

    @property
    def latest_act_at(self) -> datetime | None:
        """Time of the latest verdict, undo or outcome, UTC; None before the first."""
        moments = [each.decided_at for each in self.verdicts]
        moments += [each.withdrawn_at for each in self.verdicts if each.withdrawn_at is not None]
        moments += [each.at for each in self.outcomes]
        return max(moments, default=None)

    @property
    def state(self) -> AlertState:
        """The state that follows from the verdicts and outcomes."""
        if self.closed_at is not None:
            return AlertState.CLOSED
        if self.settling_verdict is not None:
            return AlertState.SETTLED
        if self.first_verdict is None:
            lapsed = self.lapsed_at is not None and self.lapse_at is not None
            return AlertState.LAPSED if lapsed else AlertState.OPEN
        if (
            self.second_look is not None
            and self.second_look.adjudication != self.first_verdict.adjudication
        ):
            return AlertState.DISPUTED
        return AlertState.DECIDED

    @property
    def settle_at(self) -> datetime | None:
        """Time of the automatic settlement; None without a first verdict, or if settled."""
        first, second = self.first_verdict, self.second_look
        if self.settling_verdict is not None or first is None:
            return None
        if second is not None and second.adjudication == first.adjudication:
            return min(first.settle_at, max(first.final_at, second.final_at))
        return first.settle_at

    @property
    def closed_at(self) -> datetime | None:
        """Time of the first outcome or of a settled *do not engage*, the earlier one; else None."""
        moments = [self.outcomes[0].at] if self.outcomes else []
        if self.settling_verdict is not None and _is_do_not_engage(self.settling_verdict):
            moments.append(self.settling_verdict.decided_at)
        return min(moments, default=None)

    @property
    def erase_at(self) -> datetime | None:
        """Time by which the pictures must be erased; None if only the retention period applies."""
        if self.outcome is not None and self.outcome.outcome is Outcome.REFUTED:
            return self.outcome.sealed_until
        if self.verdict is None or not _is_do_not_engage(self.verdict):
            return None
        return self.settling_verdict.decided_at if self.settling_verdict else self.settle_at

    @property
    def is_sealed(self) -> bool:
        """True if the latest outcome is *refuted*; pictures then remain only for a complaint."""
        return self.outcome is not None and self.outcome.outcome is Outcome.REFUTED

    def changed_since(self, version: int) -> str:
        """Return the message for a person who acted on an older version of the alert."""
        verdict = self.verdict or "nothing is decided"
        outcome = f", and its outcome is {self.outcome.outcome}" if self.outcome else ""
        return (
            f"The alert {self.alert_id} has changed since version {version}: {verdict}{outcome}. "
            f"Look at the alert again; its version is {self.version} now."
        )


def _is_do_not_engage(verdict: Verdict) -> bool:
    return verdict.adjudication is Adjudication.DO_NOT_ENGAGE
