"""The audit events of a change of an alert, so that each change of its state is recorded."""

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
from openlfr.domain.principals import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from openlfr.domain.adjudication import Case, Verdict
    from openlfr.domain.audit import ActDetails
    from openlfr.domain.audit_alerts import VerdictActDetails
    from openlfr.domain.principals import Principal

_DETAILS_BY_KIND: Mapping[VerdictKind, type[VerdictActDetails]] = {
    VerdictKind.FIRST: AlertDecided,
    VerdictKind.LATE: AlertDecidedLate,
    VerdictKind.SECOND: AlertSecondLook,
    VerdictKind.SETTLED: AlertSettled,
}


def acts_of(
    before: Case, after: Case, *, by: Principal, at: datetime, words: str = ""
) -> list[AuditEvent]:
    """Return the audit events that record how a rule of `domain.adjudication_rules` changed a case.

    Args:
        before: The case before the change; for a new alert, an open case.
        after: The case after the change.
        by: The person, or the part of OpenLFR, that applied the rule.
        at: Time of the change, UTC.
        words: The reason of a person who undid a verdict; used only for that change.

    Returns:
        Usually one event; empty if nothing changed. If the alert also lapsed, the first event is
        the lapse, as an act of OpenLFR, and the late verdict follows.
    """
    # An alert of a recording has no `lapse_at`: its `lapsed_at` only ends the acceptance of
    # sightings, so no lapse is recorded.
    has_lapsed = after.lapsed_at != before.lapsed_at and after.lapse_at is not None
    lapses = has_lapsed and before.state is AlertState.OPEN
    events = [AuditEvent(at, SYSTEM, AlertLapsed(after.alert_id))] if lapses else []
    changes = _details_of_changes(before, after, words)
    return events + [AuditEvent(at, by, details) for details in changes]


def _details_of_changes(before: Case, after: Case, words: str) -> list[ActDetails]:
    acts: list[ActDetails] = []
    known = {each.verdict_id: each for each in before.verdicts}
    for each in after.verdicts:
        if each.verdict_id not in known:
            acts.append(_verdict_details(after.alert_id, each))
        elif each != known[each.verdict_id]:
            undone = AlertUndone(after.alert_id, str(each.adjudication), each.verdict_id, words)
            acts.append(undone)
    for one in after.outcomes[len(before.outcomes) :]:
        earlier = str(before.outcome.outcome) if before.outcome else ""
        acts.append(
            AlertOutcome(after.alert_id, str(one.outcome), earlier, one.minutes_stopped, one.note)
        )
    if after.reopened_at != before.reopened_at:
        acts.append(AlertReopened(after.alert_id))
    return acts


def _verdict_details(alert_id: str, verdict: Verdict) -> VerdictActDetails:
    return _DETAILS_BY_KIND[verdict.kind](
        alert_id,
        str(verdict.adjudication),
        verdict.verdict_id,
        str(verdict.judgement.reason or ""),
        verdict.judgement.note,
    )
