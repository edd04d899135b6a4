"""verdicts.v1 contains the recorded verdicts in recording order, also after crashes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.sightings import sighting_of

from openlfr.domain.adjudication import DecisionTimes, Judgement, Reason, VerdictKind
from openlfr.domain.alerts import (
    Adjudication,
    AlertEvent,
    EventKind,
    Outcome,
    alert_id_of,
    event_id_of,
)
from openlfr.domain.errors import Unavailable
from openlfr.domain.faces import Box
from openlfr.domain.principals import Principal, Role
from openlfr.operations.adjudicate import (
    AlertVersion,
    OutcomeReport,
    apply_deadlines,
    decide,
    look_again,
    record_outcome,
    undo,
)
from openlfr_alerting.publishing import VerdictPublisher

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TIMES = DecisionTimes()
ANN, BEA = (
    Principal("https://people.example", name, name, frozenset(Role)) for name in ("Ann", "Bea")
)


class Topic:
    """A topic whose brokers may die after they accepted a message."""

    def __init__(self):
        self.written = []
        self.dies_after = None

    def write(self, events):
        self.written += events[: self.dies_after]
        if self.dies_after is not None:
            self.dies_after = None
            raise Unavailable("gone")


@pytest.fixture
def case(records):
    """Take an alert through all verdicts: engaged, undone, rejected, confirmed, concluded."""
    seen = sighting_of(
        "street", "gate", 1, 3, "ann", "default", "r1", NOON, Box(1, 2, 3, 4), 0.5, 0.4, 60.0
    )
    alert = alert_id_of(seen.sighting_id)
    event = AlertEvent(EventKind.OPENED, event_id_of(seen.sighting_id), alert, seen)
    records.alerts.record(event, None, emitted_at=NOON)
    which, later = AlertVersion(alert), NOON + timedelta(seconds=20)
    engage = Judgement(Adjudication.ENGAGE, Reason.KNOWN_TO_ME, "never published")
    leave = Judgement(Adjudication.DO_NOT_ENGAGE)
    decide(which, engage, records=records, by=ANN, at=NOON, times=TIMES)
    undo(which, records=records, by=ANN, at=NOON)
    decide(which, leave, records=records, by=ANN, at=NOON + timedelta(seconds=1), times=TIMES)
    look_again(which, leave, records=records, by=BEA, at=later, times=TIMES)
    apply_deadlines(records, later + TIMES.undo)
    became = OutcomeReport(Outcome.NOT_ATTENDED, minutes_stopped=0)
    at = later + timedelta(minutes=1)
    record_outcome(which, became, records=records, by=BEA, at=at, times=TIMES)
    return alert


def test_every_verdict_is_published_once_in_recording_order(records, case):
    topic = Topic()
    publisher = VerdictPublisher(records.verdict_outbox, topic)
    while publisher.publish_next():
        pass
    engaged, undone, left, looked, settled, became = topic.written
    assert {event.alert_id for event in topic.written} == {case}
    assert (engaged.kind, engaged.adjudication) == (VerdictKind.FIRST, Adjudication.ENGAGE)
    assert (engaged.reason, engaged.final_at) == (Reason.KNOWN_TO_ME, NOON + TIMES.undo)
    assert (engaged.decided_by, engaged.issuer, engaged.account) == ("Ann", ANN.issuer, "Ann")
    assert (undone.withdraws, undone.adjudication) == (engaged.verdict_id, None)
    assert (left.kind, looked.kind, looked.decided_by) == ("first", "second", "Bea")
    assert (settled.kind, settled.decided_by) == (VerdictKind.SETTLED, "system")
    assert (became.outcome, became.minutes_stopped) == (Outcome.NOT_ATTENDED, 0)
    assert became.adjudication is became.kind is None
    assert len({event.verdict_id for event in topic.written}) == 6
    assert publisher.counts == {"published": 6, "erased_before": 0}
    assert not publisher.publish_next()


@pytest.mark.usefixtures("case")
def test_messages_written_before_a_crash_are_written_again_with_the_same_ids(records):
    topic = Topic()
    topic.dies_after = 4
    with pytest.raises(Unavailable):
        VerdictPublisher(records.verdict_outbox, topic).publish_next()
    assert VerdictPublisher(records.verdict_outbox, topic).publish_next()
    first, again = topic.written[:4], topic.written[4:]
    assert again[:4] == first
    assert len(again) == 6
