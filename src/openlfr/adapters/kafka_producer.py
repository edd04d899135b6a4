"""Sending records from threads: bounded, and every record's fate is told.

kafka-python has no limit of its own on what waits to be sent, so one is kept here: whoever may not
lose a record waits for room, whoever may not wait drops it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from kafka import KafkaProducer

from openlfr.adapters.kafka_answering import answering
from openlfr.domain.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from openlfr.adapters.kafka_access import KafkaAccess
    from openlfr.wire.codec import Record

_TASK = "take records"
_PATIENCE_S = 0.2  # how often one that waits for room looks whether it should stop


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
    ) -> None:
        """Connect.

        Args:
            brokers: How Kafka is reached.
            topic: Where to.
            room: How many records may be on their way.
            delivery: How long one may be tried.
            max_bytes: Largest record, as the topic has it.

        Raises:
            Unavailable: No broker answers.
        """
        self._topic = topic
        self._room = threading.Semaphore(room)
        self.failed: str = ""
        timeout_ms = round(delivery.total_seconds() * 1000)
        with answering(_TASK):
            self._producer = KafkaProducer(
                **brokers.client_arguments(),
                client_id="openlfr-ingest",
                acks="all",
                enable_idempotence=True,
                linger_ms=5,
                batch_size=1 << 19,
                max_request_size=max_bytes,
                max_block_ms=timeout_ms,
                delivery_timeout_ms=timeout_ms,
                request_timeout_ms=min(30_000, max(1000, timeout_ms - 10)),
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
            self._room.release()
            on_done(delivered)

        try:
            with answering(_TASK):
                future: Any = self._producer.send(
                    self._topic, key=record.key, value=record.value, headers=record.headers
                )
        except (Unavailable, BadInput):
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
        with answering(_TASK):
            self._producer.flush(timeout=timeout.total_seconds())

    def close(self) -> None:
        """Close the connections; what is still on its way gets a second."""
        self._producer.close(timeout=1)

    def _missed(self, error: BaseException, done: Callable[[bool], None]) -> None:
        self.failed = f"{type(error).__name__}: {error}"
        done(False)
