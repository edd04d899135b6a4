"""The writer of verdicts.v1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kafka import KafkaProducer

from openlfr.adapters.kafka.delivery import producer_arguments
from openlfr.adapters.kafka.errors import kafka_errors
from openlfr.adapters.kafka.topics import VERDICTS
from openlfr.wire import codec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from openlfr.adapters.kafka.access import KafkaAccess
    from openlfr.domain.verdicts import VerdictEvent

_TASK = f"serve {VERDICTS.name}"


class VerdictWriter:
    """A writer of the topic of verdicts, for one thread."""

    def __init__(self, brokers: KafkaAccess, *, patience: timedelta) -> None:
        """Connect.

        Args:
            brokers: Address and credentials of Kafka.
            patience: Maximum time to deliver a record.

        Raises:
            Misconfigured: A certificate or key cannot be read.
            Unavailable: No broker answers.
        """
        self._patience_s = patience.total_seconds()
        with kafka_errors(_TASK):
            self._producer = KafkaProducer(
                **brokers.client_arguments(),
                client_id="openlfr-verdicts",
                **producer_arguments(patience),
                linger_ms=0,
            )

    def write(self, events: Sequence[VerdictEvent]) -> None:
        """Publish events in this order; on return the brokers have stored all events.

        Raises:
            Unavailable: The brokers did not store every event; some may have been published.
        """
        with kafka_errors(_TASK):
            futures = []
            for event in events:
                record = codec.encode_verdict(event)
                futures.append(
                    self._producer.send(
                        VERDICTS.name, key=record.key, value=record.value, headers=record.headers
                    )
                )
            self._producer.flush(timeout=self._patience_s)
            for each in futures:
                each.get(timeout=0.1)

    def close(self) -> None:
        """Close the connections."""
        self._producer.close(timeout=1)
