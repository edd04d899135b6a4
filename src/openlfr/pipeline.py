"""The Analyser: calls the stages in order, and stores the live tracks of every camera.

    detect -> align -> track -> assess -> embed -> fuse -> search -> decide

A track's few best faces are retained in the memory of this process only. The faces are searched
when they make a first probe, a good probe, and later a clearly better probe, and when the track
settles or ends. A candidate at or above the threshold becomes a sighting, once for each subject of
a track (`searching.py`). When a track has ended, its faces are discarded.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from openlfr.domain.analysis import Analysis
from openlfr.domain.counts import LossReason
from openlfr.domain.moments import microseconds
from openlfr.live_tracks import CameraState, LiveTrack, TrackFace
from openlfr.searching import Searcher
from openlfr.stage_timer import StageTimer
from openlfr.stages.align import align
from openlfr.stages.assess import assess
from openlfr.stages.detect import centre_inside, input_size_for, stack_landmarks
from openlfr.stages.obscure import cut_picture, shrink
from openlfr.stages.probe import ProbeRules
from openlfr.stages.track import TrackRules, looks, track

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from openlfr.domain.analysis import ClosedTrack, SightingWithEvidence
    from openlfr.domain.evidence import ShrunkFrame
    from openlfr.domain.faces import Detection
    from openlfr.domain.frames import Frame
    from openlfr.domain.ids import Ids
    from openlfr.live_tracks import Query
    from openlfr.ports import FaceDetector, FaceEmbedder, WatchlistIndex


@dataclass(frozen=True, slots=True)
class AnalysisRules:
    """All parameters of the analysis; the defaults are the tuned values.

    Attributes:
        detector_score: Detector confidence below which a detection is ignored.
        tracks: Parameters of tracking.
        probes: Parameters of searching.
    """

    detector_score: float = 0.5
    tracks: TrackRules = field(default_factory=TrackRules)
    probes: ProbeRules = field(default_factory=ProbeRules)


class Analyser:
    """Turns frames into sightings and closed tracks.

    Not safe to share between threads. One analyser accepts frames of any number of cameras.

    Attributes:
        timings: The cost of each stage.
    """

    def __init__(
        self,
        *,
        ids: Ids,
        detector: FaceDetector,
        embedder: FaceEmbedder,
        index: WatchlistIndex,
        threshold: float,
        input_sizes: Mapping[str, tuple[int, int] | None] | None = None,
        rules: AnalysisRules | None = None,
        on_search: Callable[[Query], None] | None = None,
    ) -> None:
        """Create an analyser for one deployment.

        Args:
            ids: The deployment's ids, which identify its sightings.
            detector: The face detector.
            embedder: The face embedder, of the same model as the index's templates.
            index: The searchable references.
            threshold: Lowest score of a sighting.
            input_sizes: Detector input (width, height) by camera; None or absent for automatic.
            rules: Parameters of the analysis.
            on_search: Called after the search of each query, for calibrations; the query's track
                then has its best score so far.
        """
        self.timings = StageTimer()
        self._detector = detector
        self._input_sizes = dict(input_sizes or {})
        self._rules = rules or AnalysisRules()
        self._searcher = Searcher(
            ids=ids,
            detector=detector,
            embedder=embedder,
            index=index,
            threshold=threshold,
            rules=self._rules.probes,
            timings=self.timings,
            on_search=on_search,
        )
        self._cameras: dict[str, CameraState] = {}
        self._unreported_begun: list[str] = []  # cameras of new tracks
        self._unreported_lost: list[ClosedTrack] = []

    def use_index(self, index: WatchlistIndex) -> None:
        """Search in another index from the next search on; may be called from any thread."""
        self._searcher.use_index(index)

    def set_threshold(self, threshold: float) -> None:
        """Set the lowest score of a sighting. Call this before the first frame."""
        self._searcher.threshold = threshold

    def analyse(self, frames: Sequence[Frame]) -> Analysis:
        """Analyse a batch of frames of any cameras; the frames of each camera must be in order.

        A frame of an earlier epoch is discarded, and has None instead of a number of faces. Before
        a frame of a later epoch is analysed, the camera's live tracks end. If a call fails, the
        next successful call reports the tracks that began or ended in the failed call, so that
        every track is counted.
        """
        closed: list[LiveTrack] = []
        current: list[Frame] = []
        faces: list[int | None] = [0] * len(frames)
        positions: list[int] = []
        queries: list[Query] = []
        epochs = {camera: state.epoch for camera, state in self._cameras.items()}
        for position, frame in enumerate(frames):
            if frame.epoch < epochs.get(frame.camera, frame.epoch):
                faces[position] = None
                continue
            epochs[frame.camera] = frame.epoch
            current.append(frame)
            positions.append(position)

        detected = self._detect(current)
        with self._lost_on_error(closed):
            for position, frame, found in zip(positions, current, detected, strict=True):
                faces[position] = len(found)
                self._start_epoch(frame, queries, closed)
                self._track_faces(frame, found, queries, closed)
            sightings = self._searcher.search(queries)
        for camera in {live.camera for live in closed}:
            state = self._cameras[camera]
            state.encounters.prune(state.tracks)
        return self._report(sightings, closed, faces)

    def close_camera(self, camera: str) -> Analysis:
        """Close a camera's live tracks at the end of its source, each after a last search.

        The epoch is retained, so that frames of earlier epochs are still discarded.
        """
        state = self._cameras.get(camera)
        if state is None:
            return Analysis()
        queries: list[Query] = []
        closed: list[LiveTrack] = []
        with self._lost_on_error(closed):
            self._close_tracks(state, list(state.tracks), queries, closed)
            self._cameras[camera] = CameraState(state.epoch)
            sightings = self._searcher.search(queries)
        return self._report(sightings, closed)

    def drop_camera(self, camera: str, why: LossReason) -> Analysis:
        """Drop a camera; the returned analysis reports its live tracks as lost, unsearched."""
        state = self._cameras.pop(camera, None)
        if state is not None:
            self._lose_tracks(list(state.tracks.values()), why)
        return self._report([], [])

    @property
    def cameras(self) -> tuple[str, ...]:
        """Names of the cameras that have sent frames and were not dropped."""
        return tuple(self._cameras)

    @contextmanager
    def _lost_on_error(self, closed: list[LiveTrack]) -> Iterator[None]:
        """If the block fails, let the next call report the tracks in `closed` as lost."""
        try:
            yield
        except BaseException:
            self._lose_tracks(closed, LossReason.FAILED)
            raise

    def _lose_tracks(self, tracks: Sequence[LiveTrack], why: LossReason) -> None:
        self._unreported_lost += [live.to_closed(self._rules.probes, why) for live in tracks]

    def _report(
        self,
        sightings: Sequence[SightingWithEvidence],
        closed: Sequence[LiveTrack],
        faces: Sequence[int | None] = (),
    ) -> Analysis:
        """Return the analysis of this call, with all tracks that were not reported yet."""
        ended = (*self._unreported_lost, *(live.to_closed(self._rules.probes) for live in closed))
        begun = tuple(self._unreported_begun)
        self._unreported_lost, self._unreported_begun = [], []
        return Analysis(tuple(sightings), ended, tuple(faces), begun)

    def is_quiet(self, camera: str) -> bool:
        """Return whether the camera has no live track; a restart would lose live tracks."""
        state = self._cameras.get(camera)
        return state is None or not state.tracker.live

    def _detect(self, frames: Sequence[Frame]) -> list[list[Detection]]:
        """Return the faces of each frame; discard weak detections, and those outside the picture.

        The detector gets one batch for each input size.
        """
        sizes = [
            input_size_for(f.image.shape[1], f.image.shape[0], self._input_sizes.get(f.camera))
            for f in frames
        ]
        result: list[list[Detection]] = [[] for _ in frames]
        for size in dict.fromkeys(sizes):
            members = [i for i, s in enumerate(sizes) if s == size]
            with self.timings("detect", len(members)):
                found = self._detector.detect([frames[i].image for i in members], size)
            for i, detections in zip(members, found, strict=True):
                height, width = frames[i].image.shape[:2]
                result[i] = [
                    d
                    for d in detections
                    if d.score >= self._rules.detector_score and centre_inside(d.box, width, height)
                ]
        return result

    def _start_epoch(self, frame: Frame, queries: list[Query], closed: list[LiveTrack]) -> None:
        """If the frame begins a new epoch, close the tracks of the previous epoch."""
        state = self._cameras.get(frame.camera)
        if state is not None and frame.epoch > state.epoch:
            self._close_tracks(state, list(state.tracks), queries, closed)
        if state is None or frame.epoch > state.epoch:
            self._cameras[frame.camera] = CameraState(frame.epoch)

    def _track_faces(
        self,
        frame: Frame,
        found: Sequence[Detection],
        queries: list[Query],
        closed: list[LiveTrack],
    ) -> None:
        """Add a frame's faces to their tracks, and collect the queries that are due."""
        state = self._cameras[frame.camera]
        with self.timings("align", len(found)):
            aligned = align(frame.image, stack_landmarks(found))
        with self.timings("track", len(found)):
            state.tracker, tracked = track(
                state.tracker,
                found,
                looks(aligned),
                at=microseconds(frame.captured_at),
                rules=self._rules.tracks,
            )
        self._close_tracks(state, tracked.ended, queries, closed)
        in_track = [i for i, number in enumerate(tracked.tracks) if number >= 0]
        if not in_track:
            return
        with self.timings("assess", len(in_track)):
            qualities = assess([found[i] for i in in_track], aligned[in_track])
        with self.timings("hold", len(in_track)):
            shrunk: ShrunkFrame | None = None
            boxes = [d.box for d in found]
            for number in (tracked.tracks[i] for i in in_track):
                if number not in state.tracks:
                    state.tracks[number] = LiveTrack(frame.camera, state.epoch, number)
                    self._unreported_begun.append(frame.camera)
            state.encounters.record_frame([tracked.tracks[i] for i in in_track])
            for i, quality in zip(in_track, qualities, strict=True):
                live = state.tracks[tracked.tracks[i]]
                if live.add_detection(quality, self._rules.probes):
                    if shrunk is None:
                        shrunk = shrink(frame.image)
                    others = boxes[:i] + boxes[i + 1 :]
                    live.faces.append(
                        TrackFace(
                            seq=frame.seq,
                            captured_at=frame.captured_at,
                            box=boxes[i],
                            quality=quality,
                            aligned=aligned[i].copy(),  # a view would retain the whole array
                            picture=cut_picture(frame.image, shrunk, boxes[i], others),
                        )
                    )
                query = live.next_query(self._rules.probes, frame.captured_at, state.encounters)
                if query is not None:
                    queries.append(query)

    def _close_tracks(
        self,
        state: CameraState,
        ended: Sequence[int],
        queries: list[Query],
        closed: list[LiveTrack],
    ) -> None:
        """Remove ended tracks, and collect the last queries of tracks with usable faces."""
        for number in ended:
            live = state.tracks.pop(number, None)
            if live is None:
                continue
            query = live.next_query(self._rules.probes, None, state.encounters)
            if query is not None:
                queries.append(query)
            closed.append(live)
