"""From a sighting that was delivered to an alert that is told.

The order is that of `operations.raise_alert`, and then the acknowledgement. A message that comes
again because this process died in between is folded by the same call (its place on the topic), so
it gives the same event again and the rest is made up for. The same sighting under another call,
from frames that were looked at twice, gives nothing.
"""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from openlfr.adapters.kafka.dead_letters import set_aside
from openlfr.adapters.kafka.topics import ALERTS, SIGHTINGS
from openlfr.adapters.telemetry import tracing
from openlfr.bootstrap import ids_of
from openlfr.domain.deployment import DeploymentStatus
from openlfr.domain.errors import BadInput, Unavailable
from openlfr.operations.evidence import decode, evidence_name
from openlfr.operations.raise_alert import AlertStores, raise_alert
from openlfr.stages.obscure import is_opaque
from openlfr.wire import codec, seal
from openlfr.wire.headers import read_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from openlfr.adapters.faust.agents import Message
    from openlfr.domain.alerts import AlertEvent
    from openlfr.domain.deployment import Deployment
    from openlfr.domain.evidence import CarriedEvidence
    from openlfr.domain.ids import Ids
    from openlfr.domain.impossible import Movement
    from openlfr.domain.sightings import Sighting
    from openlfr.operations.fold_sighting import AlertDirectory
    from openlfr.ports import AlertBook, Vault
    from openlfr.wire.codec import Record

_SCHEMA = "openlfr.wire.v1.Sighting"
FOLLOWED = timedelta(seconds=2)
"""Within which every process follows a pause."""
SILENT_S = 10.0
"""For how long records that did not answer are not asked again: no alert waits for them."""

log = structlog.get_logger()


class SightingProcessor:
    """Folds the sightings of one worker; one thread calls it."""

    def __init__(
        self,
        book: AlertBook,
        vault: Vault,
        *,
        deployments: Callable[[str], Deployment | None],
        window: timedelta,
        movement: Movement,
        directory: AlertDirectory,
    ) -> None:
        self._stores = AlertStores(book, vault, self, window, movement)
        self._homes = directory
        self._vault = vault
        self._deployments = deployments
        self._ids: dict[str, Ids] = {}
        self._key = vault.derive(seal.purpose_of(SIGHTINGS.name))
        self._alert_key = vault.derive(seal.purpose_of(ALERTS.name))
        self._ask_again = 0.0
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
            seal.verify(message.headers, message.key, message.value, self._key)
            sighting, carried = codec.decode_sighting(message.value)
            self._require_ours(sighting)
            _require_its_own(carried, sighting)
        except BadInput as error:
            return self._set_aside(message, str(error))
        content = None if carried is None else self._open(carried, sighting, message)
        traceparent = tracing.continue_trace(headers.traceparent)
        told: list[Record] = []

        def publish(event: AlertEvent) -> None:
            now, pictured = datetime.now(UTC), content is not None
            record = codec.encode_alert(event, now, pictured=pictured, traceparent=traceparent)
            told.append(seal.sign(record, self._alert_key))

        event = raise_alert(
            sighting,
            content,
            self._stores,
            publish=publish,
            record=lambda _: None,  # `recording` reads alerts.v1
            call=message.place,
        )
        if event is None:
            self.counts["known"] += 1
            return None
        self.counts[str(event.event)] += 1
        if event.impossible is not None:
            self.counts["impossible"] += 1
        log.info(
            "alert", kind=str(event.event), alert=event.alert_id, camera=sighting.camera,
            seq=sighting.seq, trace=tracing.trace_id(traceparent),
        )  # fmt: skip
        return ALERTS.name, told[0]

    def assign_alert(self, event: AlertEvent, window: timedelta) -> AlertEvent:
        """The event under the alert to which it belongs by the records.

        Where they do not answer it is published as the book has it: recording merges later.
        """
        if time.monotonic() < self._ask_again:
            self.counts["records_not_asked"] += 1
            return event
        try:
            return self._homes.assign_alert(event, window)
        except Unavailable as error:
            self._ask_again = time.monotonic() + SILENT_S
            self.counts["records_not_asked"] += 1
            log.warning("records_not_asked", alert=event.alert_id, why=str(error))
            return event

    def _require_ours(self, sighting: Sighting) -> None:
        """Believe no other service, one that has the topic's key neither.

        Raises:
            BadInput: A deployment or a camera that the records do not know, one that was altered
                in them, a moment outside the hours or after a pause, or an id that is not that of
                the content.
        """
        known = self._deployments(sighting.deployment)
        if known is None:
            raise BadInput(
                f"It is of the deployment {sighting.deployment!r}, which the records do not know, "
                "or not with its cameras."
            )
        if known.altered:
            raise BadInput(
                f"{known.name!r} was altered in the database ({known.altered}): nobody is searched "
                "for under it."
            )
        if known.cameras and sighting.camera not in known.cameras:
            raise BadInput(f"{known.name!r} has no camera {sighting.camera!r}.")
        at, since = sighting.captured_at, known.changed_at
        if known.status is not DeploymentStatus.STARTED and since and at > since + FOLLOWED:
            raise BadInput(
                f"It was captured at {at.isoformat()}, and {known.name!r} is {known.status} since "
                f"{since.isoformat()}."
            )
        if not known.authorisation.covers(sighting.captured_at):
            raise BadInput(
                f"It was captured at {sighting.captured_at.isoformat()}, outside the hours of "
                f"{known.name!r}."
            )
        ids = self._ids.get(known.deployment_id) or ids_of(known.deployment_id, self._vault)
        self._ids[known.deployment_id] = ids
        named = ids.sighting_id(sighting.camera, sighting.epoch, sighting.seq, sighting.subject)
        if sighting.sighting_id != named:
            raise BadInput("Its sighting_id is not that of its content.")

    def _open(self, carried: CarriedEvidence, sighting: Sighting, message: Message) -> bytes | None:
        """Its evidence in clear; empty where it lies in the vault already, None if it is damaged.

        No picture is worth an alert: one that cannot be opened is counted, and the alert is told
        without it.
        """
        if not carried.content:
            return carried.content
        try:
            return self._unsealed(carried, sighting)
        except BadInput as error:
            self.counts["without_evidence"] += 1
            log.warning(
                "evidence_not_opened", place=message.place, why=str(error),
                do="compare the vault's key with that of analysis",
            )  # fmt: skip
            return None

    def _unsealed(self, carried: CarriedEvidence, sighting: Sighting) -> bytes:
        """Its evidence in clear.

        Raises:
            BadInput: It is not sealed, is damaged, or its scene is finer than masking makes one.
        """
        if not carried.sealed:
            raise BadInput("It is not sealed.")
        content = self._vault.unseal(carried.name, carried.content)
        if not is_opaque(decode(content).scene, sighting.box):
            raise BadInput("Its scene shows more than it may.")
        return content

    def _set_aside(self, message: Message, reason: str) -> tuple[str, Record]:
        self.counts["set_aside"] += 1
        return set_aside(message, reason, service="alerting")


def _require_its_own(carried: CarriedEvidence | None, sighting: Sighting) -> None:
    """See that a picture has the name of its sighting.

    Raises:
        BadInput: It has another's.
    """
    if carried is not None and carried.name != evidence_name(sighting.sighting_id):
        raise BadInput("Its picture has a name that belongs to another.")
