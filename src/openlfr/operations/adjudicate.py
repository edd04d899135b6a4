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
from openlfr.domain.names import problem_of_person
from openlfr.domain.permissions import Action, require
from openlfr.domain.principals import SYSTEM
from openlfr.domain.text import given_reason, squeeze
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
    """The alert that somebody acts on.

    Attributes:
        alert_id: The id, or a beginning that only one alert has.
        version: As the person has seen it; None: whatever it is now.
    """

    alert_id: str
    version: int | None = None


@dataclass(frozen=True, slots=True)
class OutcomeReport:
    """What became of an alert.

    Attributes:
        minutes_stopped: How long somebody was stopped; None where nobody says.
        note: In the person's words.
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
        records: Where alerts are kept.
        by: The person.
        at: UTC.
        times: How long people have to undo and to look again.

    Returns:
        The alert as it is now.

    Raises:
        NotAllowed: They may not decide.
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
    """Take back one's own verdict while it is not final; arguments and errors as `decide`."""
    require(by, Action.DECIDE)
    by = _named(by)
    return _change(
        which,
        lambda case: rules.undo(case, by=by, at=at),
        records=records,
        by=by,
        at=at,
        words=given_reason(reason),
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
    """Take the second look at an alert; arguments and errors as `decide`."""
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
    """Say which verdict holds, as a supervisor; arguments and errors as `decide`."""
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
    """Record what became of an alert; arguments and errors as `decide`.

    *Refuted* seals the pictures, and takes them out of the annexes that runs wrote. What replaces
    it opens the pictures again: a supervisor records it, and why.
    """
    require(by, Action.RECORD_OUTCOME)
    by = _named(by)
    sealed_until = at + times.sealed if what.outcome is Outcome.REFUTED else None
    known = RecordedOutcome(
        what.outcome, by, at, what.minutes_stopped, sealed_until, given_reason(what.note)
    )

    def concluded(case: Case) -> Case:
        if case.sealed and known.outcome is not Outcome.REFUTED:
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
    """Lapse what nobody decided in time, and settle what nobody contested.

    Returns:
        The alerts that this changed.
    """
    changed = []
    for alert_id in records.alerts.waiting(now):
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
            work.alerts.append(before, after, events[0].event_id if events else "")
        for event in events:
            work.record(event)
        return work.alerts.find(alert.alert_id)


def _named(by: Principal) -> Principal:
    """The person under a name in one normal form.

    Raises:
        BadInput: It is no name.
    """
    name = squeeze(by.name)
    if problem := problem_of_person(name):
        raise BadInput(
            f"A decision needs the name of the person who takes it, --by NAME: it {problem}."
        )
    return by.named(name)


def _worded(what: Judgement) -> Judgement:
    return Judgement(what.adjudication, what.reason, given_reason(what.note))
