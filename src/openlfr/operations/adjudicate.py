"""Adjudication: people decide an alert, withdraw or review the verdict, and record the outcome.

`domain.adjudication_rules` defines the rules. This module applies a rule to one alert within one
transaction, and records the change with its audit event. A person who has read an older version of
the alert gets an error instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openlfr.domain import adjudication_rules as rules
from openlfr.domain.adjudication import Judgement, RecordedOutcome
from openlfr.domain.alerts import Outcome
from openlfr.domain.case_acts import acts_of
from openlfr.domain.errors import BadInput, Conflict
from openlfr.domain.names import find_person_problem
from openlfr.domain.permissions import Action, require
from openlfr.domain.principals import SYSTEM
from openlfr.domain.text import check_reason, collapse_spaces
from openlfr.operations.written_files import seal_written

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from openlfr.domain.adjudication import Case, DecisionTimes
    from openlfr.domain.alert_records import RecordedAlert
    from openlfr.domain.principals import Principal
    from openlfr.ports import Records


@dataclass(frozen=True, slots=True)
class AlertVersion:
    """An alert, and the version on which a person acts.

    Attributes:
        alert_id: The id, or a beginning of it that only one alert has.
        version: The version that the person has read; None accepts the current version.
    """

    alert_id: str
    version: int | None = None


@dataclass(frozen=True, slots=True)
class OutcomeReport:
    """The outcome of an alert.

    Attributes:
        outcome: The outcome.
        minutes_stopped: Minutes for which a person was stopped; None if unknown.
        note: A note by the person.
    """

    outcome: Outcome
    minutes_stopped: int | None = None
    note: str = ""


def decide(
    target: AlertVersion,
    judgement: Judgement,
    *,
    records: Records,
    by: Principal,
    at: datetime,
    times: DecisionTimes,
) -> RecordedAlert:
    """Record the first verdict on an alert; the verdict is late if the alert has lapsed.

    Args:
        target: The alert.
        judgement: The judgement.
        records: Records of the alerts.
        by: The person who decides.
        at: Time of the decision, UTC.
        times: Periods of the undo and of the automatic settlement, from the time of the verdict.

    Returns:
        The alert with the verdict.

    Raises:
        NotAllowed: The person may not decide.
        BadInput: No alert or several alerts match, or the person's name or the note is invalid.
        Conflict: The alert is already decided or closed, or has changed since `target.version`;
            the message names the person and the decision.
    """
    require(by, Action.DECIDE)
    by, judgement = _with_normal_name(by), _check_note(judgement)
    return _change(
        target,
        lambda case, now: rules.decide(case, judgement, by=by, at=now, times=times),
        records=records,
        by=by,
        at=at,
    )


def undo(
    target: AlertVersion, *, reason: str = "", records: Records, by: Principal, at: datetime
) -> RecordedAlert:
    """Withdraw the person's own last verdict, if the verdict is not final.

    Arguments are those of `decide`, errors those of `decide` and `adjudication_rules.undo`.
    """
    require(by, Action.DECIDE)
    by = _with_normal_name(by)
    return _change(
        target,
        lambda case, _: rules.undo(case, by=by, at=at),
        records=records,
        by=by,
        at=at,
        words=check_reason(reason),
    )


def look_again(
    target: AlertVersion,
    judgement: Judgement,
    *,
    records: Records,
    by: Principal,
    at: datetime,
    times: DecisionTimes,
) -> RecordedAlert:
    """Record the verdict of the second look, by another person than the first verdict's author.

    Arguments are those of `decide`, errors those of `decide` and `adjudication_rules.look_again`.
    """
    require(by, Action.SECOND_LOOK)
    by, judgement = _with_normal_name(by), _check_note(judgement)
    return _change(
        target,
        lambda case, now: rules.look_again(case, judgement, by=by, at=now, times=times),
        records=records,
        by=by,
        at=at,
    )


def settle(
    target: AlertVersion,
    judgement: Judgement,
    *,
    records: Records,
    by: Principal,
    at: datetime,
    times: DecisionTimes,
) -> RecordedAlert:
    """Record the verdict of a supervisor that settles an alert.

    Arguments are those of `decide`, errors those of `decide` and `adjudication_rules.settle`.
    """
    require(by, Action.SETTLE)
    by, judgement = _with_normal_name(by), _check_note(judgement)
    return _change(
        target,
        lambda case, now: rules.settle(case, judgement, by=by, at=now, times=times),
        records=records,
        by=by,
        at=at,
    )


def record_outcome(
    target: AlertVersion,
    report: OutcomeReport,
    *,
    records: Records,
    by: Principal,
    at: datetime,
    times: DecisionTimes,
) -> RecordedAlert:
    """Record the outcome of an alert that has a verdict; arguments and errors as in `decide`.

    The outcome *refuted* seals the pictures, and removes the pictures from the annexes of runs. A
    later, different outcome opens the pictures again. So only a person who may open sealed pictures
    may record such an outcome, and must state a reason.
    """
    require(by, Action.RECORD_OUTCOME)
    by = _with_normal_name(by)
    note = check_reason(report.note)

    def conclude(case: Case, now: datetime) -> Case:
        sealed_until = now + times.sealed if report.outcome is Outcome.REFUTED else None
        outcome = RecordedOutcome(
            report.outcome, by, now, report.minutes_stopped, sealed_until, note
        )
        if case.is_sealed and outcome.outcome is not Outcome.REFUTED:
            require(by, Action.OPEN_SEALED)
            if not outcome.note:
                raise BadInput(
                    f"The pictures of the alert {case.alert_id} are sealed, since somebody was "
                    f"stopped by mistake: a supervisor records {outcome.outcome} instead, with a "
                    "reason, --reason TEXT."
                )
        return rules.conclude(case, outcome)

    alert = _change(target, conclude, records=records, by=by, at=at)
    if alert.outcome is Outcome.REFUTED:
        seal_written(records.written_files(), [alert.alert_id])
    return alert


def apply_deadlines(records: Records, now: datetime) -> list[RecordedAlert]:
    """Lapse undecided alerts, and settle alerts with their first verdict, after their deadlines.

    Returns:
        The changed alerts. An alert that a person changes at this moment is left for the next call.
    """
    changed = []
    for alert_id in records.alerts.due_alert_ids(now):
        try:
            changed.append(
                _change(
                    AlertVersion(alert_id),
                    lambda case, at: rules.settle_by_time(rules.lapse(case, at), at),
                    records=records,
                    by=SYSTEM,
                    at=now,
                )
            )
        except Conflict:  # a person changed the alert at the same moment; the next call retries
            continue
    return changed


def _change(
    target: AlertVersion,
    rule: Callable[[Case, datetime], Case],
    *,
    records: Records,
    by: Principal,
    at: datetime,
    words: str = "",
) -> RecordedAlert:
    """Apply a rule to an alert, record all changes in one transaction, and return the alert.

    The time of the change is never earlier than the alert's latest act, even if the clock was set
    back.

    Raises:
        BadInput: No alert or several alerts match.
        Conflict: The alert has changed since `target.version`.
    """
    with records.unit_of_work() as work:
        alert = work.alerts.find(target.alert_id)
        before = work.alerts.case(alert.alert_id)
        if target.version is not None and target.version != before.version:
            raise Conflict(before.changed_since(target.version))
        at = max(at, before.latest_act_at or at)
        after = rule(before, at)
        events = acts_of(before, after, by=by, at=at, words=words)
        if after != before:
            # The last event is the person's own act, to which the rows of the verdict refer.
            work.alerts.append_changes(before, after, events[-1].event_id if events else "")
        for event in events:
            work.record(event)
        return work.alerts.find(alert.alert_id)


def _with_normal_name(by: Principal) -> Principal:
    """Return the person with the name in its normal form.

    Raises:
        BadInput: The name is missing or invalid.
    """
    name = collapse_spaces(by.name)
    if problem := find_person_problem(name):
        raise BadInput(
            f"A decision needs the name of the person who decides, --by NAME: the name {problem}."
        )
    return by.with_name(name)


def _check_note(judgement: Judgement) -> Judgement:
    return Judgement(judgement.adjudication, judgement.reason, check_reason(judgement.note))
