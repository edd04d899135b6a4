"""Sending records from threads: bounded, and every record's fate is told.

kafka-python has no limit of its own on what waits to be sent, so one is kept here: whoever may not
lose a record waits for room, whoever may not wait drops it.
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
_PATIENCE_S = 0.2  # how often one that waits for room looks whether it should stop
STUCK_S = 60.0
"""How long nothing may become of what is on its way; or twice as long as a record is tried."""


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
            brokers: How Kafka is reached.
            topic: Where to.
            room: How many records may be on their way.
            delivery: How long one may be tried.
            max_bytes: Largest record, as the topic has it.
            round_robin: Keys assigned round-robin to the partitions instead of being hashed.
            key: Under which each record gets an authentication code; None: it gets none.
            clock: Seconds, only ever growing.

        Raises:
            Misconfigured: A certificate or key cannot be read.
            Unavailable: No broker answers.
        """
        self._topic = topic
        self._key = key
        self._room = threading.Semaphore(room)
        self._clock = clock
        self._lock = threading.Lock()
        self._on_way = 0
        self._used = False
        self._told = clock()  # when something last became of a record, or nothing was on its way
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
            record: What to send.
            wait: For room and for the broker; else it is dropped where either lacks.
            stop: Ends the waiting.
            on_done: Told later, from another thread, whether the broker has it.

        Returns:
            Whether it is on its way.

        Raises:
            Unavailable: The broker does not take it, and `wait` was asked for.
        """
        while not self._room.acquire(timeout=_PATIENCE_S if wait else 0):
            if not wait or stop.is_set():
                return False

        def done(delivered: bool) -> None:
            self._note(-1)
            self._room.release()
            on_done(delivered)

        self._note(+1)
        if self._key is not None:
            record = seal.sign(record, self._key)
        try:
            with kafka_errors(_TASK):
                future: Any = self._producer.send(
                    self._topic, key=record.key, value=record.value, headers=record.headers
                )
        except (Unavailable, BadInput):
            self._note(-1)
            self._room.release()
            if wait:
                raise
            return False
        future.add_callback(lambda _: done(delivered=True))
        future.add_errback(lambda error: self._missed(error, done))
        return True

    def flush(self, timeout: timedelta) -> None:
        """Wait until everything is with the broker.

        Raises:
            Unavailable: It is not within `timeout`.
        """
        with kafka_errors(_TASK):
            self._producer.flush(timeout=timeout.total_seconds())

    def stalled(self) -> str:
        """Why the process is to be started anew; empty while records arrive, or fail."""
        with self._lock:
            on_way, since = self._on_way, self._clock() - self._told
        if not on_way or since <= self._stuck_s:
            return ""
        return (
            f"Of {on_way} records on their way to {self._topic} none has arrived, and none has "
            f"failed, for {since:.0f} s."
        )

    @property
    def used(self) -> bool:
        """Whether a record was ever sent."""
        return self._used

    def close(self) -> None:
        """Close the connections; what is still on its way gets a second."""
        self._producer.close(timeout=1)

    def _note(self, more: int) -> None:
        """One more record is on its way, or one less: something became of it."""
        with self._lock:
            if more < 0 or not self._on_way:
                self._told = self._clock()
            self._on_way += more
            self._used = True

    def _missed(self, error: BaseException, done: Callable[[bool], None]) -> None:
        self.failed = f"{type(error).__name__}: {error}"
        done(False)
