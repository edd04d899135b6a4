"""Turns delivered sightings into published alerts.

A sighting is folded by `operations.raise_alert` and then acknowledged. If this process dies in
between, Kafka delivers the message again. The sighting is folded again with the same call id (its
place on the topic), which gives the same event and completes the missing steps. A repeated sighting
with another call id comes from frames that were analysed twice, and gives no event.
"""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

import structlog

from openlfr.adapters.kafka.dead_letters import report_unusable
from openlfr.adapters.kafka.topics import ALERTS, SIGHTINGS
from openlfr.adapters.telemetry import tracing
from openlfr.bootstrap import make_ids
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
    from openlfr.domain.evidence import SentEvidence
    from openlfr.domain.ids import Ids
    from openlfr.domain.impossible import Movement
    from openlfr.domain.sightings import Sighting
    from openlfr.operations.fold_sighting import AlertDirectory
    from openlfr.ports import AlertBook, Vault
    from openlfr.wire.codec import Record

_Result = TypeVar("_Result")
_SCHEMA = "openlfr.wire.v1.Sighting"
PAUSE_DELAY = timedelta(seconds=2)
"""Greatest time until every process has received a pause."""
RECORDS_RETRY_S = 10.0
"""Seconds during which records that did not answer are not read again, so that no alert waits."""

log = structlog.get_logger()


class SightingProcessor:
    """Folds the sightings of one worker into alerts; one thread calls it."""

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
        self._directory = directory
        self._vault = vault
        self._deployments = deployments
        self._ids: dict[str, Ids] = {}
        self._key = vault.derive(seal.purpose_of(SIGHTINGS.name))
        self._alert_key = vault.derive(seal.purpose_of(ALERTS.name))
        self._read_records_after = 0.0  # by time.monotonic()
        self.counts: Counter[str] = Counter()

    def fold(self, messages: Sequence[Message]) -> list[tuple[str, Record]]:
        """Fold sightings; return the records of new alert events and dead letters, with topics.

        Raises:
            Unavailable: Redis or the vault's disk does not answer.
        """
        return [record for message in messages if (record := self._fold(message)) is not None]

    def _fold(self, message: Message) -> tuple[str, Record] | None:
        try:
            headers = read_headers(message.headers, expected_schema=_SCHEMA)
            seal.verify(message.headers, message.key, message.value, self._key)
            sighting, carried = codec.decode_sighting(message.value)
            self._require_authorised(sighting)
            _require_own_picture(carried, sighting)
        except BadInput as error:
            return self._to_dead_letter(message, str(error))
        content = None if carried is None else self._open(carried, sighting, message)
        traceparent = tracing.continue_trace(headers.traceparent)
        published: list[Record] = []

        def publish(event: AlertEvent) -> None:
            now, has_picture = datetime.now(UTC), content is not None
            record = codec.encode_alert(
                event, now, has_picture=has_picture, traceparent=traceparent
            )
            published.append(seal.sign(record, self._alert_key))

        event = raise_alert(
            sighting,
            content,
            self._stores,
            publish=publish,
            record=lambda _: None,  # `recording.py` records the events of alerts.v1
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
        return ALERTS.name, published[0]

    def assign_alert(self, event: AlertEvent, window: timedelta) -> AlertEvent:
        """Return the event with the id of its alert in the records.

        If the records do not answer, the event retains the id from the alert book. If the records
        have another alert for the event, both alerts are merged when the event is recorded.
        """
        assigned = self._read_records(lambda: self._directory.assign_alert(event, window))
        if assigned is None:
            self.counts["records_not_asked"] += 1
        return assigned or event

    def is_erased(self, event_id: str) -> bool:
        """Return whether the event was erased; False if the records do not answer."""
        return self._read_records(lambda: self._directory.is_erased(event_id)) or False

    def _read_records(self, read: Callable[[], _Result]) -> _Result | None:
        """Return the result of `read`; None if the records do not answer, or did not recently."""
        if time.monotonic() < self._read_records_after:
            return None
        try:
            return read()
        except Unavailable as error:
            self._read_records_after = time.monotonic() + RECORDS_RETRY_S
            log.warning("records_not_asked", why=str(error))
            return None

    def _require_authorised(self, sighting: Sighting) -> None:
        """Check a signed sighting against its deployment.

        Raises:
            BadInput: The deployment is unknown, was altered, lacks the camera, or was not in force
                at the time of capture; or the id is not computed from the content.
        """
        deployment = self._deployments(sighting.deployment)
        if deployment is None:
            raise BadInput(
                f"The sighting is of the deployment {sighting.deployment!r}, which the records "
                "lack, or whose cameras they lack."
            )
        if deployment.alteration:
            raise BadInput(
                f"{deployment.name!r} was altered in the database ({deployment.alteration}), so "
                "its sightings are rejected."
            )
        if deployment.cameras and sighting.camera not in deployment.cameras:
            raise BadInput(f"{deployment.name!r} has no camera {sighting.camera!r}.")
        at, since = sighting.captured_at, deployment.changed_at
        if deployment.status is not DeploymentStatus.STARTED and since and at > since + PAUSE_DELAY:
            raise BadInput(
                f"The sighting was captured at {at.isoformat()}, but {deployment.name!r} is "
                f"{deployment.status} since {since.isoformat()}."
            )
        if not deployment.authorisation.covers(sighting.captured_at):
            raise BadInput(
                f"The sighting was captured at {sighting.captured_at.isoformat()}, outside the "
                f"hours of {deployment.name!r}."
            )
        ids = self._ids.get(deployment.deployment_id) or make_ids(
            deployment.deployment_id, self._vault
        )
        self._ids[deployment.deployment_id] = ids
        expected_id = ids.sighting_id(
            sighting.camera, sighting.epoch, sighting.seq, sighting.subject
        )
        if sighting.sighting_id != expected_id:
            raise BadInput("The sighting_id does not match the sighting's content.")

    def _open(self, carried: SentEvidence, sighting: Sighting, message: Message) -> bytes | None:
        """Return the decrypted evidence; empty if the vault already has it, None if damaged.

        Damaged evidence is counted, and the alert is published without a picture, since an alert
        matters more than its picture.
        """
        if not carried.content:
            return carried.content
        try:
            return self._unseal(carried, sighting)
        except BadInput as error:
            self.counts["without_evidence"] += 1
            log.warning(
                "evidence_not_opened", place=message.place, why=str(error),
                do="compare the vault's key with that of analysis",
            )  # fmt: skip
            return None

    def _unseal(self, carried: SentEvidence, sighting: Sighting) -> bytes:
        """Return the decrypted evidence.

        Raises:
            BadInput: The evidence is not sealed, is damaged, or its scene is not masked.
        """
        if not carried.sealed:
            raise BadInput("The evidence is not sealed.")
        content = self._vault.unseal(carried.name, carried.content)
        if not is_opaque(decode(content).scene, sighting.box):
            raise BadInput("The scene of the evidence is not masked.")
        return content

    def _to_dead_letter(self, message: Message, reason: str) -> tuple[str, Record]:
        self.counts["set_aside"] += 1
        return report_unusable(message, reason, service="alerting")


def _require_own_picture(carried: SentEvidence | None, sighting: Sighting) -> None:
    """Check that a picture has the name of its sighting.

    Raises:
        BadInput: The picture has another name.
    """
    if carried is not None and carried.name != evidence_name(sighting.sighting_id):
        raise BadInput("The picture's name is not the name of this sighting's picture.")
