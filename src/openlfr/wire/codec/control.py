"""Changes of the watchlist and of deployments, and heartbeats, as records."""

from __future__ import annotations

from openlfr.domain.control import (
    DEPLOYMENT_KEY_PREFIX,
    ControlMessage,
    DeploymentForgotten,
    DeploymentState,
    EntryForgotten,
    Heartbeat,
    ManifestChange,
    tombstone_of,
)
from openlfr.domain.deployment import DeploymentStatus
from openlfr.domain.errors import BadInput
from openlfr.domain.watchlist import EntryStatus
from openlfr.wire.codec.fields import (
    enum_name,
    parse,
    read_moment,
    required_enum,
    timestamp_of,
    unusable,
)
from openlfr.wire.codec.record import Record, record_of
from openlfr.wire.headers import write_headers
from openlfr.wire.v1 import control_pb2

HEARTBEAT_KEY = b"heartbeat"
"""Key of heartbeats on the control topic; no entry has this key, since entries' ids are UUIDs."""


def encode_control(content: ControlMessage) -> Record:
    """Encode a message; the key is that of the entry or deployment, or `HEARTBEAT_KEY`.

    A forgotten entry or deployment becomes a tombstone.
    """
    if isinstance(content, EntryForgotten | DeploymentForgotten):
        schema = control_pb2.Control.DESCRIPTOR.full_name
        if isinstance(content, EntryForgotten):
            return Record(content.reference_id.encode(), None, write_headers(schema))
        key = f"{DEPLOYMENT_KEY_PREFIX}{content.deployment_id}"
        return Record(key.encode(), None, write_headers(schema))
    if isinstance(content, DeploymentState):
        return record_of(content.key, control_pb2.Control(deployment=_state_message(content)))
    if isinstance(content, Heartbeat):
        beat = control_pb2.Heartbeat(sent_at=timestamp_of(content.sent_at), version=content.version)
        message = control_pb2.Control(heartbeat=beat)
        return record_of(HEARTBEAT_KEY.decode(), message)
    entry = control_pb2.ManifestEntry(
        reference_id=content.reference_id,
        watchlist=content.watchlist,
        template_hash=content.template_hash,
        expires=timestamp_of(content.expires),
        status=enum_name("STATUS", content.status),
        version=content.version,
        changed_at=timestamp_of(content.changed_at),
        category=content.category or None,
        entry_hash=content.entry_hash or None,
    )
    return record_of(content.reference_id, control_pb2.Control(entry=entry))


def decode_control(key: bytes | None, value: bytes | None) -> ControlMessage:
    """Decode a record of the control topic.

    An entry with an unknown status counts as suspended, and a deployment as paused.
    """
    if value is None:
        try:
            return tombstone_of((key or b"").decode())
        except UnicodeDecodeError:
            raise BadInput(
                "This tombstone's key is not the key of an entry or deployment."
            ) from None
    message = parse(control_pb2.Control, value)
    match message.WhichOneof("content"):
        case "heartbeat":
            beat = message.heartbeat
            return Heartbeat(sent_at=read_moment(beat, "sent_at"), version=beat.version)
        case "entry":
            return _change_of(message.entry, key)
        case "deployment":
            return _state_of(message.deployment, key)
    raise unusable(message, "its content is unknown to this version")


def _change_of(entry: control_pb2.ManifestEntry, key: bytes | None) -> ManifestChange:
    if key != entry.reference_id.encode():
        raise unusable(entry, "its key does not match its reference_id")
    try:
        status = required_enum(EntryStatus, entry, "status")
    except BadInput:
        if not entry.status:
            raise
        status = EntryStatus.SUSPENDED  # a newer version's status, so not "active"
    if status is EntryStatus.ACTIVE and not entry.template_hash:
        raise unusable(entry, "it is active and has no template_hash")
    return ManifestChange(
        reference_id=entry.reference_id,
        watchlist=entry.watchlist,
        template_hash=entry.template_hash,
        expires=read_moment(entry, "expires"),
        status=status,
        version=entry.version,
        changed_at=read_moment(entry, "changed_at"),
        category=entry.category,
        entry_hash=entry.entry_hash,
    )


def _state_message(state: DeploymentState) -> control_pb2.DeploymentState:
    return control_pb2.DeploymentState(
        deployment_id=state.deployment_id,
        name=state.name,
        status=enum_name("STATUS", state.status),
        revision=state.revision,
        starts=timestamp_of(state.starts),
        ends=timestamp_of(state.ends),
        cameras=state.cameras,
        watchlists=state.watchlists,
        threshold=state.threshold,
        threshold_origin=state.threshold_origin or None,
        version=state.version,
        changed_at=timestamp_of(state.changed_at),
    )


def _state_of(message: control_pb2.DeploymentState, key: bytes | None) -> DeploymentState:
    if key != f"{DEPLOYMENT_KEY_PREFIX}{message.deployment_id}".encode():
        raise unusable(message, "its key does not match its deployment_id")
    try:
        status = required_enum(DeploymentStatus, message, "status")
    except BadInput:
        if not message.status:
            raise
        status = DeploymentStatus.PAUSED  # a newer version's status, so not "started"
    return DeploymentState(
        deployment_id=message.deployment_id,
        name=message.name,
        status=status,
        revision=message.revision,
        starts=read_moment(message, "starts"),
        ends=read_moment(message, "ends"),
        cameras=tuple(message.cameras),
        watchlists=tuple(message.watchlists),
        version=message.version,
        changed_at=read_moment(message, "changed_at"),
        threshold=message.threshold if message.HasField("threshold") else None,
        threshold_origin=message.threshold_origin,
    )
