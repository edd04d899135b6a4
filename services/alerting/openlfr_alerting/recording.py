"""Writes alerts into the records: once each, however often they come."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from openlfr.adapters.kafka_topics import DEAD_LETTERS
from openlfr.domain.dead_letters import dead_letter
from openlfr.domain.errors import BadInput
from openlfr.operations.evidence import evidence_name
from openlfr.wire import codec
from openlfr.wire.headers import read_headers

if TYPE_CHECKING:
    from openlfr.adapters.faust_agents import Message
    from openlfr.adapters.sql import Records
    from openlfr.wire.codec import Record

_SCHEMA = "openlfr.wire.v1.Alert"

log = structlog.get_logger()


class Recording:
    """Records the alerts of one worker; one thread calls it."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self.counts: Counter[str] = Counter()

    def record(self, message: Message) -> tuple[str, Record] | None:
        """Record a message's event; what cannot be read comes back as a dead letter's record.

        Raises:
            Unavailable: The database does not answer.
        """
        try:
            read_headers(message.headers, expect=_SCHEMA)
            event, emitted_at = codec.decode_alert(message.value)
        except BadInput as error:
            self.counts["set_aside"] += 1
            log.warning("set_aside", place=message.place, why=str(error))
            letter = dead_letter(
                message.value,
                topic=message.topic,
                partition=message.partition,
                offset=message.offset,
                service="alerting",
                reason=str(error),
                at=datetime.now(UTC),
            )
            return DEAD_LETTERS.name, codec.encode_dead_letter(letter)
        name = evidence_name(event.sighting.sighting_id)
        new = self._records.alerts.record(event, name, emitted_at=emitted_at)
        self.counts["recorded" if new else "known"] += 1
        return None
