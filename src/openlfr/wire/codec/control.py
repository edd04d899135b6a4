"""Changes of the watchlist and heartbeats as records."""

from __future__ import annotations

from openlfr.domain.control import ControlMessage, Forgotten, Heartbeat, ManifestChange
from openlfr.domain.errors import BadInput
from openlfr.domain.watchlist import EntryStatus
from openlfr.wire.codec.fields import broken, moment, parse, said, stamp, word
from openlfr.wire.codec.record import Record, record_of
from openlfr.wire.headers import write_headers
from openlfr.wire.v1 import control_pb2

HEARTBEAT_KEY = b"heartbeat"
"""Key of heartbeats on the control topic; no reference has it, since those are UUIDs."""


def encode_control(content: ControlMessage) -> Record:
    """Key: the reference or `HEARTBEAT_KEY`; a forgotten reference is a tombstone."""
    if isinstance(content, Forgotten):
        schema = control_pb2.Control.DESCRIPTOR.full_name
        return Record(content.reference_id.encode(), None, write_headers(schema))
    if isinstance(content, Heartbeat):
        beat = control_pb2.Heartbeat(sent_at=stamp(content.sent_at), version=content.version)
        message = control_pb2.Control(heartbeat=beat)
        return record_of(HEARTBEAT_KEY.decode(), message)
    entry = control_pb2.ManifestEntry(
        reference_id=content.reference_id,
        watchlist=content.watchlist,
        template_hash=content.template_hash,
        expires=stamp(content.expires),
        status=word("STATUS", content.status),
        version=content.version,
        changed_at=stamp(content.changed_at),
        category=content.category or None,
        entry_hash=content.entry_hash or None,
    )
    return record_of(content.reference_id, control_pb2.Control(entry=entry))


def decode_control(key: bytes | None, value: bytes | None) -> ControlMessage:
    """What `encode_control` wrote; an entry whose status is unknown here counts as suspended."""
    if value is None:
        try:
            return Forgotten((key or b"").decode("ascii"))
        except UnicodeDecodeError:
            raise BadInput("This tombstone has a key that is no reference.") from None
    message = parse(control_pb2.Control, value)
    match message.WhichOneof("content"):
        case "heartbeat":
            beat = message.heartbeat
            return Heartbeat(sent_at=moment(beat, "sent_at"), version=beat.version)
        case "entry":
            return _change_of(message.entry, key)
    raise broken(message, "it holds nothing that this version knows")


def _change_of(entry: control_pb2.ManifestEntry, key: bytes | None) -> ManifestChange:
    if key != entry.reference_id.encode():
        raise broken(entry, "its key is not its reference")
    try:
        status = said(EntryStatus, entry, "status")
    except BadInput:
        if not entry.status:
            raise
        status = EntryStatus.SUSPENDED  # whatever a newer version means, it is not "active"
    if status is EntryStatus.ACTIVE and not entry.template_hash:
        raise broken(entry, "it is active and has no template_hash")
    return ManifestChange(
        reference_id=entry.reference_id,
        watchlist=entry.watchlist,
        template_hash=entry.template_hash,
        expires=moment(entry, "expires"),
        status=status,
        version=entry.version,
        changed_at=moment(entry, "changed_at"),
        category=entry.category,
        entry_hash=entry.entry_hash,
    )
