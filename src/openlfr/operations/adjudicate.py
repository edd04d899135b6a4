"""Deciding alerts: what the operator made of one, and later what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from openlfr.domain.acts import Act
from openlfr.domain.errors import BadInput
from openlfr.domain.names import problem_of_person
from openlfr.domain.text import problem_of, squeeze

if TYPE_CHECKING:
    from datetime import datetime

    from openlfr.domain.alert_records import RecordedAlert
    from openlfr.domain.alerts import Adjudication, Outcome


class DecidableRecords(Protocol):
    """What deciding needs of the records of alerts."""

    def find(self, prefix: str) -> RecordedAlert:
        """The alert whose id begins so; BadInput where none or several do."""
        ...

    def decide(
        self,
        alert_id: str,
        *,
        adjudication: Adjudication | None,
        outcome: Outcome | None,
        act: Act,
    ) -> None:
        """Record a decision, an outcome or both, with its act, in one transaction."""
        ...


def adjudicate(
    alert_id: str,
    *,
    records: DecidableRecords,
    by: str,
    at: datetime,
    adjudication: Adjudication | None = None,
    outcome: Outcome | None = None,
    reason: str = "",
) -> RecordedAlert:
    """Record what an operator decided, what became of it, or both.

    A decision can be changed; every version stays as an act. After one that says that it was
    the wrong person, `operations.erasure.erase_mistaken` is due.

    Args:
        alert_id: The id, or a beginning that only one alert has.
        records: Where alerts are kept.
        by: The person's name.
        at: UTC.
        adjudication: None leaves it as it is.
        outcome: None leaves it as it is.
        reason: In the operator's words.

    Returns:
        The alert as it is now.

    Raises:
        BadInput: No such alert, no name, nothing to record, or an outcome before a decision.
    """
    by, reason = squeeze(by), squeeze(reason)
    if problem := problem_of_person(by):
        raise BadInput(
            f"A decision needs the name of the person who takes it, --by NAME: it {problem}."
        )
    if problem := problem_of(reason):
        raise BadInput(f"The reason {problem}.")
    alert = records.find(alert_id)
    if adjudication is None and outcome is None:
        raise BadInput(f"Nothing was decided about the alert {alert.alert_id}.")
    if outcome is not None and adjudication is None and alert.adjudication is None:
        raise BadInput(
            f"The alert {alert.alert_id} has not been decided yet: an outcome comes after the "
            "decision to engage or not."
        )
    detail: dict[str, object] = {
        "adjudication": str(adjudication) if adjudication else None,
        "outcome": str(outcome) if outcome else None,
        "reason": reason,
        "adjudication_before": str(alert.adjudication) if alert.adjudication else None,
        "outcome_before": str(alert.outcome) if alert.outcome else None,
    }
    act = Act(
        at=at,
        actor=by,
        act="alert.decided" if adjudication is not None else "alert.outcome",
        object_kind="alert",
        object_id=alert.alert_id,
        detail=detail,
    )
    records.decide(alert.alert_id, adjudication=adjudication, outcome=outcome, act=act)
    return records.find(alert.alert_id)
