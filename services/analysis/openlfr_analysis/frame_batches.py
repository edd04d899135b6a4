"""Processes batches of frames: decoded messages in, records for other topics out.

Independent of Faust. `decode` is safe from several threads; one thread calls everything else.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog

from openlfr.adapters.kafka.topics import TALLIES
from openlfr.domain.counts import LossReason
from openlfr.domain.errors import Unavailable
from openlfr.domain.watching import UnwatchedReason
from openlfr.wire import seal
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
from openlfr_analysis.unusable import UnusableMessages
from openlfr_analysis.worker_tallies import WorkerTallies

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import timedelta

    from openlfr.adapters.faust.agents import Message
    from openlfr.domain.analysis import Analysis
    from openlfr.domain.frames import Frame
    from openlfr.in_force import DeploymentInForce
    from openlfr.pipeline import Analyser
    from openlfr.ports import Vault
    from openlfr.wire.codec import Record
    from openlfr_analysis.backlog import FrameId
    from openlfr_analysis.decoding import DecodedMessage
    from openlfr_analysis.index_in_use import IndexInUse

SILENCE_S, SILENCE_LOSSLESS_S = 5.0, 30.0
"""A camera's tracks end after this long without a frame, since the camera may be gone. The limit is
longer where every frame counts: frames that are only late must find their tracks."""
DISCARDED = "frames_discarded"

log = structlog.get_logger()


class FrameBatchProcessor:
    """Processes the frames of one worker."""

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
        """Process frames of a deployment.

        Args:
            analyser: Analyses them.
            vault: Seals evidence, and derives the key of tallies.
            deployment: Its id and hours.
            index_in_use: The watchlist index and its baseline; None: the analyser's own for ever.
            max_age: Greatest age of a frame; None analyses every frame however old.
            recorded: Cameras that play recordings: the age of their frames counts from when
                Kafka received them.
        """
        self._analyser = analyser
        self._deployment = deployment
        self._index_in_use = index_in_use
        self._decoder = Decoder(deployment, max_age=max_age, recorded=recorded)
        self._positions = CameraPositions()
        self._tallies = WorkerTallies(
            deployment.deployment_id,
            vault.derive(seal.purpose_of(TALLIES.name)),
            lossless=self.lossless,
        )
        self.counts = self._tallies.counts
        self._unusable = UnusableMessages(self._decoder, self._tallies)
        self._sightings = SightingPublisher(vault, self.counts)
        self._last_frame_s: dict[str, float] = {}  # monotonic, of cameras that may have tracks

    def decode(self, message: Message, *, overtaken: bool = False) -> DecodedMessage:
        """Decode a message, without its picture if it is overtaken; never raises for content."""
        return self._decoder.decode(message, overtaken=overtaken)

    def process(self, batch: Sequence[DecodedMessage]) -> list[tuple[str, Record]]:
        """Process a batch in order; returns its records with their topics.

        Raises:
            Unavailable: A service that the analysis needs does not answer.
        """
        self._apply_new_index()
        records: list[tuple[str, Record]] = []
        pending: list[tuple[Message, Frame]] = []  # to be analysed in one call
        for each in batch:
            if not self._positions.is_assigned(each.message):
                self.counts["elsewhere"] += 1  # Kafka delivers it to the worker with the partition
                continue
            for camera in self._positions.drop_processed_elsewhere(each.message):
                self._drop_camera(camera, LossReason.MOVED)
            encoded = each.encoded
            if encoded is not None:
                match self._positions.record_frame(each.message, encoded):
                    case FrameOrder.REPEATED:
                        self.counts["repeated"] += 1
                        continue
                    case FrameOrder.EPOCH_OVER:
                        self._tallies.count(encoded.camera, DISCARDED, 0 if encoded.ended else 1)
                        continue
                collector = self._tallies.collector
                if encoded.ended or collector.ends_stretch(
                    encoded.camera, encoded.epoch, encoded.seq
                ):
                    # The results of the frames before belong to the tally that ends here.
                    records += self._analyse(pending)
                    pending = []
                epoch = collector.epoch_of(encoded.camera)
                if encoded.ended or (epoch is not None and epoch != encoded.epoch):
                    records += self._end_epoch(encoded.camera)
                if not encoded.ended:
                    collector.record_arrival(encoded)
            match each:
                case EpochEnd():
                    self.counts["ended"] += 1
                case OtherDeploymentFrame():
                    self._unusable.skip_other_deployment(each.deployment)
                case UnusableMessage():
                    records.append(self._unusable.to_dead_letter(each.message, each.problem))
                    self._tallies.count_missed(encoded, UnwatchedReason.UNREADABLE)
                case SkippedFrame():
                    self._unusable.skip_frame(each.message, each.encoded, each.reason)
                case DecodedFrame() if reason := self._decoder.skip_reason(each.encoded):
                    # The deployment was paused while the batch before was processed.
                    self._unusable.skip_frame(each.message, each.encoded, reason)
                case DecodedFrame() if self._decoder.is_late(each.encoded, each.message):
                    # The frame became too old while the batch before was processed.
                    self._unusable.skip_frame(each.message, each.encoded, UnwatchedReason.LATE)
                case DecodedFrame():
                    frame = each.frame
                    self._unusable.record_on_time(frame.camera)
                    self._sightings.remember_trace(frame, each.traceparent)
                    pending.append((each.message, frame))
        records += self._analyse(pending)
        # Read after the work: the time of a long batch is not silence of a camera.
        now = time.monotonic()
        self._last_frame_s |= {
            each.encoded.camera: now
            for each in batch
            if each.encoded is not None and self._positions.is_assigned(each.message)
        }
        return records + self._tallies.records()

    def end_silent_cameras(self, waiting: Collection[int] = ()) -> list[tuple[str, Record]]:
        """End the tracks of silent cameras; returns the records.

        Args:
            waiting: Partitions with messages that are not processed yet. Where every frame counts
                their cameras are not silent: frames that are only late must find their tracks.
        """
        self._drop_tracks_of_pause()
        limit_s = SILENCE_LOSSLESS_S if self.lossless else SILENCE_S
        now = time.monotonic()
        silent = [
            camera
            for camera, last_frame_s in self._last_frame_s.items()
            if now - last_frame_s > limit_s
            and not (self.lossless and self._positions.partition_of(camera) in waiting)
        ]
        self._apply_new_index()
        records: list[tuple[str, Record]] = []
        for camera in silent:
            del self._last_frame_s[camera]
            records += self._end_epoch(camera)
        return records + self._tallies.records()

    def assign_partitions(self, partitions: Collection[int]) -> list[tuple[str, Record]]:
        """Accept an assignment after a rebalance; the state of cameras in it is kept.

        Kafka delivers all messages that were not acknowledged again, here or elsewhere. The tracks
        of other cameras are dropped: another worker analyses their frames, and each pass must give
        one sighting.

        Returns:
            The tallies of dropped cameras, where their frames were acknowledged.
        """
        for camera in self._positions.assign(partitions):
            self._drop_camera(camera, LossReason.MOVED)
        # No frame could be delivered during the rebalance: silence counts from now.
        self._last_frame_s = dict.fromkeys(self._last_frame_s, time.monotonic())
        return self._tallies.records()

    def leave(self) -> list[tuple[str, Record]]:
        """Drop all cameras; returns their tallies, where their frames were acknowledged."""
        for camera in dict.fromkeys((*self._analyser.cameras, *self._tallies.collector.cameras)):
            self._drop_camera(camera, LossReason.INTERRUPTED)
        return self._tallies.records()

    @property
    def lossless(self) -> bool:
        """Whether every frame is analysed, however old."""
        return self._decoder.max_age_s is None

    def is_quiet(self, camera: str) -> bool:
        """Whether the camera has no live track."""
        return self._analyser.is_quiet(camera)

    def is_tallied(self, frame: FrameId) -> bool:
        """Whether the tally of a frame was returned."""
        return self._tallies.collector.is_tallied(*frame)

    def _drop_tracks_of_pause(self) -> None:
        """While the deployment is paused, drop all tracks: people in sight are not searched."""
        if self._deployment.halt_reason():
            self._tallies.collector.record_pause()
            for camera in self._analyser.cameras:
                self._tallies.count_tracks(self._analyser.drop_camera(camera, LossReason.PAUSED))

    def _apply_new_index(self) -> None:
        """Search the newest watchlist index from now on, and count for its baseline."""
        if self._index_in_use is not None and (adoption := self._index_in_use.apply_offered()):
            self._tallies.collector.begin_baseline(adoption.ref, adoption)

    def _drop_camera(self, camera: str, reason: LossReason) -> None:
        """Drop a camera; count its live tracks as lost where its frames do not come again.

        Where they do, the worker that analyses them counts their tracks.
        """
        dropped = self._analyser.drop_camera(camera, reason)
        if not self.lossless:
            self._tallies.count_tracks(dropped)
        self._last_frame_s.pop(camera, None)
        self._tallies.drop_camera(camera)

    def _end_epoch(self, camera: str) -> list[tuple[str, Record]]:
        """End the tracks and the tally of a camera's epoch."""
        records = self._end_tracks(camera)
        self._tallies.collector.close_stretch(camera)
        return records

    def _end_tracks(self, camera: str) -> list[tuple[str, Record]]:
        """End a camera's tracks; tracks that cannot be searched are dropped and counted.

        A face on which the models fail would otherwise end each worker that receives it, one after
        the other, and nobody would be seen.
        """
        if self._deployment.halt_reason():
            self._tallies.count_tracks(self._analyser.drop_camera(camera, LossReason.PAUSED))
            return []
        try:
            return self._records_of(self._analyser.finish(camera))
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - logged and counted: bad input is no outage
            log.warning("tracks_failed", camera=camera, why=f"{type(error).__name__}: {error}")
            self.counts["tracks_failed"] += 1
            self._tallies.count_tracks(self._analyser.drop_camera(camera, LossReason.FAILED))
            return []

    def _analyse(self, pending: Sequence[tuple[Message, Frame]]) -> list[tuple[str, Record]]:
        """Analyse frames of any cameras in one call; after a failure, one by one."""
        if not pending:
            return []
        try:
            return self._analyse_frames([frame for _, frame in pending])
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one bad frame fails the batch: find it
            why = f"{type(error).__name__}: {error}"
            log.warning("batch_failed", frames=len(pending), why=why)
            return self._analyse_one_by_one(pending)

    def _analyse_frames(self, frames: Sequence[Frame]) -> list[tuple[str, Record]]:
        analysis = self._analyser.analyse(frames)
        newest = {frame.camera: frame.seq for frame in frames}
        self._sightings.log_sightings(analysis.sightings, newest)
        for frame, faces in zip(frames, analysis.faces, strict=True):
            if faces is None:
                self._tallies.count(frame.camera, DISCARDED)
            else:
                self._tallies.count_analysed(frame, faces)
        return self._records_of(analysis)

    def _analyse_one_by_one(
        self, pending: Sequence[tuple[Message, Frame]]
    ) -> list[tuple[str, Record]]:
        """Analyse each frame of a failed batch alone; a frame that fails alone is a dead letter.

        The cameras' tracks end first: the failed call has added some frames to tracks already.
        """
        records: list[tuple[str, Record]] = []
        for camera in dict.fromkeys(frame.camera for _, frame in pending):
            records += self._end_tracks(camera)
        for message, frame in pending:
            try:
                records += self._analyse_frames([frame])
            except Unavailable:
                raise
            except Exception as error:  # noqa: BLE001 - becomes a dead letter, never lost
                reason = f"It cannot be analysed: {type(error).__name__}."
                records.append(self._unusable.to_dead_letter(message, reason))
                self._tallies.count_missed(frame, UnwatchedReason.UNREADABLE)
        return records

    def _records_of(self, analysis: Analysis) -> list[tuple[str, Record]]:
        """The records of an analysis' sightings, with their topic; its tracks are counted."""
        records = [self._sightings.to_record(each) for each in analysis.sightings]
        self._tallies.count_tracks(analysis)
        return records
