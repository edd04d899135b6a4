"""The changes that people and deadlines make to an alert: functions from a case to a case."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from openlfr.domain.adjudication import AlertState, DecisionTimes, Judgement, Verdict, VerdictKind
from openlfr.domain.alerts import Adjudication
from openlfr.domain.errors import Conflict, NotAllowed
from openlfr.domain.principals import SYSTEM, Principal

if TYPE_CHECKING:
    from datetime import datetime

    from openlfr.domain.adjudication import Case, RecordedOutcome


def decide(
    case: Case, what: Judgement, *, by: Principal, at: datetime, times: DecisionTimes
) -> Case:
    """Add the first verdict; on a lapsed alert it is a late one.

    Raises:
        Conflict: The alert has a verdict or is closed.
    """
    case = lapse(case, at)
    if case.first is not None:
        raise Conflict(
            f"{case.first}, so the alert {case.alert_id} is decided: take the second look, have "
            "it settled, or let the one who decided undo it."
        )
    if case.state is AlertState.CLOSED:
        raise Conflict(f"The alert {case.alert_id} is closed: it has an outcome.")
    late = case.state is AlertState.LAPSED
    kind = VerdictKind.LATE if late else VerdictKind.FIRST
    return _with_verdict(case, _verdict(kind, what, by, at, times))


def undo(case: Case, *, by: Principal, at: datetime) -> Case:
    """Withdraw the person's own last verdict before it is final.

    Raises:
        NotAllowed: The verdict is another person's.
        Conflict: There is no verdict, or it is settled or final.
    """
    valid = [each for each in (case.first, case.second) if each is not None]
    own = [each for each in valid if each.by.is_person(by)]
    if not valid or case.settled is not None:
        why = f"{case.settled}" if case.settled else "nobody has decided it"
        raise Conflict(f"There is nothing to undo about the alert {case.alert_id}: {why}.")
    if not own:
        raise NotAllowed(
            f"{valid[-1]}: nobody but the person who gave a verdict can undo it; a supervisor "
            "can settle it otherwise."
        )
    last = own[-1]
    if at >= last.final_at or case.outcome is not None:
        raise Conflict(
            f"{last}, which is final since {last.final_at:%H:%M:%S} UTC: a second look or a "
            "supervisor can decide otherwise."
        )
    undone = replace(last, withdrawn_at=at)
    verdicts = tuple(undone if each is last else each for each in case.verdicts)
    return replace(case, version=case.version + 1, verdicts=verdicts)


def look_again(
    case: Case, what: Judgement, *, by: Principal, at: datetime, times: DecisionTimes
) -> Case:
    """Add the verdict of the second look.

    Raises:
        NotAllowed: The person gave the first verdict.
        Conflict: There is no first verdict, it can still be undone, or the alert is settled or
            has a second look.
    """
    first = case.first
    if first is None:
        raise Conflict(f"Nobody has decided the alert {case.alert_id}, so a first verdict is due.")
    if case.settled is not None or case.second is not None:
        given = case.settled or case.second
        raise Conflict(f"The alert {case.alert_id} waits for no second look: {given}.")
    if first.by.is_person(by):
        raise NotAllowed(
            f"{by.name} decided the alert {case.alert_id} first: another person takes the second "
            "look."
        )
    if at < first.final_at:
        raise Conflict(
            f"The first verdict on the alert {case.alert_id} can be undone until "
            f"{first.final_at:%H:%M:%S} UTC: take the second look then."
        )
    return _with_verdict(case, _verdict(VerdictKind.SECOND, what, by, at, times))


def settle(
    case: Case, what: Judgement, *, by: Principal, at: datetime, times: DecisionTimes
) -> Case:
    """Settle an alert as a supervisor who gave none of its verdicts.

    Raises:
        NotAllowed: The supervisor gave one of the verdicts.
        Conflict: There is no verdict, or the alert is settled.
    """
    if case.first is None:
        raise Conflict(f"Nobody has decided the alert {case.alert_id}, so a verdict is due first.")
    if case.settled is not None:
        raise Conflict(f"The alert {case.alert_id} is settled: {case.settled}.")
    if any(each.by.is_person(by) for each in (case.first, case.second) if each is not None):
        raise NotAllowed(
            f"{by.name} gave a verdict on the alert {case.alert_id}: another person settles it."
        )
    return _with_verdict(case, _verdict(VerdictKind.SETTLED, what, by, at, times))


def settle_by_time(case: Case, at: datetime) -> Case:
    """Settle an alert with its first verdict when its deadline has passed.

    In a dispute, too, the first verdict counts, since people acted on it.

    Returns:
        The same case where no settlement is due.
    """
    first = case.first
    if first is None or case.settle_at is None or at < case.settle_at:
        return case
    times = DecisionTimes(timedelta(), timedelta())
    return _with_verdict(
        case, _verdict(VerdictKind.SETTLED, Judgement(first.adjudication), SYSTEM, at, times)
    )


def conclude(case: Case, outcome: RecordedOutcome) -> Case:
    """Add an outcome.

    The first *refuted* decides how long the pictures stay sealed: a later one does not extend the
    time, even after another outcome in between.

    Raises:
        Conflict: The alert has no verdict.
    """
    if case.verdict is None:
        raise Conflict(
            f"The alert {case.alert_id} has not been decided yet: an outcome comes after the "
            "decision to engage or not."
        )
    until = [each.sealed_until for each in (*case.outcomes, outcome) if each.sealed_until]
    if outcome.sealed_until is not None:
        outcome = replace(outcome, sealed_until=min(until))
    return replace(case, version=case.version + 1, outcomes=(*case.outcomes, outcome))


def lapse(case: Case, at: datetime) -> Case:
    """Lapse an alert whose time is over; else return the same case."""
    if case.lapsed_at is not None or case.lapse_at is None or at < case.lapse_at:
        return case
    if case.closed_at is not None:
        return case
    return replace(case, version=case.version + 1, lapsed_at=at)


def end_life(case: Case, at: datetime) -> Case:
    """Stop an alert from accepting sightings: a newer alert does, or its pictures are erased.

    Returns:
        The same case where the alert accepts none already.
    """
    if case.lapsed_at is not None or case.closed_at is not None:
        return case
    return replace(case, version=case.version + 1, lapsed_at=at)


def reopen(case: Case, at: datetime) -> Case:
    """Reopen a *cannot tell* after another sighting; else return the same case."""
    has_answer = case.verdict is None or case.verdict.adjudication is not Adjudication.CANNOT_TELL
    if has_answer or case.closed_at is not None or case.lapsed_at is not None:
        return case
    return replace(case, version=case.version + 1, reopened_at=at)


def _verdict(
    kind: VerdictKind, what: Judgement, by: Principal, at: datetime, times: DecisionTimes
) -> Verdict:
    return Verdict(kind, what, by, at, at + times.undo, at + max(times.undo, times.settle))


def _with_verdict(case: Case, verdict: Verdict) -> Case:
    """Add a verdict, dated after the last reopening even if the clock was set back."""
    reopened_at = case.reopened_at
    if reopened_at is not None and verdict.decided_at <= reopened_at:
        verdict = replace(verdict, decided_at=reopened_at + timedelta(microseconds=1))
    return replace(case, version=case.version + 1, verdicts=(*case.verdicts, verdict))
