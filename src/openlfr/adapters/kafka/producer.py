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
"""Time in which no record in flight arrived or failed, after which the sender counts as stuck.

The limit of a sender is the larger of this time and twice its delivery timeout.
"""


class RecordSender:
    """Sends records to one topic; thread-safe.

    Attributes:
        last_failure: The error of the last record that could not be delivered; empty if every
            record was delivered.
    """

    def __init__(
        self,
        brokers: KafkaAccess,
        topic: str,
        *,
        max_in_flight: int,
        delivery_timeout: timedelta,
        max_bytes: int,
        round_robin_keys: Sequence[str] = (),
        signing_key: bytes | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Connect.

        Args:
            brokers: Address and credentials of Kafka.
            topic: Name of the topic.
            max_in_flight: Maximum number of records that were sent and not yet acknowledged.
            delivery_timeout: Maximum time to deliver a record; afterwards the record has failed.
            max_bytes: Maximum size of a record, at most the `max.message.bytes` of the topic.
            round_robin_keys: Record keys that are assigned to partitions in turn; other keys are
                assigned by hash.
            signing_key: Secret of the authentication code of each record; None for records without
                codes.
            clock: Returns monotonic seconds.

        Raises:
            Misconfigured: A TLS certificate or private key cannot be read.
            Unavailable: No broker answers.
        """
        self._topic = topic
        self._signing_key = signing_key
        self._room = threading.Semaphore(max_in_flight)
        self._clock = clock
        self._lock = threading.Lock()
        self._in_flight = 0
        self._has_sent = False
        # Time of the latest progress: a record was acknowledged or failed, or none was in flight.
        self._moved_at = clock()
        self._stuck_s = max(STUCK_S, 2 * delivery_timeout.total_seconds())
        self.last_failure: str = ""
        with kafka_errors(_TASK):
            self._producer = KafkaProducer(
                **brokers.client_arguments(),
                client_id="openlfr-ingest",
                **producer_arguments(delivery_timeout),
                linger_ms=5,
                batch_size=1 << 19,
                max_request_size=max_bytes,
                partitioner=RoundRobinPartitioner(round_robin_keys),
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
        if self._signing_key is not None:
            record = seal.sign(record, self._signing_key)
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
