"""From a message on frames.v1 to a frame, or why there is none."""

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
    """A frame to be looked at, and the trace with which it came (empty without)."""

    message: Message
    said: EncodedFrame
    frame: Frame
    traceparent: str


@dataclass(frozen=True, slots=True, eq=False)
class SkippedFrame:
    """A frame that is not looked at, on purpose: stale, overtaken, or not covered now."""

    message: Message
    said: EncodedFrame
    why: UnwatchedReason | NotInForce


@dataclass(frozen=True, slots=True, eq=False)
class EpochEnd:
    """Says that a camera's epoch is over."""

    message: Message
    said: EncodedFrame


@dataclass(frozen=True, slots=True, eq=False)
class UnusableMessage:
    """What cannot be read, and why, as a sentence.

    Attributes:
        said: What stands in it; None where not even that can be read.
    """

    message: Message
    problem: str
    said: EncodedFrame | None


@dataclass(frozen=True, slots=True, eq=False)
class OtherDeploymentFrame:
    """A frame of another deployment."""

    message: Message
    deployment: str

    @property
    def said(self) -> None:
        """It is nothing to us."""
        return


DecodedMessage = DecodedFrame | SkippedFrame | EpochEnd | UnusableMessage | OtherDeploymentFrame


class Decoder:
    """Reads the messages of one deployment; may be called from several threads."""

    def __init__(
        self,
        deployment: DeploymentInForce,
        *,
        max_age: timedelta | None,
        recorded: Collection[str] = (),
    ) -> None:
        """Read frames of a deployment.

        Args:
            deployment: Its name and hours.
            max_age: A frame that was captured longer ago is dropped; None takes every frame
                however late.
            recorded: Cameras that play what was filmed at another time: the age of their frames
                counts from when Kafka took them.
        """
        self._deployment = deployment
        self._recorded = frozenset(recorded)
        self.max_age_s = None if max_age is None else max_age.total_seconds()

    def decode(self, message: Message, *, overtaken: bool = False) -> DecodedMessage:
        """Read a message; never raises for what stands in it.

        Args:
            message: As it was delivered.
            overtaken: Newer ones of its camera wait: its picture is left out.
        """
        try:
            headers = read_headers(message.headers, expect=_SCHEMA)
            said = codec.decode_frame(message.value)
        except BadInput as error:
            return UnusableMessage(message, str(error), None)
        if said.deployment != self._deployment.deployment_id:
            return OtherDeploymentFrame(message, said.deployment)
        if said.ended:
            return EpochEnd(message, said)
        if why := self.why_not(said):
            return SkippedFrame(message, said, why)
        if overtaken or self.is_late(said, message):
            return SkippedFrame(
                message, said, UnwatchedReason.LATE
            )  # before the picture is decoded
        image = decode_picture(said.jpeg)
        if image is None:
            return UnusableMessage(message, "Its picture cannot be decoded.", said)
        frame = Frame(
            said.camera, said.epoch, said.seq, said.captured_at, image,
            time_assumed=said.time_assumed,
        )  # fmt: skip
        return DecodedFrame(message, said, frame, headers.traceparent)

    def why_not(self, said: EncodedFrame) -> NotInForce | None:
        """Why the deployment does not cover it now; None where it does."""
        return self._deployment.skip_reason(said.captured_at, said.camera)

    def is_late(self, said: EncodedFrame, message: Message) -> bool:
        """Whether it is older than frames may be that are looked at."""
        return self.max_age_s is not None and self.age_s(said, message) > self.max_age_s

    def age_s(self, said: EncodedFrame, message: Message) -> float:
        """Seconds since it was captured; of what was filmed at another time, since Kafka has it."""
        if said.camera in self._recorded:
            return time.time() - message.written_at
        return time.time() - said.captured_at.timestamp()
