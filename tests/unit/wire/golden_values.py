"""What the golden bytes of each released version mean; `python -m golden_values` writes new ones.

A version's values stand here for ever, as today's domain has them: what it could not say is absent.
A new version's are those of the one before and what has come since.
"""

from __future__ import annotations

import base64
import json
import sys
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from google.protobuf import json_format
from tests.sightings import renamed, sighting_of

from openlfr.domain.alerts import (
    NAMESPACE,
    Adjudication,
    AlertEvent,
    EventKind,
    Outcome,
    alert_id_of,
    event_id_of,
)
from openlfr.domain.control import Heartbeat, ManifestChange
from openlfr.domain.counts import LossReason, NotSearchedReason
from openlfr.domain.dead_letters import DeadLetter
from openlfr.domain.evidence import SentEvidence
from openlfr.domain.faces import Box
from openlfr.domain.frames import EncodedFrame
from openlfr.domain.impossible import ImpossibleMatch, ImpossibleReason
from openlfr.domain.tallies import Reporter, Tally
from openlfr.domain.verdicts import VerdictEvent
from openlfr.domain.watchlist import EntryStatus
from openlfr.wire import codec
from openlfr.wire.v1 import (
    alert_pb2,
    control_pb2,
    dead_letter_pb2,
    frame_pb2,
    sighting_pb2,
    tally_pb2,
    verdict_pb2,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.message import Message

    from openlfr.domain.sightings import Sighting
    from openlfr.wire.codec import Record

MESSAGES: dict[str, type[Message]] = {
    kind.DESCRIPTOR.full_name: kind
    for kind in (
        alert_pb2.Alert, control_pb2.Control, dead_letter_pb2.DeadLetter, frame_pb2.Frame,
        sighting_pb2.Sighting, tally_pb2.Tally, verdict_pb2.Verdict,
    )
}  # fmt: skip


class Golden(NamedTuple):
    """A record, and what decoding its key and value must give."""

    record: Record
    decode: Callable[[bytes, bytes], Any]
    means: Any


AT = datetime(2026, 11, 23, 9, 0, 0, 123456, UTC)
LATER = datetime(2026, 11, 23, 9, 0, 1, 500000, UTC)
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
REFERENCE = "6b0d4c1a-9a4e-4d0c-8a53-2f1f6a0e7c11"

FRAME = EncodedFrame(
    "market", "gate 3", 1795424400123, 250, 12, AT, 1280, 720, b"\xff\xd8jpeg\xff\xd9",
    time_assumed=True,
)  # fmt: skip
END = replace(FRAME, seq=251, frame_index=251, jpeg=b"", ended=True)
SIGHTING = sighting_of(
    "market", "gate 3", 1795424400123, 250, "Ångström/007", "default", REFERENCE, AT,
    Box(-1.5, 2.25, 30.0, 40.125), 0.6123, -0.45, 71.5, conflicts_in_frame=True, time_assumed=True,
)  # fmt: skip
PLAIN = renamed(SIGHTING, conflicts_in_frame=False, time_assumed=False)


def _alert(kind: EventKind, sighting: Sighting, flag: ImpossibleMatch | None = None) -> AlertEvent:
    opening = alert_id_of(renamed(sighting, seq=7).sighting_id)
    return AlertEvent(kind, event_id_of(sighting.sighting_id), opening, sighting, flag)


OPENED = _alert(EventKind.OPENED, PLAIN)
FLAGGED = _alert(
    EventKind.JOINED,
    renamed(SIGHTING, seq=260),
    ImpossibleMatch(ImpossibleReason.ONE_FRAME, "gate 4", -1.5, 12),
)
FAR = _alert(
    EventKind.JOINED,
    renamed(PLAIN, seq=270),
    ImpossibleMatch(ImpossibleReason.TOO_FAR, "park", 90.25, 4200),
)
TALLY = Tally(
    "market", "gate 3", 1795424400123, Reporter.ANALYSIS, 200, 250, AT, LATER,
    frames_sampled_away=1, frames_dropped_late=2, frames_outside_hours=3, frames_unreadable=4,
    frames_discarded=5, frames_analysed=36, faces_detected=70, tracks_begun=20, tracks_closed=17,
    tracks_matched=1, sightings=2,
    tracks_not_searched={
        NotSearchedReason.TOO_SMALL: 1, NotSearchedReason.TOO_POOR: 2,
        NotSearchedReason.TOO_SHORT: 3,
    },
    tracks_lost={LossReason.INTERRUPTED: 1, LossReason.MOVED: 3, LossReason.FAILED: 2},
    scores={0: (2, *(0,) * 59), 3: (*(0,) * 40, 3, *(0,) * 19)},
)  # fmt: skip
SENT = Tally(
    "market", "gate 3", 1795424400123, Reporter.INGEST, 0, 9, AT, LATER, frames_sampled_away=10
)
ENTRY = ManifestChange(REFERENCE, "default", "ab" * 32, LATER, EntryStatus.ACTIVE, 41, AT)
LETTER = DeadLetter(
    "frames.v1", 2, 1234567890123, "analysis", "It cannot be parsed.", 11, "cd" * 32, AT
)


def _value_of(decode: Callable[[bytes], Any]) -> Callable[[bytes, bytes], Any]:
    return lambda _, value: decode(value)


def _sighting(sighting: Sighting, evidence: SentEvidence | None) -> Golden:
    record = codec.encode_sighting(sighting, evidence, traceparent=TRACE)
    return Golden(record, _value_of(codec.decode_sighting), (sighting, evidence))


def _alerted(event: AlertEvent, *, pictured: bool = True) -> Golden:
    record = codec.encode_alert(event, LATER, has_picture=pictured, traceparent=TRACE)
    return Golden(record, _value_of(codec.decode_alert), (event, LATER, pictured))


def _control(content: ManifestChange | Heartbeat) -> Golden:
    return Golden(codec.encode_control(content), codec.decode_control, content)


def _verdict(adjudication: Adjudication | None, outcome: Outcome | None) -> Golden:
    # Of then: of the content, to the microsecond.
    parts = (OPENED.alert_id, "B. Officer", f"{AT.timestamp():.6f}", adjudication or "")
    text = "\x1f".join(("verdict", *parts, outcome or ""))
    verdict_id = str(uuid.uuid5(NAMESPACE, text))
    verdict = VerdictEvent(
        verdict_id, "market", OPENED.alert_id, "B. Officer", AT, adjudication, outcome
    )
    return Golden(codec.encode_verdict(verdict), _value_of(codec.decode_verdict), verdict)


def _frame(frame: EncodedFrame) -> Golden:
    record = codec.encode_frame(frame, traceparent=TRACE)
    return Golden(record, _value_of(codec.decode_frame), frame)


def _tally(tally: Tally) -> Golden:
    return Golden(codec.encode_tally(tally), _value_of(codec.decode_tally), tally)


VERSIONS: dict[str, dict[str, Golden]] = {
    "0.1.0": {
        "frame": _frame(FRAME),
        "frame, end of a file": _frame(END),
        "sighting": _sighting(PLAIN, None),
        "sighting, sealed": _sighting(SIGHTING, SentEvidence("evidence/1", True, b"sealed")),
        "sighting, open": _sighting(PLAIN, SentEvidence("evidence/2", False, b"open")),
        "alert, opened": _alerted(OPENED),
        "alert, twice in a frame": _alerted(FLAGGED, pictured=False),
        "alert, too far": _alerted(FAR),
        "tally, analysis": _tally(TALLY),
        "tally, ingest": _tally(SENT),
        **{f"entry, {status}": _control(replace(ENTRY, status=status)) for status in EntryStatus},
        "heartbeat": _control(Heartbeat(LATER, 41)),
        **{f"verdict, {each}": _verdict(each, None) for each in Adjudication},
        **{f"verdict, {each}": _verdict(Adjudication.ENGAGE, each) for each in Outcome},
        "verdict, outcome alone": _verdict(None, Outcome.REFUTED),
        "dead letter": Golden(
            codec.encode_dead_letter(LETTER), _value_of(codec.decode_dead_letter), LETTER
        ),
    },
}


def as_json(golden: Golden) -> dict[str, Any]:
    """A record as golden.json keeps it: whole, and its fields as protobuf's JSON has them."""
    headers = {name: value.decode() for name, value in golden.record.headers}
    message = MESSAGES[headers["schema"]].FromString(golden.record.value or b"")
    return {
        "message": headers["schema"],
        "key": golden.record.key.decode(),
        "headers": headers,
        "value": base64.b64encode(golden.record.value or b"").decode(),
        "fields": json_format.MessageToDict(message, preserving_proto_field_name=True),
    }


if __name__ == "__main__":
    newest = VERSIONS[max(VERSIONS, key=lambda version: tuple(map(int, version.split("."))))]
    written = {name: as_json(golden) for name, golden in newest.items()}
    sys.stdout.write(json.dumps(written, indent=1, ensure_ascii=False) + "\n")
