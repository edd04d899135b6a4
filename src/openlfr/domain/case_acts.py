"""What changed about an alert, as audit events: no change of where it stands is without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlfr.domain.adjudication import AlertState, VerdictKind
from openlfr.domain.audit import AuditEvent
from openlfr.domain.audit_alerts import (
    AlertDecided,
    AlertDecidedLate,
    AlertLapsed,
    AlertOutcome,
    AlertReopened,
    AlertSecondLook,
    AlertSettled,
    AlertUndone,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from openlfr.domain.adjudication import Case, Verdict
    from openlfr.domain.audit import ActDetails
    from openlfr.domain.audit_alerts import VerdictActDetails
    from openlfr.domain.principals import Principal

_EVENTS: Mapping[VerdictKind, type[VerdictActDetails]] = {
    VerdictKind.FIRST: AlertDecided,
    VerdictKind.LATE: AlertDecidedLate,
    VerdictKind.SECOND: AlertSecondLook,
    VerdictKind.SETTLED: AlertSettled,
}


def acts_of(
    before: Case, after: Case, *, by: Principal, at: datetime, words: str = ""
) -> list[AuditEvent]:
    """The audit events of what a rule of `domain.adjudication` made of a case.

    Args:
        before: As it was; a new alert was open.
        after: As the rule left it.
        by: Who applied the rule.
        at: UTC.
        words: Why a verdict was undone, in the words of the person.

    Returns:
        Mostly one; what a person did comes first. None where nothing changed.
    """
    return [AuditEvent(at, by, what) for what in _happenings(before, after, words)]


def _happenings(before: Case, after: Case, words: str) -> list[ActDetails]:
    found: list[ActDetails] = []
    known = {each.verdict_id: each for each in before.verdicts}
    for each in after.verdicts:
        if each.verdict_id not in known:
            found.append(_given(after.alert_id, each))
        elif each != known[each.verdict_id]:
            undone = AlertUndone(after.alert_id, str(each.adjudication), each.verdict_id, words)
            found.append(undone)
    for one in after.outcomes[len(before.outcomes) :]:
        earlier = str(before.outcome.outcome) if before.outcome else ""
        found.append(
            AlertOutcome(after.alert_id, str(one.outcome), earlier, one.minutes_stopped, one.note)
        )
    if after.reopened_at != before.reopened_at:
        found.append(AlertReopened(after.alert_id))
    # One of a recording takes in nothing more, but still waits to be decided.
    ended = after.lapsed_at != before.lapsed_at and after.lapse_at is not None
    if ended and before.state is AlertState.OPEN:
        found.append(AlertLapsed(after.alert_id))
    return found


def _given(alert_id: str, verdict: Verdict) -> VerdictActDetails:
    return _EVENTS[verdict.kind](
        alert_id,
        str(verdict.adjudication),
        verdict.verdict_id,
        str(verdict.what.reason or ""),
        verdict.what.note,
    )
