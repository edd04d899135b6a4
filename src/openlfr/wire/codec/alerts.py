"""Sightings and alert events as records."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from openlfr.domain.alerts import AlertEvent, EventKind, event_id_of
from openlfr.domain.errors import BadInput
from openlfr.domain.evidence import SentEvidence
from openlfr.domain.impossible import ImpossibleMatch, ImpossibleReason
from openlfr.domain.sightings import Sighting
from openlfr.wire.codec.fields import (
    box_message,
    box_of,
    enum_name,
    parse,
    read_moment,
    required_enum,
    timestamp_of,
    unusable,
)
from openlfr.wire.codec.record import Record, record_of
from openlfr.wire.v1 import alert_pb2, impossible_pb2, sighting_pb2

if TYPE_CHECKING:
    from datetime import datetime


_SEALED, _UNSEALED = sighting_pb2.Evidence.SEALING_VAULT, sighting_pb2.Evidence.SEALING_NONE


def encode_sighting(
    sighting: Sighting, evidence: SentEvidence | None = None, *, traceparent: str = ""
) -> Record:
    """Encode a sighting; its key is deployment and subject, whose sightings stay in order."""
    message = sighting_pb2.Sighting(
        sighting_id=sighting.sighting_id,
        deployment=sighting.deployment,
        camera=sighting.camera,
        epoch=sighting.epoch,
        seq=sighting.seq,
        captured_at=timestamp_of(sighting.captured_at),
        subject=sighting.subject,
        watchlist=sighting.watchlist,
        reference_id=sighting.reference_id,
        box=box_message(sighting.box),
        score=float(sighting.score),
        threshold=float(sighting.threshold),
        quality=float(sighting.quality),
    )
    if sighting.conflicts_in_frame:
        message.twice = True
    if sighting.time_assumed:
        message.time_assumed = True
    if evidence is not None:
        message.evidence.name = evidence.name
        message.evidence.sealing = _SEALED if evidence.sealed else _UNSEALED
        message.evidence.content = evidence.content
    key = f"{sighting.deployment}/{sighting.subject}"
    return record_of(key, message, sighting.captured_at, traceparent)


def decode_sighting(value: bytes | None) -> tuple[Sighting, SentEvidence | None]:
    """Decode a sighting, and its evidence; None without evidence."""
    message = parse(sighting_pb2.Sighting, value)
    sighting = _sighting_of(message, message.seq, conflicts_in_frame=message.twice)
    if not message.HasField("evidence"):
        return sighting, None
    evidence = message.evidence
    if evidence.sealing not in (_SEALED, _UNSEALED):
        raise unusable(message, "the sealing of its evidence is unknown to this version")
    return sighting, SentEvidence(evidence.name, evidence.sealing == _SEALED, evidence.content)


def encode_alert(
    event: AlertEvent, emitted_at: datetime, *, has_picture: bool = True, traceparent: str = ""
) -> Record:
    """Encode an event; the key is the alert's id, so that the alert's events are read in order."""
    sighting = event.sighting
    message = alert_pb2.Alert(
        event=enum_name("EVENT", event.event),
        event_id=event.event_id,
        alert_id=event.alert_id,
        sighting_id=sighting.sighting_id,
        deployment=sighting.deployment,
        subject=sighting.subject,
        watchlist=sighting.watchlist,
        reference_id=sighting.reference_id,
        camera=sighting.camera,
        epoch=sighting.epoch,
        frame_index=sighting.seq,
        captured_at=timestamp_of(sighting.captured_at),
        emitted_at=timestamp_of(emitted_at),
        box=box_message(sighting.box),
        score=float(sighting.score),
        threshold=float(sighting.threshold),
        quality=float(sighting.quality),
    )
    if not has_picture:
        message.without_picture = True
    if (flag := event.impossible) is not None:
        impossible = impossible_pb2.Impossible(
            why=enum_name("WHY", flag.why),
            camera=flag.camera,
            seconds=flag.seconds,
            metres=flag.metres,
        )
        message.impossible.CopyFrom(impossible)
    if sighting.time_assumed:
        message.time_assumed = True
    return record_of(event.alert_id, message, sighting.captured_at, traceparent)


def decode_alert(value: bytes | None) -> tuple[AlertEvent, datetime, bool]:
    """Decode an event, its time of emission (UTC), and whether it has a picture."""
    message = parse(alert_pb2.Alert, value)
    flag = _flag_of(message)
    conflicts_in_frame = flag is not None and flag.why is ImpossibleReason.ONE_FRAME
    sighting = _sighting_of(message, message.frame_index, conflicts_in_frame=conflicts_in_frame)
    if message.event_id != event_id_of(message.sighting_id):
        raise unusable(message, "its event_id does not match its sighting")
    event = AlertEvent(
        event=required_enum(EventKind, message, "event"),
        event_id=message.event_id,
        alert_id=message.alert_id,
        sighting=sighting,
        impossible=flag,
    )
    return event, read_moment(message, "emitted_at"), not message.without_picture


def _flag_of(message: alert_pb2.Alert) -> ImpossibleMatch | None:
    """Return the flag of an impossible match; None also for a reason of a newer version."""
    if not message.HasField("impossible"):
        return None
    flag = message.impossible
    try:
        why = required_enum(ImpossibleReason, flag, "why")
    except BadInput:
        return None
    return ImpossibleMatch(why, flag.camera, flag.seconds, flag.metres)


def _sighting_of(
    message: sighting_pb2.Sighting | alert_pb2.Alert, seq: int, *, conflicts_in_frame: bool
) -> Sighting:
    try:
        uuid.UUID(message.sighting_id)
    except ValueError:
        raise unusable(message, "its sighting_id is not a UUID") from None
    return Sighting(
        sighting_id=message.sighting_id,
        deployment=message.deployment,
        camera=message.camera,
        epoch=message.epoch,
        seq=seq,
        subject=message.subject,
        watchlist=message.watchlist,
        reference_id=message.reference_id,
        captured_at=read_moment(message, "captured_at"),
        box=box_of(message.box),
        score=message.score,
        threshold=message.threshold,
        quality=message.quality,
        conflicts_in_frame=conflicts_in_frame,
        time_assumed=message.time_assumed,
    )
