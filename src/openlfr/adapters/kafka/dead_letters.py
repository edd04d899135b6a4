"""Dead letters: records about unusable messages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from openlfr.adapters.kafka.topics import DEAD_LETTERS
from openlfr.domain.dead_letters import make_dead_letter
from openlfr.wire import codec

if TYPE_CHECKING:
    from openlfr.adapters.faust.agents import Message
    from openlfr.wire.codec import Record

log = structlog.get_logger()


def report_unusable(message: Message, reason: str, *, service: str) -> tuple[str, Record]:
    """Log an unusable message; return the topic of dead letters and the record to publish.

    Args:
        message: The delivered message; its content is not copied.
        reason: The reason why the message is unusable, one sentence.
        service: Name of the service that cannot use the message.
    """
    log.warning("set_aside", place=message.place, why=reason)
    letter = make_dead_letter(
        message.value,
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        service=service,
        reason=reason,
        at=datetime.now(UTC),
    )
    return DEAD_LETTERS.name, codec.encode_dead_letter(letter)
