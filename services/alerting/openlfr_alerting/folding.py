"""From a sighting that was delivered to an alert that is told.

The order is what survives `kill -9`: the fold (atomic, and the event is stored with it), then the
evidence, then alerts.v1, then the acknowledgement. A message that comes again because this process
died in between is folded by the same call (its place on the topic), so it gives the same event
again and the rest is made up for. The same sighting under another call, from frames that were
looked at twice, gives nothing.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from openlfr.adapters import tracing
from openlfr.adapters.dead_letters import set_aside
from openlfr.adapters.kafka_topics import ALERTS
from openlfr.domain.errors import BadInput
from openlfr.operations.evidence import decode
from openlfr.operations.fold_sighting import fold_sighting
from openlfr.wire import codec
from openlfr.wire.headers import read_headers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from openlfr.adapters.faust_agents import Message
    from openlfr.domain.evidence import CarriedEvidence
    from openlfr.domain.impossible import Movement
    from openlfr.ports import AlertBook, Vault
    from openlfr.wire.codec import Record

_SCHEMA = "openlfr.wire.v1.Sighting"

log = structlog.get_logger()


class Folding:
    """Folds the sightings of one worker; one thread calls it."""

    def __init__(
        self,
        book: AlertBook,
        vault: Vault,
        *,
        deployment: str,
        window: timedelta,
        movement: Movement,
    ) -> None:
        self._book = book
        self._vault = vault
        self._deployment = deployment
        self._window = window
        self._movement = movement
        self.counts: Counter[str] = Counter()

    def fold(self, messages: Sequence[Message]) -> list[tuple[str, Record]]:
        """The records that these messages give, by topic, in order; nothing for known sightings.

        Raises:
            Unavailable: Redis or the vault's disk does not answer.
        """
        return [record for message in messages if (record := self._fold(message)) is not None]

    def _fold(self, message: Message) -> tuple[str, Record] | None:
        try:
            headers = read_headers(message.headers, expect=_SCHEMA)
            sighting, carried = codec.decode_sighting(message.value)
            if sighting.deployment != self._deployment:
                raise BadInput("It belongs to another deployment.")  # noqa: TRY301
            content = b"" if carried is None else self._open(carried)
        except BadInput as error:
            return self._set_aside(message, str(error))
        event = fold_sighting(
            self._book,
            sighting,
            window=self._window,
            movement=self._movement,
            call=message.place,
        )
        if event is None:
            self.counts["known"] += 1
            return None
        if carried is not None and content:
            self._vault.put(carried.name, content)
        self.counts[str(event.event)] += 1
        if event.impossible is not None:
            self.counts["impossible"] += 1
        traceparent = tracing.go_on(headers.traceparent)
        log.info(
            "alert", kind=str(event.event), alert=event.alert_id, camera=sighting.camera,
            seq=sighting.seq, trace=tracing.trace_id(traceparent),
        )  # fmt: skip
        return ALERTS.name, codec.encode_alert(event, datetime.now(UTC), traceparent=traceparent)

    def _open(self, carried: CarriedEvidence) -> bytes:
        """Its evidence in clear, checked; empty where it lies in the vault already.

        Raises:
            BadInput: It cannot be opened, or is no evidence.
        """
        if not carried.content:
            return b""
        content = carried.content
        if carried.sealed:
            content = self._vault.unseal(carried.name, content)
        decode(content)
        return content

    def _set_aside(self, message: Message, reason: str) -> tuple[str, Record]:
        self.counts["set_aside"] += 1
        return set_aside(message, reason, service="alerting")
