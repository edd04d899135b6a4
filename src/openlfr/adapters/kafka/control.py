"""Writing control.v1, and reading its present content.

The topic has one partition and, at any time, one writer. Offsets show whether another process wrote
too, such as a relay that was paused and does not know yet that it lost its leadership: the offsets
of a single writer are consecutive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaTimeoutError

from openlfr.adapters.kafka.delivery import producer_arguments
from openlfr.adapters.kafka.errors import kafka_errors
from openlfr.adapters.kafka.topics import CONTROL
from openlfr.domain.control import DeploymentForgotten, EntryForgotten, Heartbeat
from openlfr.domain.errors import BadInput
from openlfr.wire import codec, seal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from openlfr.adapters.kafka.access import KafkaAccess
    from openlfr.domain.control import ControlMessage, ControlState

_PARTITION = TopicPartition(CONTROL.name, 0)
_TASK = f"serve {CONTROL.name}"
_STALLED_MS = 10_000  # without a record, while there are some


class ControlWriter:
    """The one writer of the control topic; one thread uses it."""

    def __init__(self, brokers: KafkaAccess, *, patience: timedelta, key: bytes) -> None:
        """Connect.

        Args:
            brokers: Address and credentials of Kafka.
            key: The topic's key, which signs every record.
            patience: Longest time to deliver a record.

        Raises:
            Misconfigured: A certificate or key cannot be read.
            Unavailable: No broker answers.
        """
        self._access = brokers.client_arguments()
        self._key = key
        self._patience_ms = round(patience.total_seconds() * 1000)
        self._next: int | None = None  # the offset expected for our next record
        with kafka_errors(_TASK):
            self._producer = KafkaProducer(
                **self._access,
                client_id="openlfr-control",
                **producer_arguments(patience),
                linger_ms=0,
            )

    def standing(self) -> dict[str, ControlState | None]:
        """The newest message of each key; None where it cannot be read.

        The next `write` is expected to follow at once at the topic's end.

        Raises:
            Unavailable: No broker answers.
        """
        found: dict[str, ControlState | None] = {}
        with kafka_errors(_TASK):
            consumer = KafkaConsumer(
                **self._access,
                client_id="openlfr-control",
                group_id=None,
                enable_auto_commit=False,
                bootstrap_timeout_ms=self._patience_ms,
                request_timeout_ms=max(1000, self._patience_ms),
            )
            try:
                consumer.assign([_PARTITION])
                end = consumer.end_offsets([_PARTITION])[_PARTITION]
                consumer.seek(_PARTITION, consumer.beginning_offsets([_PARTITION])[_PARTITION])
                while consumer.position(_PARTITION) < end:
                    records = consumer.poll(timeout_ms=_STALLED_MS).get(_PARTITION, ())
                    if not records:
                        raise KafkaTimeoutError("its records do not come")
                    for record in records:
                        _compact(found, record, self._key)
            finally:
                consumer.close()
        self._next = end
        return found

    def write(self, messages: Sequence[ControlMessage]) -> bool:
        """Write messages in this order; on return the brokers have stored all of them.

        Returns:
            Whether this was the only writer since the last call; if not, read the topic again.

        Raises:
            Unavailable: The brokers did not accept every message; some may have been written.
        """
        with kafka_errors(_TASK):
            sent = [self._send(each) for each in messages]
            self._producer.flush(timeout=self._patience_ms / 1000)
            offsets = [each.get(timeout=0.1).offset for each in sent]
        alone = self._next is None or offsets == list(range(self._next, self._next + len(sent)))
        self._next = offsets[-1] + 1 if offsets else self._next
        return alone

    def close(self) -> None:
        """Close the connections."""
        self._producer.close(timeout=1)

    def _send(self, message: ControlMessage) -> Any:
        record = seal.sign(codec.encode_control(message), self._key)
        return self._producer.send(
            CONTROL.name, partition=0, key=record.key, value=record.value, headers=record.headers
        )


def _compact(found: dict[str, ControlState | None], record: Any, topic_key: bytes) -> None:
    """Apply a record as log compaction does: the last record of a key counts."""
    try:
        key = (record.key or b"").decode()
    except UnicodeDecodeError:
        return  # every reader ignores it, and our tombstones cannot have this key
    try:
        seal.verify(record.headers, record.key, record.value, topic_key)
        message = codec.decode_control(record.key, record.value)
    except BadInput:  # written by somebody else: to be overwritten
        found[key] = None
        return
    if isinstance(message, EntryForgotten | DeploymentForgotten):
        found.pop(key, None)
    elif not isinstance(message, Heartbeat):
        found[key] = message
