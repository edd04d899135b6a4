"""Counts the frames and tracks of one worker, for Prometheus and for tallies.v1."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from openlfr.adapters.kafka.topics import TALLIES
from openlfr.domain.analysis import LostTrack, SearchedTrack
from openlfr.domain.tally_collector import SKIPPED_COUNTS, TallyCollector
from openlfr.wire import codec, seal

if TYPE_CHECKING:
    from openlfr.domain.analysis import Analysis
    from openlfr.domain.frames import EncodedFrame, Frame
    from openlfr.domain.watching import UnwatchedReason
    from openlfr.wire.codec import Record


class WorkerTallies:
    """Counts each frame and track twice: in `counts` and in the tally of its camera.

    Attributes:
        counts: Totals of this process, for Prometheus.
        collector: Tallies by camera and stretch of frames.
    """

    def __init__(self, deployment_id: str, key: bytes, *, lossless: bool) -> None:
        """Start with empty counts.

        Args:
            deployment_id: The deployment of the tallies.
            key: Key of the tallies' authentication code.
            lossless: Whether Kafka delivers the frames of a dropped camera again.
        """
        self.counts: Counter[str] = Counter()
        self.collector = TallyCollector(deployment_id)
        self._key = key
        self._lossless = lossless

    def count(self, camera: str, name: str, number: int = 1) -> None:
        """Add a number to a count of the tally, such as `frames_discarded`."""
        self.counts[name.removeprefix("frames_")] += number
        self.collector.count(camera, name, number)

    def count_missed(self, frame: Frame | EncodedFrame | None, reason: UnwatchedReason) -> None:
        """Count a frame that is not analysed; `frame` is None if its camera is unknown."""
        self.counts[SKIPPED_COUNTS[reason].removeprefix("frames_")] += 1
        if frame is not None:
            self.collector.record_skipped(frame, reason)

    def count_analysed(self, frame: Frame, faces: int) -> None:
        """Count an analysed frame and its faces."""
        self.counts["analysed"] += 1
        self.collector.record_analysed(frame, faces)

    def count_tracks(self, analysis: Analysis) -> None:
        """Count the sightings, and the tracks that began, ended or were dropped."""
        self.collector.record_results(analysis)
        self.counts["sightings"] += len(analysis.sightings)
        self.counts["tracks_begun"] += len(analysis.begun_cameras)
        self.counts["tracks"] += len(analysis.closed_tracks)
        for track in analysis.closed_tracks:
            match track:
                case SearchedTrack():
                    self.counts["tracks_matched"] += track.is_matched
                case LostTrack():
                    self.counts[f"tracks_lost_{track.reason}"] += 1

    def drop_camera(self, camera: str) -> None:
        """End a camera's tally; in lossless mode discard the tally, since its frames come again."""
        if self._lossless:
            self.collector.discard(camera)
        else:
            self.collector.close_stretch(camera)

    def records(self) -> list[tuple[str, Record]]:
        """Return the records of new complete tallies, with their topic."""
        records = [codec.encode_tally(each) for each in self.collector.take()]
        return [(TALLIES.name, seal.sign(each, self._key)) for each in records]
