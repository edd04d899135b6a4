"""Which alerts wait for a second look, from the records."""

from datetime import timedelta

import pytest
from tests.contract.test_alert_records import EVA, NOON, OP, TIMES, events_of, sighting

from openlfr.adapters.memory.records import MemoryRecords
from openlfr.adapters.memory.vault import MemoryVault
from openlfr.domain.adjudication import Judgement
from openlfr.domain.alerts import Adjudication
from openlfr.operations.adjudicate import AlertVersion, apply_deadlines, decide, look_again
from openlfr.operations.second_looks import second_looks

FINAL = NOON + TIMES.undo
VAULT = MemoryVault()


@pytest.fixture
def records():
    """40 alerts that Op decided, one of which nobody could tell, and one that is open."""
    made = MemoryRecords()
    for n in range(41):
        (event,) = events_of(sighting(n, subject=f"Person {n}"))
        made.alerts.record(event, None, emitted_at=event.sighting.captured_at)
        what = Adjudication.CANNOT_TELL if n == 7 else Adjudication.ENGAGE
        if n != 40:
            decide(
                AlertVersion(event.alert_id),
                Judgement(what),
                records=made,
                by=OP,
                at=NOON,
                times=TIMES,
            )
    return made


def looked_for(records, share=0.2, now=FINAL, vault=VAULT):
    return [a.alert_id for a in second_looks(records, share=share, vault=vault, now=now)]


def test_a_sample_and_every_undecided_alert_wait_for_a_second_look(records):
    [unsure] = [a.alert_id for a in records.alerts.list(subject="Person 7")]
    assert looked_for(records, 0.0) == [unsure]
    some = looked_for(records)
    assert unsure in some
    assert 2 <= len(some) <= 20
    assert len(looked_for(records, 1.0)) == 40
    assert looked_for(records) == some != looked_for(records, vault=MemoryVault())
    assert looked_for(records, now=FINAL - timedelta(seconds=1)) == []


def test_an_alert_with_a_second_look_or_a_final_verdict_no_longer_waits(records):
    first, *rest = looked_for(records)
    look_again(
        AlertVersion(first), Judgement(Adjudication.ENGAGE), records=records, by=EVA, at=FINAL,
        times=TIMES,
    )  # fmt: skip
    assert looked_for(records) == rest
    apply_deadlines(records, NOON + TIMES.settle)
    assert looked_for(records, 1.0, now=NOON + TIMES.settle) == []
