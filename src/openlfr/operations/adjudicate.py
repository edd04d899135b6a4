"""Adjudicate: an operator decides an alert, and later says what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openlfr.domain.audit import AlertDecided, AlertOutcome, AuditEvent
from openlfr.domain.errors import BadInput
from openlfr.domain.names import problem_of_person
from openlfr.domain.permissions import Action, require
from openlfr.domain.text import problem_of, squeeze

if TYPE_CHECKING:
    from datetime import datetime

    from openlfr.domain.alert_records import RecordedAlert
    from openlfr.domain.alerts import Adjudication, Outcome
    from openlfr.domain.audit import Happening
    from openlfr.domain.principals import Principal
    from openlfr.ports import Records


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody wants to record about an alert.

    Attributes:
        alert_id: The id, or a beginning that only one alert has.
        adjudication: None leaves it as it is.
        outcome: None leaves it as it is.
        reason: In the person's words.
    """

    alert_id: str
    adjudication: Adjudication | None = None
    outcome: Outcome | None = None
    reason: str = ""


def adjudicate(
    decision: Decision, *, records: Records, by: Principal, at: datetime
) -> RecordedAlert:
    """Record what an operator decided, what became of it, or both.

    A decision can be changed; every version stays as an audit event. After one that says that it
    was the wrong person, `operations.erasure.erase_mistaken` is due.

    Args:
        decision: What is recorded.
        records: Where alerts are kept.
        by: The person.
        at: UTC.

    Returns:
        The alert as it is now.

    Raises:
        NotAllowed: They may not decide.
        BadInput: No such alert, no name, nothing to record, or an outcome before a decision.
    """
    require(by, Action.DECIDE if decision.adjudication is not None else Action.RECORD_OUTCOME)
    reason = squeeze(decision.reason)
    if problem := problem_of_person(squeeze(by.name)):
        raise BadInput(
            f"A decision needs the name of the person who takes it, --by NAME: it {problem}."
        )
    if problem := problem_of(reason):
        raise BadInput(f"The reason {problem}.")
    with records.unit_of_work() as work:
        alert = work.alerts.find(decision.alert_id)
        event = AuditEvent(at, by.named(squeeze(by.name)), _happening(decision, alert, reason))
        work.alerts.decide(
            alert.alert_id,
            adjudication=decision.adjudication,
            outcome=decision.outcome,
            by=event.by.name,
            at=at,
        )
        work.record(event)
        return work.alerts.find(alert.alert_id)


def _happening(decision: Decision, alert: RecordedAlert, reason: str) -> Happening:
    """The audit event of a decision.

    Raises:
        BadInput: Nothing to record, or an outcome before a decision.
    """
    if decision.adjudication is not None:
        return AlertDecided(
            alert.alert_id,
            str(decision.adjudication),
            str(decision.outcome or ""),
            str(alert.adjudication or ""),
            str(alert.outcome or ""),
            reason,
        )
    if decision.outcome is None:
        raise BadInput(f"Nothing was decided about the alert {alert.alert_id}.")
    if alert.adjudication is None:
        raise BadInput(
            f"The alert {alert.alert_id} has not been decided yet: an outcome comes after the "
            "decision to engage or not."
        )
    return AlertOutcome(alert.alert_id, str(decision.outcome), str(alert.outcome or ""), reason)
