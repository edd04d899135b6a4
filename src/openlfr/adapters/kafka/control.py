"""Writing control.v1: what stands on it, and what is to stand there.

The topic has one partition and, at any time, one writer. That somebody else wrote too (a relay
that was paused and does not know yet that it lost its turn) shows in the offsets: those of one
writer alone follow upon each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaTimeoutError

from openlfr.adapters.kafka.delivery import producer_arguments
from openlfr.adapters.kafka.errors import answering
from openlfr.adapters.kafka.topics import CONTROL
from openlfr.domain.control import DeploymentForgotten, Forgotten, Heartbeat
from openlfr.domain.errors import BadInput
from openlfr.wire import codec, seal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from openlfr.adapters.kafka.access import KafkaAccess
    from openlfr.domain.control import ControlMessage, Standing

_PARTITION = TopicPartition(CONTROL.name, 0)
_TASK = f"serve {CONTROL.name}"
_STALLED_MS = 10_000  # without a record, while there are some


class ControlWriter:
    """The one writer of the control topic; one thread uses it."""

    def __init__(self, brokers: KafkaAccess, *, patience: timedelta, key: bytes) -> None:
        """Connect.

        Args:
            brokers: How Kafka is reached.
            key: Of the topic; every record is signed with it.
            patience: How long a record may be tried.

        Raises:
            Misconfigured: A certificate or key cannot be read.
            Unavailable: No broker answers.
        """
        self._access = brokers.client_arguments()
        self._key = key
        self._patience_ms = round(patience.total_seconds() * 1000)
        self._next: int | None = None  # the offset that the next record of ours gets
        with answering(_TASK):
            self._producer = KafkaProducer(
                **self._access,
                client_id="openlfr-control",
                **producer_arguments(patience),
                linger_ms=0,
            )

    def standing(self) -> dict[str, Standing | None]:
        """What stands on the topic under each key; None where that cannot be read.

        What `write` writes afterwards is expected to follow at once.

        Raises:
            Unavailable: No broker answers.
        """
        found: dict[str, Standing | None] = {}
        with answering(_TASK):
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
                    told = consumer.poll(timeout_ms=_STALLED_MS).get(_PARTITION, ())
                    if not told:
                        raise KafkaTimeoutError("its records do not come")
                    for record in told:
                        _note(found, record, self._key)
            finally:
                consumer.close()
        self._next = end
        return found

    def write(self, messages: Sequence[ControlMessage]) -> bool:
        """Write them in this order; on return the brokers have them all.

        Returns:
            Whether nobody else has written since the last time: else what stands on the topic is
            to be looked at again.

        Raises:
            Unavailable: The brokers did not take every one; some may stand there.
        """
        with answering(_TASK):
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


def _note(found: dict[str, Standing | None], record: Any, topic_key: bytes) -> None:
    """Take a record as a reader of the compacted topic would: the last of a key counts."""
    try:
        key = (record.key or b"").decode()
    except UnicodeDecodeError:
        return  # no reader makes anything of it, and no tombstone of ours reaches it
    try:
        seal.verify(record.headers, record.key, record.value, topic_key)
        message = codec.decode_control(record.key, record.value)
    except BadInput:  # what somebody else wrote is written over
        found[key] = None
        return
    if isinstance(message, Forgotten | DeploymentForgotten):
        found.pop(key, None)
    elif not isinstance(message, Heartbeat):
        found[key] = message
