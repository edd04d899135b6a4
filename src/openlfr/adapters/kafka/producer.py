"""A producer for threads, with a bounded number of records in flight and a callback for each.

kafka-python does not limit the number of records that wait to be sent, so `RecordSender` does. A
caller that must not lose a record waits for room, and a caller that must not wait drops the record.
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

_TASK = "accept records"
_STOP_CHECK_S = 0.2  # interval at which a caller that waits for room checks `stop`
STUCK_S = 60.0
"""Time without any record arriving or failing after which the sender counts as stuck.

It is at least twice the delivery time.
"""


class RecordSender:
    """A sender to one topic, which threads may share.

    Attributes:
        last_failure: The error of the last record that could not be delivered; empty without.
    """

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
            room: Maximum number of records in flight.
            delivery: Maximum time to deliver a record.
            max_bytes: Maximum size of a record, which the topic permits.
            round_robin: Keys that are assigned to partitions round-robin instead of by hash.
            key: Key of the records' authentication codes; None for records without codes.
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
        self._has_sent = False
        self._moved_at = (
            clock()
        )  # time at which a record last arrived or failed, or none was in flight
        self._stuck_s = max(STUCK_S, 2 * delivery.total_seconds())
        self.last_failure: str = ""
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
            wait: Whether to wait for room and for the broker. If False, the record may be dropped.
            stop: Event that ends the waiting.
            on_done: Called later from another thread: True if the broker has stored the record.

        Returns:
            True if the record is in flight, False if it was dropped.

        Raises:
            Unavailable: `wait` is True and the broker does not accept the record.
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
            Unavailable: Some records were not stored within `timeout`.
        """
        with kafka_errors(_TASK):
            self._producer.flush(timeout=timeout.total_seconds())

    def liveness_problem(self) -> str:
        """Return the reason for a restart of the process; empty while records arrive or fail."""
        with self._lock:
            in_flight, since = self._in_flight, self._clock() - self._moved_at
        if not in_flight or since <= self._stuck_s:
            return ""
        return (
            f"None of {in_flight} records in flight to {self._topic} has arrived or failed for "
            f"{since:.0f} s."
        )

    @property
    def has_sent(self) -> bool:
        """Whether any record was sent."""
        return self._has_sent

    def close(self) -> None:
        """Close the connections; records in flight have one second to arrive."""
        self._producer.close(timeout=1)

    def _count(self, change: int) -> None:
        """Count a record that was sent (+1), or that arrived or failed (-1)."""
        with self._lock:
            if change < 0 or not self._in_flight:
                self._moved_at = self._clock()
            self._in_flight += change
            self._has_sent = True

    def _record_failure(self, error: BaseException, done: Callable[[bool], None]) -> None:
        self.last_failure = f"{type(error).__name__}: {error}"
        done(False)
