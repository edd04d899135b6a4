"""Adjudicate: an operator decides an alert; others undo, look again, settle, say what became of it.

The rules are those of `domain.adjudication`; here they are applied to one alert within one
transaction, recorded with their audit event, and refused to whoever has seen another version.
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
from openlfr.operations.written import seal_written

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from openlfr.domain.adjudication import Case, DecisionTimes
    from openlfr.domain.alert_records import RecordedAlert
    from openlfr.domain.principals import Principal
    from openlfr.ports import Records


@dataclass(frozen=True, slots=True)
class AlertVersion:
    """An alert, and the version that a person acts on.

    Attributes:
        alert_id: The id, or a beginning that only one alert has.
        version: The version that the person has seen; None accepts the current one.
    """

    alert_id: str
    version: int | None = None


@dataclass(frozen=True, slots=True)
class OutcomeReport:
    """The outcome of an alert.

    Attributes:
        outcome: The outcome.
        minutes_stopped: Minutes for which a person was stopped; None if unknown.
        note: A note in the person's words.
    """

    outcome: Outcome
    minutes_stopped: int | None = None
    note: str = ""


def decide(
    which: AlertVersion,
    what: Judgement,
    *,
    records: Records,
    by: Principal,
    at: datetime,
    times: DecisionTimes,
) -> RecordedAlert:
    """Give the first verdict on an alert; a late one where its time is over.

    Args:
        which: The alert.
        what: The judgement.
        records: Where alerts are recorded.
        by: The deciding person.
        at: UTC.
        times: Times within which a verdict is withdrawn and settled.

    Returns:
        The alert with the verdict.

    Raises:
        NotAllowed: The person may not decide.
        BadInput: No such alert, or no name.
        Conflict: Somebody decided it, or it changed since that version; the sentence says who
            decided what.
    """
    require(by, Action.DECIDE)
    by, what = _named(by), _worded(what)
    return _change(
        which,
        lambda case: rules.decide(case, what, by=by, at=at, times=times),
        records=records,
        by=by,
        at=at,
    )


def undo(
    which: AlertVersion, *, reason: str = "", records: Records, by: Principal, at: datetime
) -> RecordedAlert:
    """Withdraw one's own verdict while it is not final; arguments and errors as for `decide`."""
    require(by, Action.DECIDE)
    by = _named(by)
    return _change(
        which,
        lambda case: rules.undo(case, by=by, at=at),
        records=records,
        by=by,
        at=at,
        words=check_reason(reason),
    )


def look_again(
    which: AlertVersion,
    what: Judgement,
    *,
    records: Records,
    by: Principal,
    at: datetime,
    times: DecisionTimes,
) -> RecordedAlert:
    """Give the second verdict on an alert; arguments and errors as for `decide`."""
    require(by, Action.SECOND_LOOK)
    by, what = _named(by), _worded(what)
    return _change(
        which,
        lambda case: rules.look_again(case, what, by=by, at=at, times=times),
        records=records,
        by=by,
        at=at,
    )


def settle(
    which: AlertVersion,
    what: Judgement,
    *,
    records: Records,
    by: Principal,
    at: datetime,
    times: DecisionTimes,
) -> RecordedAlert:
    """Settle an alert with a supervisor's verdict; arguments and errors as for `decide`."""
    require(by, Action.SETTLE)
    by, what = _named(by), _worded(what)
    return _change(
        which,
        lambda case: rules.settle(case, what, by=by, at=at, times=times),
        records=records,
        by=by,
        at=at,
    )


def record_outcome(
    which: AlertVersion,
    what: OutcomeReport,
    *,
    records: Records,
    by: Principal,
    at: datetime,
    times: DecisionTimes,
) -> RecordedAlert:
    """Record the outcome of an alert; arguments and errors as for `decide`.

    *Refuted* seals the pictures, and removes them from the annexes that runs wrote. A later, other
    outcome opens the pictures again, so only a supervisor records it, with a reason.
    """
    require(by, Action.RECORD_OUTCOME)
    by = _named(by)
    sealed_until = at + times.sealed if what.outcome is Outcome.REFUTED else None
    known = RecordedOutcome(
        what.outcome, by, at, what.minutes_stopped, sealed_until, check_reason(what.note)
    )

    def concluded(case: Case) -> Case:
        if case.is_sealed and known.outcome is not Outcome.REFUTED:
            require(by, Action.OPEN_SEALED)
            if not known.note:
                raise BadInput(
                    f"The pictures of the alert {case.alert_id} are sealed, since somebody was "
                    f"stopped by mistake: a supervisor records {known.outcome} instead, with a "
                    "reason, --reason TEXT."
                )
        return rules.conclude(case, known)

    alert = _change(which, concluded, records=records, by=by, at=at)
    if alert.outcome is Outcome.REFUTED:
        seal_written(records.written_files(), [alert.alert_id])
    return alert


def let_time_pass(records: Records, now: datetime) -> list[RecordedAlert]:
    """Let undecided alerts lapse, and settle uncontested verdicts, when their time is over.

    Returns:
        The changed alerts.
    """
    changed = []
    for alert_id in records.alerts.due_alert_ids(now):
        try:
            changed.append(
                _change(
                    AlertVersion(alert_id),
                    lambda case: rules.settle_by_time(rules.lapse(case, now), now),
                    records=records,
                    by=SYSTEM,
                    at=now,
                )
            )
        except Conflict:  # a person was faster: the next time says what is due then
            continue
    return changed


def _change(
    which: AlertVersion,
    rule: Callable[[Case], Case],
    *,
    records: Records,
    by: Principal,
    at: datetime,
    words: str = "",
) -> RecordedAlert:
    """Apply a rule to an alert and record what it changed, all or nothing."""
    with records.unit_of_work() as work:
        alert = work.alerts.find(which.alert_id)
        before = work.alerts.case(alert.alert_id)
        if which.version is not None and which.version != before.version:
            raise Conflict(before.changed_since(which.version))
        after = rule(before)
        events = acts_of(before, after, by=by, at=at, words=words)
        if after != before:
            work.alerts.append_changes(before, after, events[0].event_id if events else "")
        for event in events:
            work.record(event)
        return work.alerts.find(alert.alert_id)


def _named(by: Principal) -> Principal:
    """The person under a name in one normal form.

    Raises:
        BadInput: It is no name.
    """
    name = collapse_spaces(by.name)
    if problem := find_person_problem(name):
        raise BadInput(
            f"A decision needs the name of the person who takes it, --by NAME: it {problem}."
        )
    return by.with_name(name)


def _worded(what: Judgement) -> Judgement:
    return Judgement(what.adjudication, what.reason, check_reason(what.note))
