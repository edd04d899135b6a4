"""Looks at frames that were delivered: what they give is records for other topics.

Knows nothing of Faust: messages in, records out. `decode` may be called from several threads,
everything else from one.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from openlfr.adapters.capture.jpeg import decode_picture
from openlfr.adapters.kafka_topics import DEAD_LETTERS, SIGHTINGS
from openlfr.domain.dead_letters import dead_letter
from openlfr.domain.errors import BadInput, Unavailable
from openlfr.domain.evidence import CarriedEvidence
from openlfr.domain.frames import Frame
from openlfr.operations.evidence import encode, evidence_name
from openlfr.wire import codec
from openlfr.wire.headers import read_headers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from openlfr.adapters.faust_agents import Message
    from openlfr.domain.analysis import Analysis
    from openlfr.pipeline import Analyser
    from openlfr.ports import Vault
    from openlfr.settings import Deployment
    from openlfr.wire.codec import Record

SILENCE_S, SILENCE_LOSSLESS_S = 5.0, 30.0
"""After how long without a frame a camera's tracks end: nobody is held for one that is gone.
Longer where every frame counts, since frames that are only late must find their tracks."""
_SCHEMA = "openlfr.wire.v1.Frame"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A message, and the frame in it or why there is none.

    Attributes:
        frame: None where it is stale, of no hour of the deployment, or unusable.
        camera: Empty where it is unusable.
        problem: Why it is unusable, a sentence; empty else.
    """

    message: Message
    frame: Frame | None
    camera: str = ""
    problem: str = ""
    left_out: str = ""


class Station:
    """Looks at the frames of one worker."""

    def __init__(
        self,
        analyser: Analyser,
        vault: Vault,
        deployment: Deployment,
        *,
        max_age: timedelta | None,
    ) -> None:
        """Look at frames of a deployment; `max_age` None looks at every frame however late."""
        self._analyser = analyser
        self._vault = vault
        self._deployment = deployment
        self._max_age_s = None if max_age is None else max_age.total_seconds()
        self._last: dict[str, tuple[int, int]] = {}  # camera -> epoch, seq
        self._heard: dict[str, float] = {}  # camera -> monotonic time, while it may hold tracks
        self.counts: Counter[str] = Counter()

    def decode(self, message: Message) -> Decoded:
        """Read a message; never raises for what stands in it."""
        try:
            read_headers(message.headers, expect=_SCHEMA)
            encoded = codec.decode_frame(message.value)
        except BadInput as error:
            return Decoded(message, None, problem=str(error))
        if encoded.deployment != self._deployment.name:
            return Decoded(message, None, problem="It belongs to another deployment.")
        camera = encoded.camera
        if not self._deployment.starts <= encoded.captured_at < self._deployment.ends:
            return Decoded(message, None, camera, left_out="outside_hours")
        if self._max_age_s is not None and time.time() - message.written_at > self._max_age_s:
            return Decoded(message, None, camera, left_out="dropped_late")
        image = decode_picture(encoded.jpeg)
        if image is None:
            return Decoded(message, None, problem="Its picture cannot be decoded.")
        frame = Frame(camera, encoded.epoch, encoded.seq, encoded.captured_at, image)
        return Decoded(message, frame, camera)

    def look(self, batch: Sequence[Decoded]) -> list[tuple[str, Record]]:
        """Look at a batch in order; the records that it gives, by topic.

        Raises:
            Unavailable: What the analysis needs does not answer.
        """
        records: list[tuple[str, Record]] = []
        fresh: list[tuple[Message, Frame]] = []
        for each in batch:
            if each.problem:
                records.append(self._set_aside(each.message, each.problem))
            elif each.frame is None:
                self.counts[each.left_out] += 1
            elif self._is_new(each.frame):
                fresh.append((each.message, each.frame))
            else:
                self.counts["repeated"] += 1
        try:
            analysis = self._analyser.analyse([frame for _, frame in fresh])
            self._tell(analysis, {frame.camera: frame.seq for _, frame in fresh})
            records += self._seen(analysis)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one frame may be poison: found one by one
            log.warning("batch_failed", frames=len(fresh), why=f"{type(error).__name__}: {error}")
            records += self._one_by_one(fresh)
        self.counts["analysed"] += len(fresh)
        now = time.monotonic()  # after the work: however long it took, nobody was silent meanwhile
        self._heard |= {each.camera: now for each in batch if each.camera}
        return records

    def end_silent(self) -> list[tuple[str, Record]]:
        """End the tracks of cameras that have been silent; the records that this gives."""
        longest = SILENCE_LOSSLESS_S if self.lossless else SILENCE_S
        now = time.monotonic()
        silent = [camera for camera, at in self._heard.items() if now - at > longest]
        records: list[tuple[str, Record]] = []
        for camera in silent:
            del self._heard[camera]
            records += self._seen(self._analyser.finish(camera))
        return records

    @property
    def lossless(self) -> bool:
        """Whether every frame is looked at, however late."""
        return self._max_age_s is None

    def is_quiet(self, camera: str) -> bool:
        """Whether the camera has no live track."""
        return self._analyser.is_quiet(camera)

    def _is_new(self, frame: Frame) -> bool:
        """Whether the frame comes for the first time; after a rebalance some come again."""
        mark = frame.epoch, frame.seq
        last = self._last.get(frame.camera)
        if last is not None and last[0] == frame.epoch and mark <= last:
            return False
        if last is None or mark > last:
            self._last[frame.camera] = mark
        return True

    def _one_by_one(self, fresh: Sequence[tuple[Message, Frame]]) -> list[tuple[str, Record]]:
        """Look again after a failure, each frame alone; what fails alone is poison.

        The cameras' tracks end first: the failed attempt has credited some frames already.
        """
        records: list[tuple[str, Record]] = []
        for camera in dict.fromkeys(frame.camera for _, frame in fresh):
            records += self._seen(self._analyser.finish(camera))
        for message, frame in fresh:
            try:
                records += self._seen(self._analyser.analyse([frame]))
            except Unavailable:
                raise
            except Exception as error:  # noqa: BLE001 - told, set aside, never lost
                reason = f"It cannot be analysed: {type(error).__name__}."
                records.append(self._set_aside(message, reason))
        return records

    def _seen(self, analysis: Analysis) -> list[tuple[str, Record]]:
        records = []
        for sighted in analysis.sightings:
            name = evidence_name(sighted.sighting.sighting_id)
            sealed = self._vault.seal(name, encode(sighted.evidence))
            record = codec.encode_sighting(sighted.sighting, CarriedEvidence(name, True, sealed))
            records.append((SIGHTINGS.name, record))
            self.counts["sightings"] += 1
        self.counts["tracks"] += len(analysis.closed)
        return records

    @staticmethod
    def _tell(analysis: Analysis, newest: dict[str, int]) -> None:
        """Log each sighting, with the frame after which there was enough to search with."""
        for sighted in analysis.sightings:
            told = sighted.sighting
            log.info(
                "sighting", sighting=told.sighting_id, camera=told.camera, epoch=told.epoch,
                seq=told.seq, searched_after=newest.get(told.camera, told.seq),
            )  # fmt: skip

    def _set_aside(self, message: Message, reason: str) -> tuple[str, Record]:
        self.counts["set_aside"] += 1
        log.warning("set_aside", place=message.place, why=reason)
        letter = dead_letter(
            message.value,
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            service="analysis",
            reason=reason,
            at=datetime.now(UTC),
        )
        return DEAD_LETTERS.name, codec.encode_dead_letter(letter)
