"""Counts what becomes of each camera's frames, faces and tracks, and gives it out as tallies.

Both modes count with this: a worker of a city publishes the tallies, one process records them.

Frames may come twice, to this worker or, after a kill, to another one. So that nothing is counted
twice, tallies lie on a grid: of each epoch one for the frames 0 to 249, one for 250 to 499, and so
on. Whoever counts a stretch of the grid again gives it the same `tally_id`. And so that nothing is
lost, a frame that may not be lost is acknowledged only when its tally is with Kafka: a stretch that
was not yet told is then delivered again from its beginning.

Where a stretch ends early (the epoch is over; the camera has fallen silent, or is somebody else's
now) the tally says so in its range, and the next begins behind it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from openlfr.domain.analysis import LostTrack, SearchedTrack, UnsearchedTrack
from openlfr.domain.baseline_openings import BaselineRef
from openlfr.domain.counts import LossReason, NotSearchedReason
from openlfr.domain.measures import Measures
from openlfr.domain.moments import microseconds
from openlfr.domain.scores import SCORE_BINS, fine_bin, score_bin
from openlfr.domain.tallies import Reporter, Tally, quality_band
from openlfr.domain.watching import UnwatchedReason, Watchtime

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from openlfr.domain.analysis import Analysis, ClosedTrack
    from openlfr.domain.baseline_openings import BaselineAdoption
    from openlfr.domain.frames import EncodedFrame, Frame

MISSED = {
    UnwatchedReason.LATE: "frames_dropped_late",
    UnwatchedReason.UNREADABLE: "frames_unreadable",
    UnwatchedReason.OUTSIDE_HOURS: "frames_outside_hours",
    UnwatchedReason.PAUSED: "frames_paused",
}
"""By which name a tally counts frames that came and were not looked at."""
STRETCH = 250
"""Frames of the source: 10 s of a camera that gives 25 a second."""


@dataclass(slots=True)
class _Open:
    """The stretch that a camera is in.

    Attributes:
        first: Where it begins.
        newest: Of the frames in it that came.
        adoption: The adoption that its tally records; None where another tally does.
    """

    epoch: int
    first: int
    newest: int
    first_at: datetime
    newest_at: datetime
    ref: BaselineRef = field(default_factory=BaselineRef)
    adoption: BaselineAdoption | None = None
    frames: Counter[str] = field(default_factory=Counter)
    not_searched: Counter[NotSearchedReason] = field(default_factory=Counter)
    lost: Counter[LossReason] = field(default_factory=Counter)
    scores: dict[int, list[int]] = field(default_factory=dict)
    fine_scores: Counter[int] = field(default_factory=Counter)
    control_scores: Counter[int] = field(default_factory=Counter)
    measures: Measures = field(default_factory=Measures)

    @property
    def last(self) -> int:
        """The last frame number of its part of the grid."""
        return (self.first // STRETCH + 1) * STRETCH - 1

    def holds(self, epoch: int, seq: int) -> bool:
        return epoch == self.epoch and self.first <= seq <= self.last

    def to_json(self) -> dict[str, Any]:
        counters = "frames", "not_searched", "lost", "scores", "fine_scores", "control_scores"
        return {
            **{name: getattr(self, name) for name in ("epoch", "first", "newest")},
            "baseline": self.ref.baseline_id,
            "since": self.ref.adopted_at and self.ref.adopted_at.isoformat(),
            **{name: getattr(self, name).isoformat() for name in ("first_at", "newest_at")},
            **{
                name: {str(key): each for key, each in getattr(self, name).items()}
                for name in counters  # `asdict` makes a Counter of a Counter's pairs
            },
            "measures": asdict(self.measures),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        def counter(name: str, key: Callable[[str], Any]) -> Counter[Any]:
            return Counter({key(word): count for word, count in values[name].items()})

        since = values.get("since")  # no checkpoint of an earlier version has it
        return cls(
            values["epoch"],
            values["first"],
            values["newest"],
            datetime.fromisoformat(values["first_at"]),
            datetime.fromisoformat(values["newest_at"]),
            BaselineRef(values["baseline"], since and datetime.fromisoformat(since)),
            None,
            counter("frames", str),
            counter("not_searched", NotSearchedReason),
            counter("lost", LossReason),
            {int(band): list(counts) for band, counts in values["scores"].items()},
            counter("fine_scores", int),
            counter("control_scores", int),
            Measures.from_json(values["measures"]),
        )


class TallyCollector:
    """The counts of all cameras of a worker; one thread uses it."""

    def __init__(self, deployment: str, ref: BaselineRef | None = None) -> None:
        """Count for a deployment, by its id, and for the baseline in force."""
        self._deployment = deployment
        self._ref = ref or BaselineRef()
        self._adoption: BaselineAdoption | None = None
        self._announced: set[str] = set()  # cameras with a stretch that says what is taken up
        self._watches: dict[str, Watchtime] = {}
        self._open: dict[str, _Open] = {}
        self._told: dict[str, tuple[int, int]] = {}  # camera -> epoch, last frame of a tally
        self._done: list[Tally] = []

    def leaves(self, camera: str, epoch: int, seq: int) -> bool:
        """Whether this frame ends the stretch that its camera is in."""
        stretch = self._open.get(camera)
        return stretch is not None and not (stretch.holds(epoch, seq) and stretch.ref == self._ref)

    def epoch_of(self, camera: str) -> int | None:
        """The epoch of the stretch that a camera is in; None where it is in none."""
        stretch = self._open.get(camera)
        return None if stretch is None else stretch.epoch

    def enter(self, frame: Frame | EncodedFrame) -> None:
        """The next frame of a camera has come, to be counted by what becomes of it."""
        camera = frame.camera
        stretch = self._open.get(camera)
        if stretch is not None and not stretch.holds(frame.epoch, frame.seq):
            self._close(camera, stretch.last)
            stretch = None
        elif stretch is not None and stretch.ref != self._ref:
            self._close(camera, stretch.newest)
            stretch = None
        if stretch is None:
            self._open[camera] = self._begin(frame)
        else:
            stretch.newest, stretch.newest_at = frame.seq, frame.captured_at

    def count(self, camera: str, what: str, number: int = 1) -> None:
        """Add to one of the tally's counts, by its name."""
        if (stretch := self._open.get(camera)) is not None:
            stretch.frames[what] += number

    def looked(self, frame: Frame, faces: int) -> None:
        """A frame was looked at, with so many faces in it."""
        self.count(frame.camera, "frames_analysed")
        self.count(frame.camera, "faces_detected", faces)
        self._watch(frame.camera).looked(microseconds(frame.captured_at))

    def missed(self, frame: Frame | EncodedFrame, why: UnwatchedReason) -> None:
        """A frame came that was not looked at."""
        self.count(frame.camera, MISSED[why])
        self._watch(frame.camera).missed(microseconds(frame.captured_at), why)

    def left_out(self, frame: Frame, why: UnwatchedReason) -> None:
        """A frame came that was not looked at, and is counted with those left out at capture."""
        self._watch(frame.camera).missed(microseconds(frame.captured_at), why)

    def paused(self) -> None:
        """The deployment is not in force: no camera is watched, though no frames may come."""
        for watch in self._watches.values():
            watch.paused()

    def take_in(self, analysis: Analysis) -> None:
        """Count the tracks that began, ended or were dropped, and the sightings."""
        for camera in analysis.begun:
            self.count(camera, "tracks_begun")
        for track in analysis.closed:
            self._closed(track)
        for sighted in analysis.sightings:
            self.count(sighted.sighting.camera, "sightings")

    def begin_baseline(self, ref: BaselineRef, adoption: BaselineAdoption | None = None) -> None:
        """Another baseline is in force: each camera's next frame begins a stretch of it.

        A track counts for the baseline in which it ends, and with the last frame of its camera
        for that frame's.

        Args:
            ref: What tallies say of it.
            adoption: Recorded with the first tally of each camera.
        """
        self._ref, self._adoption = ref, adoption
        self._announced.clear()

    def _closed(self, track: ClosedTrack) -> None:
        stretch = self._open.get(track.camera)
        if stretch is None:
            return
        stretch.frames["tracks_closed"] += 1
        if track.face is not None:
            stretch.measures += Measures.of(track.face)
        match track:
            case SearchedTrack():
                self._compared(stretch, track)
            case UnsearchedTrack():
                stretch.not_searched[track.reason] += 1
            case LostTrack():
                stretch.lost[track.reason] += 1

    def _compared(self, stretch: _Open, track: SearchedTrack) -> None:
        """Whom it was taken for decides in which histogram it is: see `SearchedTrack`."""
        stretch.frames["tracks_matched"] += track.matched
        stretch.frames["tracks_matched_control"] += track.control
        if track.control_score is not None:
            stretch.control_scores[fine_bin(track.control_score)] += 1
        if track.score is None or track.control:
            stretch.frames["tracks_control"] += 1
            return
        band = stretch.scores.setdefault(quality_band(track.quality), [0] * SCORE_BINS)
        band[score_bin(track.score)] += 1
        stretch.fine_scores[fine_bin(track.score)] += 1

    def _watch(self, camera: str) -> Watchtime:
        return self._watches.setdefault(camera, Watchtime())

    def cut(self, camera: str) -> None:
        """End a camera's stretch with the newest frame in it, if there is one."""
        if (stretch := self._open.get(camera)) is not None:
            self._close(camera, stretch.newest)

    def forget(self, camera: str) -> None:
        """Drop what was counted of a camera and not told: somebody else counts it."""
        self._open.pop(camera, None)
        self._told.pop(camera, None)
        self._watches.pop(camera, None)
        self._announced.discard(camera)

    def open_tally(self, camera: str) -> Tally | None:
        """What was counted in the stretch that a camera is in, as far as it goes."""
        stretch = self._open.get(camera)
        if stretch is None:
            return None
        watch = self._watch(camera)
        return self._tally(camera, stretch, stretch.newest, watch.watched, dict(watch.unwatched))

    def to_json(self, camera: str) -> dict[str, Any]:
        """JSON values from which `restore` counts a camera on."""
        stretch, watch = self._open.get(camera), self._watch(camera)
        return {
            "open": None if stretch is None else stretch.to_json(),
            "told": self._told.get(camera),
            "watch": {
                "until": watch.until,
                "why": watch.why,
                "watched": watch.watched,
                "unwatched": {str(why): us for why, us in watch.unwatched.items()},
            },
        }

    def restore(self, camera: str, values: Mapping[str, Any]) -> None:
        """Count a camera on from what `to_json` gave."""
        if values["open"] is not None:
            self._open[camera] = _Open.from_json(values["open"])
        if values["told"] is not None:
            epoch, last = values["told"]
            self._told[camera] = epoch, last
        if watch := dict(values["watch"]):
            watch["why"] = watch["why"] and UnwatchedReason(watch["why"])
            unwatched = watch["unwatched"].items()
            watch["unwatched"] = Counter({UnwatchedReason(why): us for why, us in unwatched})
            self._watches[camera] = Watchtime(**watch)

    @property
    def cameras(self) -> tuple[str, ...]:
        """Those with a stretch that was not told yet."""
        return tuple(self._open)

    def is_told(self, camera: str, epoch: int, seq: int) -> bool:
        """Whether a frame that came is in no stretch that is still counted."""
        stretch = self._open.get(camera)
        return stretch is None or not stretch.holds(epoch, seq)

    def take(self) -> list[Tally]:
        """The tallies that are ready; each is given once."""
        done, self._done = self._done, []
        return done

    def _begin(self, frame: Frame | EncodedFrame) -> _Open:
        first = frame.seq // STRETCH * STRETCH
        epoch, last = self._told.get(frame.camera, (frame.epoch, -1))
        if epoch == frame.epoch and last < frame.seq:
            first = max(first, last + 1)
        at = frame.captured_at
        adoption = None if frame.camera in self._announced else self._adoption
        self._announced.add(frame.camera)
        return _Open(frame.epoch, first, frame.seq, at, at, self._ref, adoption)

    def _close(self, camera: str, last: int) -> None:
        stretch = self._open.pop(camera)
        self._told[camera] = stretch.epoch, last
        watched, unwatched = self._watch(camera).take()
        self._done.append(self._tally(camera, stretch, last, watched, unwatched))

    def _tally(
        self,
        camera: str,
        stretch: _Open,
        last: int,
        watched: int,
        unwatched: dict[UnwatchedReason, int],
    ) -> Tally:
        return Tally(
            deployment=self._deployment,
            camera=camera,
            epoch=stretch.epoch,
            reporter=Reporter.ANALYSIS,
            first_seq=stretch.first,
            last_seq=last,
            first_captured_at=stretch.first_at,
            last_captured_at=stretch.newest_at,
            tracks_not_searched=dict(stretch.not_searched),
            tracks_lost=dict(stretch.lost),
            scores={band: tuple(counts) for band, counts in stretch.scores.items()},
            fine_scores=dict(stretch.fine_scores),
            control_scores=dict(stretch.control_scores),
            measures=stretch.measures,
            baseline=stretch.ref.baseline_id,
            baseline_since=stretch.ref.adopted_at,
            adoption=stretch.adoption,
            watched_us=watched,
            unwatched_us=unwatched,
            **stretch.frames,
        )
