"""Frames as records."""

from __future__ import annotations

from openlfr.domain.frames import EncodedFrame
from openlfr.wire.codec.fields import parse, read_moment, timestamp_of, unusable
from openlfr.wire.codec.record import Record, record_of
from openlfr.wire.v1 import frame_pb2


def encode_frame(frame: EncodedFrame, *, traceparent: str = "") -> Record:
    """Encode a frame; the key is the camera, so that one worker reads its frames in order."""
    message = frame_pb2.Frame(
        deployment=frame.deployment,
        camera=frame.camera,
        epoch=frame.epoch,
        seq=frame.seq,
        frame_index=frame.frame_index,
        captured_at=timestamp_of(frame.captured_at),
        width=frame.width,
        height=frame.height,
        jpeg=frame.jpeg,
        ended=frame.ended or None,
        time_assumed=frame.time_assumed or None,
    )
    return record_of(frame.camera, message, frame.captured_at, traceparent)


def decode_frame(value: bytes | None) -> EncodedFrame:
    """Decode a frame; the JPEG itself is not checked."""
    message = parse(frame_pb2.Frame, value)
    if bool(message.jpeg) == message.ended:
        why = (
            "it is the end of an epoch but has a picture" if message.ended else "its jpeg is empty"
        )
        raise unusable(message, why)
    return EncodedFrame(
        deployment=message.deployment,
        camera=message.camera,
        epoch=message.epoch,
        seq=message.seq,
        frame_index=message.frame_index,
        captured_at=read_moment(message, "captured_at"),
        width=message.width,
        height=message.height,
        jpeg=message.jpeg,
        ended=message.ended,
        time_assumed=message.time_assumed,
    )
