"""Encoding of domain values as records of Kafka topics, and decoding; nothing else uses protobuf.

`encode_*` returns a record: key, value and headers. `decode_*` parses a value. It returns the
domain value, or raises `BadInput` with the reason; the caller adds topic, partition and offset.
Every field must be present, finite and not negative, so that a truncated message is rejected;
`fields.py` lists the exceptions. Fields of newer versions are ignored.
"""

from openlfr.wire.codec.alerts import (
    decode_alert,
    decode_sighting,
    encode_alert,
    encode_sighting,
)
from openlfr.wire.codec.control import HEARTBEAT_KEY, decode_control, encode_control
from openlfr.wire.codec.dead_letters import decode_dead_letter, encode_dead_letter
from openlfr.wire.codec.frames import decode_frame, encode_frame
from openlfr.wire.codec.record import Record
from openlfr.wire.codec.tallies import decode_tally, encode_tally
from openlfr.wire.codec.verdicts import decode_verdict, encode_verdict

__all__ = [
    "HEARTBEAT_KEY",
    "Record",
    "decode_alert",
    "decode_control",
    "decode_dead_letter",
    "decode_frame",
    "decode_sighting",
    "decode_tally",
    "decode_verdict",
    "encode_alert",
    "encode_control",
    "encode_dead_letter",
    "encode_frame",
    "encode_sighting",
    "encode_tally",
    "encode_verdict",
]
