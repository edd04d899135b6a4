"""The writer of control.v1, which also reads the topic's present content.

The topic has one partition and, at any time, one writer. The offsets of a single writer are
consecutive. Other offsets show that another process wrote too, such as a relay that was paused and
has lost its leadership without noticing.
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
_MAX_WAIT_MS = 10_000  # without a record, before the end of the topic


class ControlWriter:
    """The only writer of the control topic, for one thread."""

    def __init__(self, brokers: KafkaAccess, *, patience: timedelta, key: bytes) -> None:
        """Connect.

        Args:
            brokers: Address and credentials of Kafka.
            key: The topic's key, which signs every record.
            patience: Maximum time to deliver a record.

        Raises:
            Misconfigured: A certificate or key cannot be read.
            Unavailable: No broker answers.
        """
        self._access = brokers.client_arguments()
        self._key = key
        self._patience_ms = round(patience.total_seconds() * 1000)
        self._next: int | None = None  # the expected offset of our next record
        with kafka_errors(_TASK):
            self._producer = KafkaProducer(
                **self._access,
                client_id="openlfr-control",
                **producer_arguments(patience),
                linger_ms=0,
            )

    def read_newest_messages(self) -> dict[str, ControlState | None]:
        """Return the newest message of each key; None for an unreadable message.

        The next `write` reports another writer if a record was added after this call.

        Raises:
            Unavailable: No broker answers.
        """
        newest: dict[str, ControlState | None] = {}
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
                    records = consumer.poll(timeout_ms=_MAX_WAIT_MS).get(_PARTITION, ())
                    if not records:
                        raise KafkaTimeoutError("its records do not arrive")
                    for record in records:
                        _compact(newest, record, self._key)
            finally:
                consumer.close()
        self._next = end
        return newest

    def write(self, messages: Sequence[ControlMessage]) -> bool:
        """Write messages in this order; on return the brokers have stored all messages.

        Returns:
            Whether no other process has written since the last `write` or
            `read_newest_messages`. If False, read the topic again.

        Raises:
            Unavailable: The brokers did not store every message; some may have been stored.
        """
        with kafka_errors(_TASK):
            futures = [self._send(each) for each in messages]
            self._producer.flush(timeout=self._patience_ms / 1000)
            offsets = [each.get(timeout=0.1).offset for each in futures]
        is_only_writer = self._next is None or offsets == list(
            range(self._next, self._next + len(futures))
        )
        self._next = offsets[-1] + 1 if offsets else self._next
        return is_only_writer

    def close(self) -> None:
        """Close the connections."""
        self._producer.close(timeout=1)

    def _send(self, message: ControlMessage) -> Any:
        record = seal.sign(codec.encode_control(message), self._key)
        return self._producer.send(
            CONTROL.name, partition=0, key=record.key, value=record.value, headers=record.headers
        )


def _compact(newest: dict[str, ControlState | None], record: Any, topic_key: bytes) -> None:
    """Apply a record as log compaction does: the last record of a key replaces earlier ones.

    An invalid record becomes None, a tombstone removes the key, and heartbeats are left out.
    """
    try:
        key = (record.key or b"").decode()
    except UnicodeDecodeError:
        return  # every reader ignores such a record, and our tombstones cannot have its key
    try:
        seal.verify(record.headers, record.key, record.value, topic_key)
        message = codec.decode_control(record.key, record.value)
    except BadInput:  # another program wrote the record, so the relay overwrites it
        newest[key] = None
        return
    if isinstance(message, EntryForgotten | DeploymentForgotten):
        newest.pop(key, None)
    elif not isinstance(message, Heartbeat):
        newest[key] = message
