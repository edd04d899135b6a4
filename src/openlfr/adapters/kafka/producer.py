"""Sending records from threads, with a bounded number in flight and a callback for each record.

kafka-python does not limit the number of records that wait to be sent, so `RecordSender` does: a
caller that must not lose a record waits for room, a caller that must not wait drops it.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from kafka import KafkaProducer

from openlfr.adapters.kafka.delivery import producer_arguments
from openlfr.adapters.kafka.errors import kafka_errors
from openlfr.adapters.kafka.round_robin import RoundRobinPartitioner
from openlfr.domain.errors import BadInput, Unavailable
from openlfr.wire import seal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from openlfr.adapters.kafka.access import KafkaAccess
    from openlfr.wire.codec import Record

_TASK = "take records"
_STOP_CHECK_S = 0.2  # interval at which a caller that waits for room checks `stop`
STUCK_S = 60.0
"""Longest time in which no record in flight arrives or fails; at least twice the delivery time."""


class RecordSender:
    """Sends to one topic; may be shared by threads."""

    def __init__(
        self,
        brokers: KafkaAccess,
        topic: str,
        *,
        room: int,
        delivery: timedelta,
        max_bytes: int,
        round_robin: Sequence[str] = (),
        key: bytes | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Connect.

        Args:
            brokers: Address and credentials of Kafka.
            topic: Name of the topic.
            room: Largest number of records in flight.
            delivery: Longest time to deliver a record.
            max_bytes: Size of the largest record, as the topic allows.
            round_robin: Keys assigned round-robin to the partitions instead of being hashed.
            key: Key of each record's authentication code; None for no codes.
            clock: Returns monotonic seconds.

        Raises:
            Misconfigured: A certificate or key cannot be read.
            Unavailable: No broker answers.
        """
        self._topic = topic
        self._key = key
        self._room = threading.Semaphore(room)
        self._clock = clock
        self._lock = threading.Lock()
        self._in_flight = 0
        self._used = False
        self._moved_at = clock()  # when a record last arrived or failed, or none was in flight
        self._stuck_s = max(STUCK_S, 2 * delivery.total_seconds())
        self.failed: str = ""
        with kafka_errors(_TASK):
            self._producer = KafkaProducer(
                **brokers.client_arguments(),
                client_id="openlfr-ingest",
                **producer_arguments(delivery),
                linger_ms=5,
                batch_size=1 << 19,
                max_request_size=max_bytes,
                partitioner=RoundRobinPartitioner(round_robin),
            )

    def send(
        self,
        record: Record,
        *,
        wait: bool,
        stop: threading.Event,
        on_done: Callable[[bool], None] = lambda _: None,
    ) -> bool:
        """Send a record.

        Args:
            record: The record.
            wait: Whether to wait for room and for the broker; if not, the record may be dropped.
            stop: Event that ends the waiting.
            on_done: Called later, in another thread, with whether the broker has stored it.

        Returns:
            Whether the record is in flight.

        Raises:
            Unavailable: The broker does not accept the record, and `wait` is set.
        """
        while not self._room.acquire(timeout=_STOP_CHECK_S if wait else 0):
            if not wait or stop.is_set():
                return False

        def done(delivered: bool) -> None:
            self._count(-1)
            self._room.release()
            on_done(delivered)

        self._count(+1)
        if self._key is not None:
            record = seal.sign(record, self._key)
        try:
            with kafka_errors(_TASK):
                future: Any = self._producer.send(
                    self._topic, key=record.key, value=record.value, headers=record.headers
                )
        except (Unavailable, BadInput):
            self._count(-1)
            self._room.release()
            if wait:
                raise
            return False
        future.add_callback(lambda _: done(delivered=True))
        future.add_errback(lambda error: self._record_failure(error, done))
        return True

    def flush(self, timeout: timedelta) -> None:
        """Wait until the broker has stored every record.

        Raises:
            Unavailable: Not within `timeout`.
        """
        with kafka_errors(_TASK):
            self._producer.flush(timeout=timeout.total_seconds())

    def stalled(self) -> str:
        """Why the process must be restarted; empty while records arrive or fail."""
        with self._lock:
            in_flight, since = self._in_flight, self._clock() - self._moved_at
        if not in_flight or since <= self._stuck_s:
            return ""
        return (
            f"Of {in_flight} records on their way to {self._topic} none has arrived, and none has "
            f"failed, for {since:.0f} s."
        )

    @property
    def used(self) -> bool:
        """Whether a record was ever sent."""
        return self._used

    def close(self) -> None:
        """Close the connections; records still in flight have one second to arrive."""
        self._producer.close(timeout=1)

    def _count(self, more: int) -> None:
        """Count a record that is sent (+1), or that arrived or failed (-1)."""
        with self._lock:
            if more < 0 or not self._in_flight:
                self._moved_at = self._clock()
            self._in_flight += more
            self._used = True

    def _record_failure(self, error: BaseException, done: Callable[[bool], None]) -> None:
        self.failed = f"{type(error).__name__}: {error}"
        done(False)
