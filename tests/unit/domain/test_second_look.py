"""Second looks are drawn: nobody chooses them, and a share is a share."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from openlfr.domain.adjudication import Case, DecisionTimes, Judgement
from openlfr.domain.adjudication_rules import decide, look_again, undo
from openlfr.domain.alerts import Adjudication
from openlfr.domain.principals import Principal
from openlfr.domain.second_look import is_drawn, needs_second_look

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TIMES = DecisionTimes()
FINAL = NOON + TIMES.undo
KEY = bytes(32)
OP, EVA = (Principal("https://people.example", name, name) for name in ("Op", "Eva"))
ALERTS = [str(uuid.UUID(int=n)) for n in range(5000)]


def decided(alert_id="a", what=Adjudication.DO_NOT_ENGAGE):
    return decide(Case(alert_id), Judgement(what), by=OP, at=NOON, times=TIMES)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.2, 0.5, 1.0])
def test_a_share_of_alerts_is_drawn_always_the_same_and_another_by_another_key(share):
    drawn = {each for each in ALERTS if is_drawn(each, share, KEY)}
    assert len(drawn) / len(ALERTS) == pytest.approx(share, abs=0.02)
    assert drawn == {each for each in ALERTS if is_drawn(each, share, KEY)}
    assert drawn <= {each for each in ALERTS if is_drawn(each, min(1.0, share + 0.1), KEY)}
    if 0 < share < 1:
        assert drawn != {each for each in ALERTS if is_drawn(each, share, bytes([1]) * 32)}


def test_a_new_verdict_does_not_change_the_drawn_sample():
    for alert_id in ALERTS[:200]:
        before = needs_second_look(decided(alert_id), 0.2, KEY, FINAL)
        undone = undo(decided(alert_id), by=OP, at=NOON)
        again = decide(undone, Judgement(Adjudication.ENGAGE), by=OP, at=NOON, times=TIMES)
        assert needs_second_look(again, 0.2, KEY, FINAL) is before


def test_an_alert_waits_from_its_final_verdict_until_its_second_look():
    case = decided()
    assert not needs_second_look(Case("a"), 1.0, KEY, FINAL)
    assert not needs_second_look(case, 1.0, KEY, FINAL - timedelta(seconds=1))
    assert needs_second_look(case, 1.0, KEY, FINAL)
    assert not needs_second_look(case, 0.0, KEY, FINAL)
    what = Judgement(Adjudication.DO_NOT_ENGAGE)
    looked = look_again(case, what, by=EVA, at=FINAL, times=TIMES)
    assert not needs_second_look(looked, 1.0, KEY, FINAL)
    gone = replace(case, verdicts=(replace(case.verdicts[0], withdrawn_at=NOON),))
    assert not needs_second_look(gone, 1.0, KEY, FINAL)


def test_an_undecided_alert_always_gets_a_second_look():
    assert needs_second_look(decided(what=Adjudication.CANNOT_TELL), 0.0, KEY, FINAL)
