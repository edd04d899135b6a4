"""Translation of kafka-python's exceptions into OpenLFR's errors."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from kafka.errors import KafkaError, MessageSizeTooLargeError

from openlfr.domain.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def kafka_errors(task: str) -> Iterator[None]:
    """Turn the exceptions of this block into OpenLFR's errors.

    Args:
        task: A verb phrase for the message, to follow "Kafka does not".

    Raises:
        BadInput: A record is larger than its topic accepts.
        Unavailable: The brokers do not answer, or refuse the request.
    """
    try:
        yield
    except MessageSizeTooLargeError as error:
        raise BadInput(f"A record is too large for Kafka: {error}") from error
    except KafkaError as error:
        raise Unavailable(
            f"Kafka does not {task} ({type(error).__name__}: {error}): check services.kafka and "
            "that its brokers run."
        ) from error
