"""Analyses frames, and continues where the models fail on one frame or on one camera's tracks.

Without this isolation, a face on which the models fail would end each worker that receives it, one
after the other, and no camera would be analysed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from openlfr.domain.counts import LossReason
from openlfr.domain.errors import Unavailable
from openlfr.domain.watching import UnwatchedReason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openlfr.adapters.faust.agents import Message
    from openlfr.domain.analysis import Analysis
    from openlfr.domain.frames import Frame
    from openlfr.in_force import DeploymentInForce
    from openlfr.pipeline import Analyser
    from openlfr.wire.codec import Record
    from openlfr_analysis.sightings import SightingPublisher
    from openlfr_analysis.unanalysed_messages import UnanalysedMessages
    from openlfr_analysis.worker_tallies import WorkerTallies

DISCARDED = "frames_discarded"

log = structlog.get_logger()


class ResilientAnalyser:
    """Runs the analyser of one worker, and counts its results."""

    def __init__(
        self,
        analyser: Analyser,
        deployment: DeploymentInForce,
        tallies: WorkerTallies,
        sightings: SightingPublisher,
        unusable: UnanalysedMessages,
    ) -> None:
        """Use the parts of one worker.

        Args:
            analyser: The analyser, which contains the live tracks.
            deployment: The state of the deployment.
            tallies: Receives the counts of frames and tracks.
            sightings: Builds the records of sightings.
            unusable: Builds the dead letters of frames that cannot be analysed.
        """
        self._analyser = analyser
        self._deployment = deployment
        self._tallies = tallies
        self._sightings = sightings
        self._unusable = unusable

    def analyse(self, pending: Sequence[tuple[Message, Frame]]) -> list[tuple[str, Record]]:
        """Analyse frames of any cameras in one call; if the call fails, one by one.

        Return the records of sightings and of dead letters, with their topics.

        Raises:
            Unavailable: A service that the analysis needs does not answer.
        """
        if not pending:
            return []
        try:
            return self._analyse_frames([frame for _, frame in pending])
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one bad frame fails the batch: isolate it
            why = f"{type(error).__name__}: {error}"
            log.warning("batch_failed", frames=len(pending), why=why)
            return self._analyse_one_by_one(pending)

    def end_tracks(self, camera: str) -> list[tuple[str, Record]]:
        """End a camera's tracks; return the records of their sightings.

        The tracks are dropped and counted as lost if their last search fails, or if the deployment
        is not in force.

        Raises:
            Unavailable: A service that the analysis needs does not answer.
        """
        if self._deployment.halt_reason():
            self._tallies.count_tracks(self._analyser.drop_camera(camera, LossReason.PAUSED))
            return []
        try:
            return self._records_of(self._analyser.close_camera(camera))
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - logged and counted: bad input is no outage
            log.warning("tracks_failed", camera=camera, why=f"{type(error).__name__}: {error}")
            self._tallies.counts["tracks_failed"] += 1
            self._tallies.count_tracks(self._analyser.drop_camera(camera, LossReason.FAILED))
            return []

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
            records += self.end_tracks(camera)
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
        """Count the tracks of an analysis; return the records of its sightings with their topic."""
        records = [self._sightings.to_record(each) for each in analysis.sightings]
        self._tallies.count_tracks(analysis)
        return records
