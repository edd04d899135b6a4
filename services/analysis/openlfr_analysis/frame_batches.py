"""Processes batches of decoded messages, and returns records for other topics.

This module does not use Faust. `decode` is safe from several threads; one thread calls all other
methods.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from openlfr.adapters.kafka.topics import TALLIES
from openlfr.domain.counts import LossReason
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
from openlfr_analysis.resilient_analyser import DISCARDED, ResilientAnalyser
from openlfr_analysis.sightings import SightingPublisher
from openlfr_analysis.unanalysed_messages import UnanalysedMessages
from openlfr_analysis.worker_tallies import WorkerTallies

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import timedelta

    from openlfr.adapters.faust.agents import Message
    from openlfr.domain.frames import Frame
    from openlfr.in_force import DeploymentInForce
    from openlfr.pipeline import Analyser
    from openlfr.ports import Vault
    from openlfr.wire.codec import Record
    from openlfr_analysis.acknowledgement_queue import FrameId
    from openlfr_analysis.decoding import DecodedMessage
    from openlfr_analysis.index_in_use import IndexInUse

SILENCE_S, SILENCE_LOSSLESS_S = 5.0, 30.0
"""A camera's tracks end after this many seconds without a frame, since the camera may be gone. The
limit is longer in lossless mode, so that the tracks are still live when late frames arrive."""


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
            analyser: The analyser, which contains the live tracks.
            vault: Seals evidence, and derives the key of tallies.
            deployment: The id and the state of the deployment.
            index_in_use: The watchlist index and its baseline; None to search the analyser's own
                index for ever.
            max_age: Greatest age of a frame; None for lossless mode, which analyses every frame.
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
        self._unusable = UnanalysedMessages(self._decoder, self._tallies)
        self._sightings = SightingPublisher(vault, self.counts)
        self._resilient_analyser = ResilientAnalyser(
            analyser, deployment, self._tallies, self._sightings, self._unusable
        )
        self._last_frame_s: dict[str, float] = {}  # monotonic, of cameras that may have tracks

    def decode(self, message: Message, *, overtaken: bool = False) -> DecodedMessage:
        """Decode a message, without the picture if it is overtaken; no content raises an error."""
        return self._decoder.decode(message, overtaken=overtaken)

    def process(self, batch: Sequence[DecodedMessage]) -> list[tuple[str, Record]]:
        """Process a batch in order; return its records with their topics.

        Raises:
            Unavailable: A service that the analysis needs does not answer.
        """
        self._apply_new_index()
        records: list[tuple[str, Record]] = []
        pending: list[tuple[Message, Frame]] = []  # to be analysed in one call
        for each in batch:
            if not self._positions.is_assigned(each.message):
                self.counts["elsewhere"] += 1  # Kafka delivers it to the partition's new worker
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
                    # The results of earlier frames belong to the tally that ends here.
                    records += self._resilient_analyser.analyse(pending)
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
                    # The deployment was paused while the previous batch was processed.
                    self._unusable.skip_frame(each.message, each.encoded, reason)
                case DecodedFrame() if self._decoder.is_late(each.encoded, each.message):
                    # The frame became too old while the previous batch was processed.
                    self._unusable.skip_frame(each.message, each.encoded, UnwatchedReason.LATE)
                case DecodedFrame():
                    frame = each.frame
                    self._unusable.record_on_time(frame.camera)
                    self._sightings.remember_trace(frame, each.traceparent)
                    pending.append((each.message, frame))
        records += self._resilient_analyser.analyse(pending)
        # Read the clock after the analysis: a long batch is not a camera's silence.
        now = time.monotonic()
        self._last_frame_s |= {
            each.encoded.camera: now
            for each in batch
            if each.encoded is not None and self._positions.is_assigned(each.message)
        }
        return records + self._tallies.records()

    def end_silent_cameras(self, waiting: Collection[int] = ()) -> list[tuple[str, Record]]:
        """End the tracks of silent cameras; return their records with their topics.

        Args:
            waiting: Partitions with unprocessed messages. In lossless mode no camera of these
                partitions counts as silent, since its frames may only be late.
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
        """Accept the partitions of a rebalance; drop the cameras of all other partitions.

        Kafka delivers unacknowledged messages again, to this worker or another. The tracks of other
        partitions are dropped because another worker analyses those frames now, and each passage of
        a person must give one sighting.

        Returns:
            The tallies of dropped cameras; none in lossless mode.
        """
        for camera in self._positions.assign(partitions):
            self._drop_camera(camera, LossReason.MOVED)
        # Kafka delivered no frames during the rebalance, so silence counts from now.
        self._last_frame_s = dict.fromkeys(self._last_frame_s, time.monotonic())
        return self._tallies.records()

    def leave(self) -> list[tuple[str, Record]]:
        """Drop all cameras; return their tallies (none in lossless mode)."""
        for camera in dict.fromkeys((*self._analyser.cameras, *self._tallies.collector.cameras)):
            self._drop_camera(camera, LossReason.INTERRUPTED)
        return self._tallies.records()

    @property
    def lossless(self) -> bool:
        """Whether every frame is analysed, however old."""
        return self._decoder.max_age_s is None

    def is_quiet(self, camera: str) -> bool:
        """Return whether the camera has no live track."""
        return self._analyser.is_quiet(camera)

    def is_tallied(self, frame: FrameId) -> bool:
        """Return whether the tally of a frame was returned by an earlier call."""
        return self._tallies.collector.is_tallied(*frame)

    def _drop_tracks_of_pause(self) -> None:
        """Drop all tracks while the deployment is paused, so that nobody in sight is searched."""
        if self._deployment.halt_reason():
            self._tallies.collector.record_pause()
            for camera in self._analyser.cameras:
                self._tallies.count_tracks(self._analyser.drop_camera(camera, LossReason.PAUSED))

    def _apply_new_index(self) -> None:
        """Search the newest watchlist index from now on, and count under its baseline."""
        if self._index_in_use is not None and (adoption := self._index_in_use.apply_offered()):
            self._tallies.collector.begin_baseline(adoption.ref, adoption)

    def _drop_camera(self, camera: str, reason: LossReason) -> None:
        """Drop a camera; count its live tracks as lost, except in lossless mode.

        In lossless mode Kafka delivers the frames again, and their worker counts the tracks.
        """
        dropped = self._analyser.drop_camera(camera, reason)
        if not self.lossless:
            self._tallies.count_tracks(dropped)
        self._last_frame_s.pop(camera, None)
        self._tallies.drop_camera(camera)

    def _end_epoch(self, camera: str) -> list[tuple[str, Record]]:
        """End the tracks and the tally of a camera's epoch."""
        records = self._resilient_analyser.end_tracks(camera)
        self._tallies.collector.close_stretch(camera)
        return records
