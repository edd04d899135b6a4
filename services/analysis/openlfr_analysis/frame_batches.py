"""Looks at frames that were delivered: what they give is records for other topics.

Knows nothing of Faust: messages in, records out. `decode` may be called from several threads,
everything else from one.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

import structlog

from openlfr.adapters.kafka.dead_letters import set_aside
from openlfr.adapters.kafka.topics import TALLIES
from openlfr.domain.analysis import LostTrack, SearchedTrack
from openlfr.domain.counts import LossReason
from openlfr.domain.errors import Unavailable
from openlfr.domain.tally_collector import MISSED, TallyCollector
from openlfr.domain.watching import UnwatchedReason
from openlfr.in_force import NotInForce
from openlfr.wire import codec, seal
from openlfr_analysis.decoding import (
    DecodedFrame,
    Decoder,
    EpochEnd,
    OtherDeploymentFrame,
    SkippedFrame,
    UnusableMessage,
)
from openlfr_analysis.partitions import CameraPositions, FrameOrder
from openlfr_analysis.sightings import SightingPublisher

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import timedelta

    from openlfr.adapters.faust.agents import Message
    from openlfr.domain.analysis import Analysis
    from openlfr.domain.frames import EncodedFrame, Frame
    from openlfr.in_force import DeploymentInForce
    from openlfr.pipeline import Analyser
    from openlfr.ports import Vault
    from openlfr.wire.codec import Record
    from openlfr_analysis.backlog import Place
    from openlfr_analysis.decoding import DecodedMessage
    from openlfr_analysis.index_in_use import IndexInUse

SILENCE_S, SILENCE_LOSSLESS_S = 5.0, 30.0
"""After how long without a frame a camera's tracks end: nobody is held for one that is gone.
Longer where every frame counts, since frames that are only late must find their tracks."""
DISCARDED = "frames_discarded"
LATE_MOST = 50
"""So many frames of a camera dropped one after the other are told."""

log = structlog.get_logger()


class FrameBatchProcessor:
    """Looks at the frames of one worker."""

    def __init__(
        self,
        analyser: Analyser,
        vault: Vault,
        deployment: DeploymentInForce,
        index_in_use: IndexInUse | None = None,
        *,
        max_age: timedelta | None,
        recorded: Collection[str] = (),
    ) -> None:
        """Look at frames of a deployment.

        Args:
            analyser: Looks at them.
            vault: Seals evidence, and has the key of tallies.
            deployment: Its name and hours.
            index_in_use: The list to match with, and its baseline; None: the analyser's for ever.
            max_age: A frame that was captured longer ago is dropped; None looks at every frame
                however late.
            recorded: Cameras that play what was filmed at another time: the age of their frames
                counts from when Kafka took them.
        """
        self._analyser = analyser
        self._deployment = deployment
        self._index_in_use = index_in_use
        self._decoder = Decoder(deployment, max_age=max_age, recorded=recorded)
        self._places = CameraPositions()
        self._tallying = TallyCollector(deployment.deployment_id)
        self._heard: dict[str, float] = {}  # camera -> monotonic time, while it may hold tracks
        self._late: Counter[str] = Counter()  # camera -> frames dropped since one was looked at
        self._others: set[str] = set()  # deployments whose frames come here
        self.counts: Counter[str] = Counter()
        self._telling = SightingPublisher(vault, self.counts)
        self._tally_key = vault.derive(seal.purpose_of(TALLIES.name))

    def decode(self, message: Message, *, overtaken: bool = False) -> DecodedMessage:
        """Read a message, without its picture if it is overtaken; never raises for what it says."""
        return self._decoder.decode(message, overtaken=overtaken)

    def look(self, batch: Sequence[DecodedMessage]) -> list[tuple[str, Record]]:
        """Look at a batch in order; the records that it gives, by topic.

        Raises:
            Unavailable: What the analysis needs does not answer.
        """
        self._apply_new_index()
        records: list[tuple[str, Record]] = []
        together: list[tuple[Message, Frame]] = []  # to be looked at at once
        for each in batch:
            if not self._places.is_ours(each.message):
                self.counts["elsewhere"] += 1  # it is delivered to whoever has the partition now
                continue
            self._take_over(each.message)
            said = each.said
            if said is not None:
                match self._places.arrive(each.message, said):
                    case FrameOrder.REPEATED:
                        self.counts["repeated"] += 1
                        continue
                    case FrameOrder.OVER:
                        self._count(said.camera, DISCARDED, 0 if said.ended else 1)
                        continue
                if said.ended or self._tallying.leaves(said.camera, said.epoch, said.seq):
                    # What the frames before gave belongs to what is ending.
                    records += self._look(together)
                    together = []
                before = self._tallying.epoch_of(said.camera)
                if said.ended or (before is not None and before != said.epoch):
                    records += self._end(said.camera)
                if not said.ended:
                    self._tallying.enter(said)
            match each:
                case EpochEnd():
                    self.counts["ended"] += 1
                case OtherDeploymentFrame():
                    self._leave_to_others(each.deployment)
                case UnusableMessage():
                    records.append(self._set_aside(each.message, each.problem))
                    self._miss(said, UnwatchedReason.UNREADABLE)
                case SkippedFrame():
                    self._leave_out(each.message, each.said, each.why)
                case DecodedFrame() if why := self._decoder.why_not(each.said):
                    # It was paused while the batch before was looked at.
                    self._leave_out(each.message, each.said, why)
                case DecodedFrame() if self._decoder.is_late(each.said, each.message):
                    # It became too old while the batch before was looked at.
                    self._leave_out(each.message, each.said, UnwatchedReason.LATE)
                case DecodedFrame():
                    frame = each.frame
                    self._late.pop(frame.camera, None)
                    self._telling.heed(frame, each.traceparent)
                    together.append((each.message, frame))
        records += self._look(together)
        now = time.monotonic()  # after the work: however long it took, nobody was silent meanwhile
        self._heard |= {
            each.said.camera: now
            for each in batch
            if each.said is not None and self._places.is_ours(each.message)
        }
        return records + self._tallies()

    def end_silent(self, late: Collection[int] = ()) -> list[tuple[str, Record]]:
        """End the tracks of cameras that have been silent; the records that this gives.

        Args:
            late: Partitions with messages that wait to be looked at. Where every frame counts
                their cameras are not silent: frames that are only late must find their tracks.
        """
        self._drop_halted()
        longest = SILENCE_LOSSLESS_S if self.lossless else SILENCE_S
        now = time.monotonic()
        silent = [
            camera
            for camera, at in self._heard.items()
            if now - at > longest
            and not (self.lossless and self._places.partition_of(camera) in late)
        ]
        self._apply_new_index()
        records: list[tuple[str, Record]] = []
        for camera in silent:
            del self._heard[camera]
            records += self._end(camera)
        return records + self._tallies()

    def keep(self, partitions: Collection[int]) -> list[tuple[str, Record]]:
        """The group was balanced: these partitions are ours, with what we know of their cameras.

        Everything that was not acknowledged is delivered again, here or elsewhere. Another
        worker looks at the other cameras; their tracks are dropped here, lest they be seen twice.

        Returns:
            Their tallies, where what was counted has been acknowledged.
        """
        for camera in self._places.keep(partitions):
            self._let_go(camera, LossReason.MOVED)
        self._heard = dict.fromkeys(self._heard, time.monotonic())  # they could not be heard
        return self._tallies()

    def leave(self) -> list[tuple[str, Record]]:
        """The last tallies, where what was counted has been acknowledged."""
        for camera in dict.fromkeys((*self._analyser.cameras, *self._tallying.cameras)):
            self._let_go(camera, LossReason.INTERRUPTED)
        return self._tallies()

    @property
    def lossless(self) -> bool:
        """Whether every frame is looked at, however late."""
        return self._decoder.max_age_s is None

    def is_quiet(self, camera: str) -> bool:
        """Whether the camera has no live track."""
        return self._analyser.is_quiet(camera)

    def is_told(self, place: Place) -> bool:
        """Whether a frame's tally is told."""
        return self._tallying.is_told(*place)

    def _drop_halted(self) -> None:
        """Search nobody more of those who were in sight when the deployment was paused."""
        if self._deployment.halt_reason():
            self._tallying.paused()
            for camera in self._analyser.cameras:
                self._account(self._analyser.drop_camera(camera, LossReason.PAUSED))

    def _apply_new_index(self) -> None:
        """Match with the newest list from now on, and count for its baseline."""
        if self._index_in_use is not None and (adoption := self._index_in_use.take()):
            self._tallying.begin_baseline(adoption.ref, adoption)

    def _miss(self, frame: Frame | EncodedFrame | None, why: UnwatchedReason) -> None:
        """Count a frame that is not looked at; None where it is not known of which camera."""
        self.counts[MISSED[why].removeprefix("frames_")] += 1
        if frame is not None:
            self._tallying.missed(frame, why)

    def _leave_out(
        self, message: Message, said: EncodedFrame, why: UnwatchedReason | NotInForce
    ) -> None:
        """Count it; say it once where every frame of a camera is too old, perhaps by its clock."""
        if isinstance(why, NotInForce):
            self.counts[why] += 1
            outside = why is NotInForce.OUTSIDE_HOURS
            self._tallying.missed(
                said, UnwatchedReason.OUTSIDE_HOURS if outside else UnwatchedReason.PAUSED
            )
            return
        self._miss(said, why)
        if why is not UnwatchedReason.LATE:
            return
        self._late[said.camera] += 1
        if self._late[said.camera] == LATE_MOST:
            log.warning(
                "every_frame_is_late", camera=said.camera, max_age_s=self._decoder.max_age_s,
                age_s=round(self._decoder.age_s(said, message), 1),
                do="compare this host's clock with that of ingest, or add workers",
            )  # fmt: skip

    def _leave_to_others(self, deployment: str) -> None:
        """Frames of another deployment are not this one's to look at, nor to set aside."""
        self.counts["of_another_deployment"] += 1
        if deployment not in self._others:
            self._others.add(deployment)
            log.warning(
                "other_deployment", deployment=deployment,
                do="give each deployment's workers an OPENLFR_GROUP of their own",
            )  # fmt: skip

    def _take_over(self, message: Message) -> None:
        """Where another worker had the partition meanwhile, know nothing of its cameras."""
        for camera in self._places.taken_over(message):
            self._let_go(camera, LossReason.MOVED)

    def _let_go(self, camera: str, why: LossReason) -> None:
        """Drop a camera; its live tracks are counted as lost, where its frames do not come again.

        Where they do, nothing of it is counted here: whoever looks at them counts their tracks.
        """
        dropped = self._analyser.drop_camera(camera, why)
        if not self.lossless:
            self._account(dropped)
        self._heard.pop(camera, None)
        self._drop_or_cut(camera)

    def _drop_or_cut(self, camera: str) -> None:
        if self.lossless:
            self._tallying.forget(camera)  # its frames were not acknowledged: they come again
        else:
            self._tallying.cut(camera)

    def _count(self, camera: str, what: str, number: int = 1) -> None:
        self.counts[what.removeprefix("frames_")] += number
        self._tallying.count(camera, what, number)

    def _tallies(self) -> list[tuple[str, Record]]:
        records = [codec.encode_tally(each) for each in self._tallying.take()]
        return [(TALLIES.name, seal.sign(each, self._tally_key)) for each in records]

    def _end(self, camera: str) -> list[tuple[str, Record]]:
        """The camera's epoch is over: end its tracks now."""
        records = self._finish(camera)
        self._tallying.cut(camera)
        return records

    def _finish(self, camera: str) -> list[tuple[str, Record]]:
        """End a camera's tracks; those that cannot be searched are dropped, and counted.

        A face that the models cannot bear would end every worker that is given it, one after the
        other, and nobody would be seen.
        """
        if self._deployment.halt_reason():
            self._account(self._analyser.drop_camera(camera, LossReason.PAUSED))
            return []
        try:
            return self._seen(self._analyser.finish(camera))
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - told and counted: poison is no outage
            log.warning("tracks_failed", camera=camera, why=f"{type(error).__name__}: {error}")
            self.counts["tracks_failed"] += 1
            self._account(self._analyser.drop_camera(camera, LossReason.FAILED))
            return []

    def _look(self, together: Sequence[tuple[Message, Frame]]) -> list[tuple[str, Record]]:
        """Look at frames of any cameras at once."""
        if not together:
            return []
        try:
            return self._analysed([frame for _, frame in together])
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one frame may be poison: found one by one
            why = f"{type(error).__name__}: {error}"
            log.warning("batch_failed", frames=len(together), why=why)
            return self._one_by_one(together)

    def _analysed(self, frames: Sequence[Frame]) -> list[tuple[str, Record]]:
        analysis = self._analyser.analyse(frames)
        self._telling.searched(analysis.sightings, {frame.camera: frame.seq for frame in frames})
        for frame, faces in zip(frames, analysis.faces, strict=True):
            if faces is None:
                self._count(frame.camera, DISCARDED)
            else:
                self.counts["analysed"] += 1
                self._tallying.looked(frame, faces)
        return self._seen(analysis)

    def _one_by_one(self, fresh: Sequence[tuple[Message, Frame]]) -> list[tuple[str, Record]]:
        """Look again after a failure, each frame alone; what fails alone is poison.

        The cameras' tracks end first: the failed attempt has credited some frames already.
        """
        records: list[tuple[str, Record]] = []
        for camera in dict.fromkeys(frame.camera for _, frame in fresh):
            records += self._finish(camera)
        for message, frame in fresh:
            try:
                records += self._analysed([frame])
            except Unavailable:
                raise
            except Exception as error:  # noqa: BLE001 - told, set aside, never lost
                reason = f"It cannot be analysed: {type(error).__name__}."
                records.append(self._set_aside(message, reason))
                self._miss(frame, UnwatchedReason.UNREADABLE)
        return records

    def _seen(self, analysis: Analysis) -> list[tuple[str, Record]]:
        records = [self._telling.record(sighted) for sighted in analysis.sightings]
        self._account(analysis)
        return records

    def _account(self, analysis: Analysis) -> None:
        """Count the tracks that began, ended or were dropped."""
        self._tallying.take_in(analysis)
        self.counts["sightings"] += len(analysis.sightings)
        self.counts["tracks_begun"] += len(analysis.begun)
        self.counts["tracks"] += len(analysis.closed)
        for track in analysis.closed:
            match track:
                case SearchedTrack():
                    self.counts["tracks_matched"] += track.matched
                case LostTrack():
                    self.counts[f"tracks_lost_{track.reason}"] += 1

    def _set_aside(self, message: Message, reason: str) -> tuple[str, Record]:
        self.counts["set_aside"] += 1
        return set_aside(message, reason, service="analysis")
