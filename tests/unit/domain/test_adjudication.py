"""Verdicts on an alert obey the rules in any order of acts."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openlfr.domain.adjudication import (
    REASONS,
    AlertState,
    Case,
    DecisionTimes,
    Judgement,
    Reason,
    RecordedOutcome,
    VerdictKind,
)
from openlfr.domain.adjudication_rules import (
    conclude,
    decide,
    lapse,
    look_again,
    reopen,
    settle,
    settle_by_time,
    undo,
)
from openlfr.domain.alerts import Adjudication, Outcome
from openlfr.domain.errors import BadInput, Conflict, NotAllowed
from openlfr.domain.principals import OPENLFR, Principal

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
TIMES = DecisionTimes()
ANN, BEA, SUE = (Principal("https://people.example", name, name) for name in ("Ann", "Bea", "Sue"))
PEOPLE = st.sampled_from([ANN, BEA, SUE])
ENGAGE, LEAVE, UNSURE = map(Judgement, Adjudication)
LATER = NOON + timedelta(minutes=1)


@st.composite
def steps(draw):
    """What somebody tries, and how long after the step before."""
    verbs = ["decide", "again", "settle", "undo", "outcome", "time", "lapse", "reopen"]
    verb = draw(st.sampled_from(verbs))
    who, what = draw(PEOPLE), Judgement(draw(st.sampled_from(Adjudication)))
    outcome = draw(st.sampled_from(Outcome))
    return verb, who, what, outcome, timedelta(seconds=draw(st.integers(0, 1200)))


def attempt(case, step, at):
    verb, by, what, outcome, _ = step
    match verb:
        case "decide":
            return decide(case, what, by=by, at=at, times=TIMES)
        case "again":
            return look_again(case, what, by=by, at=at, times=TIMES)
        case "settle":
            return settle(case, what, by=by, at=at, times=TIMES)
        case "undo":
            return undo(case, by=by, at=at)
        case "time":
            return settle_by_time(case, at)
        case "lapse":
            return lapse(case, at)
        case "reopen":
            return reopen(case, at)
    sealed = at + TIMES.sealed if outcome is Outcome.REFUTED else None
    return conclude(case, RecordedOutcome(outcome, by, at, sealed_until=sealed))


def without_undo(verdict):
    return (verdict.verdict_id, verdict.kind, verdict.judgement, verdict.by, verdict.decided_at)


@given(st.lists(steps(), max_size=12), st.sampled_from([None, NOON + timedelta(minutes=3)]))
def test_random_acts_never_break_the_rules(tried, lapse_at):
    case, at = Case("a", lapse_at=lapse_at), NOON
    for step in tried:
        at += step[-1]
        try:
            after = attempt(case, step, at)
        except (Conflict, NotAllowed):
            continue
        # Nothing that was given is altered; an undo is added to it.
        assert [without_undo(v) for v in after.verdicts][: len(case.verdicts)] == [
            without_undo(v) for v in case.verdicts
        ]
        assert after.outcomes[: len(case.outcomes)] == case.outcomes
        assert after.version > case.version or after == case
        for before, now in zip(case.verdicts, after.verdicts, strict=False):
            if now.withdrawn_at is not None and before.withdrawn_at is None:
                assert now.by == step[1]
                assert at < now.final_at
        case = after
        check(case)


def check(case):
    first, second, settled = case.first_verdict, case.second_look, case.settling_verdict
    closed = bool(case.outcomes) or (
        settled is not None and settled.adjudication is Adjudication.DO_NOT_ENGAGE
    )
    assert (case.state is AlertState.CLOSED) == closed == (case.closed_at is not None)
    if second is not None:
        assert first is not None
        assert not second.by.is_same_person(first.by)
        assert second.decided_at >= first.final_at
    if settled is not None and settled.by.issuer != OPENLFR:
        assert all(not settled.by.is_same_person(v.by) for v in (first, second) if v is not None)
    if first is not None and settled is None:
        # Time settles all of it, in 15 minutes with the minute of the job that does it.
        assert case.settle_at <= first.decided_at + timedelta(minutes=14)
        done = settle_by_time(case, first.settle_at)
        assert done.settling_verdict.adjudication is first.adjudication
        assert settle_by_time(case, case.settle_at - timedelta(microseconds=1)) is case
    standing = case.verdict
    refuted = case.outcome is not None and case.outcome.outcome is Outcome.REFUTED
    nobody_stopped = standing and standing.adjudication is Adjudication.DO_NOT_ENGAGE
    assert (case.erase_at is not None) == bool(refuted or nobody_stopped)
    if nobody_stopped and not refuted:
        assert case.erase_at <= first.decided_at + timedelta(minutes=14) or settled


def test_a_second_first_verdict_is_refused_with_the_name_of_the_first_operator():
    case = decide(Case("a"), ENGAGE, by=ANN, at=NOON, times=TIMES)
    with pytest.raises(Conflict, match="Ann decided engage at 12:00:00 UTC, so the alert a is"):
        decide(case, LEAVE, by=BEA, at=NOON, times=TIMES)


@pytest.mark.parametrize(
    ("who", "seconds", "error", "words"),
    [
        (ANN, 7.9, None, ""),
        (ANN, 8, Conflict, "final since 12:00:08"),
        (BEA, 1, NotAllowed, "Ann decided engage at 12:00:00 UTC. Only the author of a verdict"),
    ],
)
def test_an_operator_can_undo_their_verdict_within_8_seconds(who, seconds, error, words):
    case = decide(Case("a"), ENGAGE, by=ANN, at=NOON, times=TIMES)
    at = NOON + timedelta(seconds=seconds)
    if error:
        with pytest.raises(error, match=words):
            undo(case, by=who, at=at)
        return
    undone = undo(case, by=who, at=at)
    assert (undone.state, undone.verdicts[0].withdrawn_at) == (AlertState.OPEN, at)
    with pytest.raises(Conflict, match="nothing to undo"):
        undo(undone, by=who, at=at)
    assert decide(undone, LEAVE, by=BEA, at=at, times=TIMES).first_verdict.by == BEA


def test_a_second_look_is_another_person_s_and_agrees_or_opens_a_dispute():
    case = decide(Case("a"), LEAVE, by=ANN, at=NOON, times=TIMES)
    with pytest.raises(Conflict, match="can be undone until 12:00:08"):
        look_again(case, LEAVE, by=BEA, at=NOON, times=TIMES)
    with pytest.raises(NotAllowed, match="another person must take the second look"):
        look_again(case, LEAVE, by=ANN, at=LATER, times=TIMES)
    agreed = look_again(case, LEAVE, by=BEA, at=LATER, times=TIMES)
    assert (agreed.state, agreed.settle_at) == (AlertState.DECIDED, LATER + TIMES.undo)
    assert settle_by_time(agreed, agreed.settle_at).state is AlertState.CLOSED
    disputed = look_again(case, ENGAGE, by=BEA, at=LATER, times=TIMES)
    assert (disputed.state, disputed.settle_at) == (AlertState.DISPUTED, NOON + TIMES.settle)
    with pytest.raises(NotAllowed, match="Bea gave a verdict"):
        settle(disputed, ENGAGE, by=BEA, at=LATER, times=TIMES)
    assert settle(disputed, ENGAGE, by=SUE, at=LATER, times=TIMES).state is AlertState.SETTLED
    by_time = settle_by_time(disputed, NOON + TIMES.settle)
    assert (by_time.state, by_time.settling_verdict.adjudication) == (
        AlertState.CLOSED,
        LEAVE.adjudication,
    )


def test_a_late_verdict_is_marked_late():
    case = decide(Case("a", lapse_at=LATER), ENGAGE, by=ANN, at=LATER, times=TIMES)
    assert (case.first_verdict.kind, case.lapsed_at) == (VerdictKind.LATE, LATER)
    assert "engage, late" in str(case.first_verdict)


def test_the_pictures_of_somebody_stopped_by_mistake_are_sealed_for_a_day():
    case = decide(Case("a"), ENGAGE, by=ANN, at=NOON, times=TIMES)
    sealed = NOON + TIMES.sealed
    case = conclude(case, RecordedOutcome(Outcome.REFUTED, BEA, NOON, sealed_until=sealed))
    assert (case.erase_at, case.is_sealed, case.state) == (sealed, True, AlertState.CLOSED)
    # Said again, as with how many minutes: the day is that of the first time. Who needs longer
    # holds the alert.
    again = RecordedOutcome(Outcome.REFUTED, BEA, LATER, 5, LATER + TIMES.sealed)
    for _ in range(2):
        case = conclude(case, again)
        assert (case.erase_at, case.outcome.minutes_stopped) == (sealed, 5)
    mended = conclude(case, RecordedOutcome(Outcome.CONFIRMED, BEA, LATER))  # typed wrongly before
    assert (mended.erase_at, mended.is_sealed) == (None, False)


def test_a_second_look_counts_although_the_clock_was_set_back():
    case = decide(Case("a"), UNSURE, by=ANN, at=NOON, times=TIMES)
    case = reopen(case, LATER)
    case = decide(case, ENGAGE, by=BEA, at=NOON, times=TIMES)
    assert (case.first_verdict.by, case.state) == (BEA, AlertState.DECIDED)
    with pytest.raises(Conflict, match="decided engage"):
        decide(case, LEAVE, by=ANN, at=NOON, times=TIMES)


def test_every_reason_belongs_to_one_finding():
    assert sorted(r for some in REASONS.values() for r in some) == sorted(Reason)
    with pytest.raises(BadInput, match="features_agree is no reason for do_not_engage; reasons"):
        Judgement(Adjudication.DO_NOT_ENGAGE, Reason.FEATURES_AGREE)
