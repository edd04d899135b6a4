"""From a message on frames.v1 to a frame, or why there is none."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openlfr.adapters.capture.jpeg import decode_picture
from openlfr.domain.errors import BadInput
from openlfr.domain.frames import Frame
from openlfr.wire import codec
from openlfr.wire.headers import read_headers

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import timedelta

    from openlfr.adapters.faust_agents import Message
    from openlfr.domain.frames import EncodedFrame
    from openlfr.in_force import DeploymentInForce

OUTSIDE_HOURS, DROPPED_LATE = "frames_outside_hours", "frames_dropped_late"
_SCHEMA = "openlfr.wire.v1.Frame"


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A message, and the frame in it or why there is none.

    Attributes:
        said: What stands in the message; None where it cannot be read or is of no use here.
        frame: None where it is stale, of no hour of the deployment, the end, or unusable.
        problem: Why it is unusable, a sentence; empty else.
        left_out: The tally's name for why the frame is left out on purpose; empty else.
        elsewhere: Another deployment to which it belongs; empty else.
        traceparent: The trace with which it came; empty without.
    """

    message: Message
    said: EncodedFrame | None = None
    frame: Frame | None = None
    problem: str = ""
    left_out: str = ""
    elsewhere: str = ""
    traceparent: str = ""

    @property
    def camera(self) -> str:
        """Empty where that is not known."""
        return self.said.camera if self.said is not None else ""


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

    def decode(self, message: Message, *, overtaken: bool = False) -> Decoded:
        """Read a message; never raises for what stands in it.

        Args:
            message: As it was delivered.
            overtaken: Newer ones of its camera wait: its picture is left out.
        """
        try:
            headers = read_headers(message.headers, expect=_SCHEMA)
            said = codec.decode_frame(message.value)
        except BadInput as error:
            return Decoded(message, problem=str(error))
        if said.deployment != self._deployment.deployment_id:
            return Decoded(message, elsewhere=said.deployment)
        if said.ended:
            return Decoded(message, said)
        if not self._deployment.covers(said.captured_at):
            return Decoded(message, said, left_out=OUTSIDE_HOURS)
        if overtaken or self.is_late(said, message):
            return Decoded(message, said, left_out=DROPPED_LATE)  # before the picture is decoded
        image = decode_picture(said.jpeg)
        if image is None:
            return Decoded(message, said, problem="Its picture cannot be decoded.")
        frame = Frame(
            said.camera, said.epoch, said.seq, said.captured_at, image,
            time_assumed=said.time_assumed,
        )  # fmt: skip
        return Decoded(message, said, frame, traceparent=headers.traceparent)

    def is_late(self, said: EncodedFrame, message: Message) -> bool:
        """Whether it is older than frames may be that are looked at."""
        return self.max_age_s is not None and self.age_s(said, message) > self.max_age_s

    def age_s(self, said: EncodedFrame, message: Message) -> float:
        """Seconds since it was captured; of what was filmed at another time, since Kafka has it."""
        if said.camera in self._recorded:
            return time.time() - message.written_at
        return time.time() - said.captured_at.timestamp()
