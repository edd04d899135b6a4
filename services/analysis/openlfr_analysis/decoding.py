"""Decodes messages of frames.v1 into frames, or into the reason why a frame is missing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openlfr.adapters.capture.jpeg import decode_picture
from openlfr.domain.errors import BadInput
from openlfr.domain.frames import Frame
from openlfr.domain.watching import UnwatchedReason
from openlfr.wire import codec
from openlfr.wire.headers import read_headers

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import timedelta

    from openlfr.adapters.faust.agents import Message
    from openlfr.domain.frames import EncodedFrame
    from openlfr.in_force import DeploymentInForce, NotInForce

_SCHEMA = "openlfr.wire.v1.Frame"


@dataclass(frozen=True, slots=True, eq=False)
class DecodedFrame:
    """A frame to be analysed, and the trace of its message (empty if it has none)."""

    message: Message
    encoded: EncodedFrame
    frame: Frame
    traceparent: str


@dataclass(frozen=True, slots=True, eq=False)
class SkippedFrame:
    """A frame that is skipped: too old, overtaken, or the deployment is not in force."""

    message: Message
    encoded: EncodedFrame
    reason: UnwatchedReason | NotInForce


@dataclass(frozen=True, slots=True, eq=False)
class EpochEnd:
    """The message that ends a camera's epoch."""

    message: Message
    encoded: EncodedFrame


@dataclass(frozen=True, slots=True, eq=False)
class UnusableMessage:
    """A message that cannot be decoded.

    Attributes:
        problem: The reason, as a sentence.
        encoded: The frame without its picture; None where the message is not even a frame.
    """

    message: Message
    problem: str
    encoded: EncodedFrame | None


@dataclass(frozen=True, slots=True, eq=False)
class OtherDeploymentFrame:
    """A frame of another deployment."""

    message: Message
    deployment: str

    @property
    def encoded(self) -> None:
        """None, since this worker does not use the frame."""
        return


DecodedMessage = DecodedFrame | SkippedFrame | EpochEnd | UnusableMessage | OtherDeploymentFrame


class Decoder:
    """Decodes the messages of one deployment; safe from several threads."""

    def __init__(
        self,
        deployment: DeploymentInForce,
        *,
        max_age: timedelta | None,
        recorded: Collection[str] = (),
    ) -> None:
        """Create a decoder for one deployment.

        Args:
            deployment: The id and the state of the deployment.
            max_age: Greatest age of a frame; None to decode frames of any age.
            recorded: Cameras that play recordings: the age of their frames counts from when
                Kafka received them.
        """
        self._deployment = deployment
        self._recorded = frozenset(recorded)
        self.max_age_s = None if max_age is None else max_age.total_seconds()

    def decode(self, message: Message, *, overtaken: bool = False) -> DecodedMessage:
        """Decode a message; no content raises an error, an unusable message is returned as such.

        Args:
            message: The message from Kafka.
            overtaken: Whether newer frames of its camera wait; then the picture is not decoded.
        """
        try:
            headers = read_headers(message.headers, expected_schema=_SCHEMA)
            encoded = codec.decode_frame(message.value)
        except BadInput as error:
            return UnusableMessage(message, str(error), None)
        if encoded.deployment != self._deployment.deployment_id:
            return OtherDeploymentFrame(message, encoded.deployment)
        if encoded.ended:
            return EpochEnd(message, encoded)
        if reason := self.skip_reason(encoded):
            return SkippedFrame(message, encoded, reason)
        if overtaken or self.is_late(encoded, message):
            # Check before decoding the picture, which costs most.
            return SkippedFrame(message, encoded, UnwatchedReason.LATE)
        image = decode_picture(encoded.jpeg)
        if image is None:
            return UnusableMessage(message, "The picture cannot be decoded.", encoded)
        frame = Frame(
            encoded.camera, encoded.epoch, encoded.seq, encoded.captured_at, image,
            time_assumed=encoded.time_assumed,
        )  # fmt: skip
        return DecodedFrame(message, encoded, frame, headers.traceparent)

    def skip_reason(self, encoded: EncodedFrame) -> NotInForce | None:
        """Return why the deployment does not cover a frame now; None for a covered frame."""
        return self._deployment.skip_reason(encoded.captured_at, encoded.camera)

    def is_late(self, encoded: EncodedFrame, message: Message) -> bool:
        """Return whether a frame is older than `max_age`."""
        return self.max_age_s is not None and self.age_s(encoded, message) > self.max_age_s

    def age_s(self, encoded: EncodedFrame, message: Message) -> float:
        """Return seconds since a frame's capture; for recordings, since Kafka received it."""
        if encoded.camera in self._recorded:
            return time.time() - message.written_at
        return time.time() - encoded.captured_at.timestamp()
