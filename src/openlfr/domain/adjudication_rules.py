"""The changes of an alert by people and deadlines, as functions from a case to a new case."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from openlfr.domain.adjudication import AlertState, DecisionTimes, Judgement, Verdict, VerdictKind
from openlfr.domain.alerts import Adjudication
from openlfr.domain.errors import Conflict, NotAllowed
from openlfr.domain.principals import SYSTEM, Principal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from openlfr.domain.adjudication import Case, RecordedOutcome


def decide(
    case: Case, judgement: Judgement, *, by: Principal, at: datetime, times: DecisionTimes
) -> Case:
    """Add the first verdict, which is a late verdict on a lapsed alert.

    Raises:
        Conflict: The alert has a verdict or is closed.
    """
    case = lapse(case, at)
    if case.first_verdict is not None:
        raise Conflict(
            f"{case.first_verdict}, so the alert {case.alert_id} is decided. Take the second look, "
            "ask a supervisor to settle the alert, or ask the author to undo the verdict."
        )
    if case.state is AlertState.CLOSED:
        raise Conflict(f"The alert {case.alert_id} is closed: it has an outcome.")
    is_late = case.state is AlertState.LAPSED
    kind = VerdictKind.LATE if is_late else VerdictKind.FIRST
    return _with_verdict(case, _verdict(kind, judgement, by, at, times))


def undo(case: Case, *, by: Principal, at: datetime) -> Case:
    """Withdraw the person's own last verdict before the verdict is final.

    Raises:
        NotAllowed: The person gave none of the verdicts.
        Conflict: There is no verdict, the verdict is final, the alert is settled, or the clock was
            set back, so that the age of the verdict is unknown.
    """
    valid = [each for each in (case.first_verdict, case.second_look) if each is not None]
    own = [each for each in valid if each.by.is_identifiable and each.by.is_same_person(by)]
    if not valid or case.settling_verdict is not None:
        why = f"{case.settling_verdict}" if case.settling_verdict else "nobody has decided it"
        raise Conflict(f"There is nothing to undo about the alert {case.alert_id}: {why}.")
    if not own:
        raise NotAllowed(
            f"{valid[-1]}. Only the author of a verdict can undo the verdict; a supervisor can "
            "settle the alert differently."
        )
    if case.latest_act_at is not None and at < case.latest_act_at:
        raise Conflict(
            f"The clock is at {at:%Y-%m-%d %H:%M:%S} UTC, earlier than the latest act on the alert "
            f"{case.alert_id} ({case.latest_act_at:%Y-%m-%d %H:%M:%S} UTC), so the age of the "
            "verdict is unknown. Set the clock, or ask a supervisor to settle the alert."
        )
    last = own[-1]
    if at >= last.final_at or case.outcome is not None:
        raise Conflict(
            f"{last}, which is final since {last.final_at:%H:%M:%S} UTC. A second look or a "
            "supervisor can decide differently."
        )
    undone = replace(last, withdrawn_at=at)
    verdicts = tuple(undone if each is last else each for each in case.verdicts)
    return replace(case, version=case.version + 1, verdicts=verdicts)


def look_again(
    case: Case, judgement: Judgement, *, by: Principal, at: datetime, times: DecisionTimes
) -> Case:
    """Add the verdict of the second look.

    Raises:
        NotAllowed: The person gave the first verdict.
        Conflict: There is no first verdict, the first verdict can still be undone, or the alert is
            settled or has a second look.
    """
    first = case.first_verdict
    if first is None:
        raise Conflict(f"Nobody has decided the alert {case.alert_id}, so a first verdict is due.")
    if case.settling_verdict is not None or case.second_look is not None:
        later = case.settling_verdict or case.second_look
        raise Conflict(f"The alert {case.alert_id} needs no second look: {later}.")
    _require_another_person(case, (first,), by, "take the second look")
    if at < first.final_at:
        raise Conflict(
            f"The first verdict on the alert {case.alert_id} can be undone until "
            f"{first.final_at:%H:%M:%S} UTC: take the second look after that time."
        )
    return _with_verdict(case, _verdict(VerdictKind.SECOND, judgement, by, at, times))


def settle(
    case: Case, judgement: Judgement, *, by: Principal, at: datetime, times: DecisionTimes
) -> Case:
    """Settle an alert as a supervisor who gave none of its verdicts.

    Raises:
        NotAllowed: The supervisor gave one of the verdicts.
        Conflict: There is no verdict, or the alert is settled.
    """
    if case.first_verdict is None:
        raise Conflict(f"Nobody has decided the alert {case.alert_id}, so a verdict is due first.")
    if case.settling_verdict is not None:
        raise Conflict(f"The alert {case.alert_id} is settled: {case.settling_verdict}.")
    valid = [each for each in (case.first_verdict, case.second_look) if each is not None]
    _require_another_person(case, valid, by, "settle it")
    return _with_verdict(case, _verdict(VerdictKind.SETTLED, judgement, by, at, times))


def settle_by_time(case: Case, at: datetime) -> Case:
    """Settle an alert with its first verdict if the deadline has passed.

    The first verdict counts in a dispute too, since people acted on the first verdict.

    Returns:
        The new case; the same case if no settlement is due.
    """
    first = case.first_verdict
    if first is None or case.settle_at is None or at < case.settle_at:
        return case
    times = DecisionTimes(timedelta(), timedelta())
    return _with_verdict(
        case, _verdict(VerdictKind.SETTLED, Judgement(first.adjudication), SYSTEM, at, times)
    )


def conclude(case: Case, outcome: RecordedOutcome) -> Case:
    """Add an outcome.

    The first *refuted* determines until when the pictures stay sealed. A later *refuted* does not
    extend the time, even after another outcome in between.

    Raises:
        Conflict: The alert has no verdict.
    """
    if case.verdict is None:
        raise Conflict(
            f"The alert {case.alert_id} has not been decided yet: decide it before you record an "
            "outcome."
        )
    until = [each.sealed_until for each in (*case.outcomes, outcome) if each.sealed_until]
    if outcome.sealed_until is not None:
        outcome = replace(outcome, sealed_until=min(until))
    return replace(case, version=case.version + 1, outcomes=(*case.outcomes, outcome))


def lapse(case: Case, at: datetime) -> Case:
    """Lapse an alert whose time for a verdict has passed, so that it accepts no more sightings.

    An alert with a first verdict lapses too, but keeps its state.

    Returns:
        The new case; the same case if the alert is lapsed or closed, or its time has not passed.
    """
    if case.lapsed_at is not None or case.lapse_at is None or at < case.lapse_at:
        return case
    if case.closed_at is not None:
        return case
    return replace(case, version=case.version + 1, lapsed_at=at)


def end_life(case: Case, at: datetime) -> Case:
    """Stop an alert from accepting sightings, at any time.

    The reason is a newer alert that accepts the sightings, or the erasure of this alert's pictures.

    Returns:
        The new case; the same case if the alert already accepts no sightings.
    """
    if case.lapsed_at is not None or case.closed_at is not None:
        return case
    return replace(case, version=case.version + 1, lapsed_at=at)


def reopen(case: Case, at: datetime) -> Case:
    """Reopen an alert decided as *cannot tell* after a new sighting.

    Returns:
        The new case; the same case if the verdict is another or missing, or if the alert is lapsed
        or closed.
    """
    has_answer = case.verdict is None or case.verdict.adjudication is not Adjudication.CANNOT_TELL
    if has_answer or case.closed_at is not None or case.lapsed_at is not None:
        return case
    return replace(case, version=case.version + 1, reopened_at=at)


def _require_another_person(
    case: Case, verdicts: Sequence[Verdict], by: Principal, act: str
) -> None:
    """Check that a person gave none of these verdicts.

    Raises:
        NotAllowed: The person, or the account if the name is unreadable, gave one of the verdicts.
    """
    for each in verdicts:
        if not each.by.is_same_person(by):
            continue
        if not each.by.is_identifiable:
            raise NotAllowed(
                f"The account {by.subject} gave a verdict on the alert {case.alert_id}, under a "
                "name that was erased or altered: a person with another name and another account "
                f"must {act}."
            )
        raise NotAllowed(
            f"{by.name} gave a verdict on the alert {case.alert_id}: another person must {act}."
        )


def _verdict(
    kind: VerdictKind, judgement: Judgement, by: Principal, at: datetime, times: DecisionTimes
) -> Verdict:
    return Verdict(kind, judgement, by, at, at + times.undo, at + max(times.undo, times.settle))


def _with_verdict(case: Case, verdict: Verdict) -> Case:
    """Add a verdict with a time after the last reopening, even if the clock was set back."""
    reopened_at = case.reopened_at
    if reopened_at is not None and verdict.decided_at <= reopened_at:
        verdict = replace(verdict, decided_at=reopened_at + timedelta(microseconds=1))
    return replace(case, version=case.version + 1, verdicts=(*case.verdicts, verdict))
