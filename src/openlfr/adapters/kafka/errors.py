"""What kafka-python raises while brokers are asked, as our errors."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from kafka.errors import KafkaError, MessageSizeTooLargeError

from openlfr.domain.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def answering(task: str) -> Iterator[None]:
    """While the brokers are to do something.

    Args:
        task: What, to stand after "Kafka does not".

    Raises:
        BadInput: A record is larger than its topic takes.
        Unavailable: They do not.
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
