"""A sender reports undelivered records, but not unreachable brokers."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from kafka.errors import KafkaTimeoutError
from kafka.future import Future

from openlfr.adapters.kafka import producer as kafka_producer
from openlfr.adapters.kafka.access import KafkaAccess
from openlfr.adapters.kafka.producer import STUCK_S, RecordSender
from openlfr.wire.codec import Record

if TYPE_CHECKING:
    from collections.abc import Callable


class Brokers:
    """kafka-python's producer as far as it is used: whoever tests says what becomes of a record."""

    def __init__(self) -> None:
        self.sent: list[Future] = []
        self.now = 0.0

    def send(self, *_: object, **__: object) -> Future:
        self.sent.append(Future())
        return self.sent[-1]


@pytest.fixture
def brokers(monkeypatch: pytest.MonkeyPatch) -> Brokers:
    made = Brokers()
    monkeypatch.setattr(kafka_producer, "KafkaProducer", lambda **_: made)
    return made


def sender(brokers: Brokers, delivery_s: float = 5.0) -> RecordSender:
    return RecordSender(
        KafkaAccess(("nowhere:1",)), "frames.v1", max_in_flight=2,
        delivery_timeout=timedelta(seconds=delivery_s),
        max_bytes=1 << 20, clock=lambda: brokers.now,
    )  # fmt: skip


def send(to: RecordSender) -> bool:
    return to.send(Record(b"gate", b"frame", []), wait=False, stop=threading.Event())


def arrives(record: Future) -> None:
    record.success(None)


def fails(record: Future) -> None:
    record.failure(KafkaTimeoutError("5000 ms has passed"))


@pytest.mark.parametrize(("delivery_s", "patience"), [(5.0, STUCK_S), (120.0, 240.0)])
def test_undelivered_records_are_reported(
    brokers: Brokers, delivery_s: float, patience: float
) -> None:
    frames = sender(brokers, delivery_s)
    brokers.now = 1000.0  # nothing was to be sent for long
    assert [send(frames), send(frames), send(frames)] == [True, True, False]
    brokers.now += patience
    assert frames.liveness_problem() == ""
    brokers.now += 1
    assert frames.liveness_problem() == (
        f"None of 2 records in flight to frames.v1 has arrived or failed for {patience + 1:.0f} s."
    )


@pytest.mark.parametrize("becomes", [arrives, fails])
def test_while_something_becomes_of_them_all_is_well(
    brokers: Brokers, becomes: Callable[[Future], None]
) -> None:
    frames = sender(brokers)
    for _ in range(3):
        assert send(frames)
        brokers.now += STUCK_S - 1
        becomes(brokers.sent[-1])
        assert frames.liveness_problem() == ""
    brokers.now += 10 * STUCK_S  # and nothing is on its way
    assert frames.liveness_problem() == ""
