"""Counts one camera's frames, faces and tracks while a run lasts."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from openlfr.domain.analysis import Compared, Dropped, NotCompared
from openlfr.domain.scores import SCORE_BINS, fine_bin, score_bin
from openlfr.domain.summary import CameraCounts, Lost, NotSearched

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openlfr.domain.analysis import ClosedTrack
    from openlfr.domain.frames import Frame


@dataclass(slots=True)
class Tally:
    """The counts of `CameraCounts`, growing; alerts are counted where they are raised."""

    camera: str
    frames_sampled_away: int = 0
    frames_dropped_late: int = 0
    frames_outside_hours: int = 0
    frames_unreadable: int = 0
    frames_analysed: int = 0
    faces_detected: int = 0
    tracks_begun: int = 0
    tracks_searched: int = 0
    tracks_matched: int = 0
    tracks_not_searched: Counter[NotSearched] = field(default_factory=Counter)
    tracks_lost: Counter[Lost] = field(default_factory=Counter)
    sightings: int = 0
    scores: list[int] = field(default_factory=lambda: [0] * SCORE_BINS)
    control_scores: Counter[int] = field(default_factory=Counter)
    first_captured_at: datetime | None = None
    last_captured_at: datetime | None = None
    frame_size: tuple[int, int] = (0, 0)

    def analysed(self, frame: Frame, faces: int | None) -> None:
        """Count a frame that went through the detector."""
        self.frames_analysed += 1
        self.faces_detected += faces or 0
        self.first_captured_at = self.first_captured_at or frame.captured_at
        self.last_captured_at = frame.captured_at
        self.frame_size = (frame.image.shape[1], frame.image.shape[0])

    def left_out(self, sampled_away: int, unreadable: int, overtaken: int = 0) -> None:
        """Count frames that the source did not yield; overtaken ones came too late."""
        self.frames_sampled_away += sampled_away
        self.frames_dropped_late += overtaken
        self.frames_unreadable += unreadable

    def closed(self, track: ClosedTrack) -> None:
        """Count a track that ended or was dropped."""
        match track:
            case Compared():
                self.tracks_searched += 1
                self.tracks_matched += track.matched
                if track.control_score is not None:
                    self.control_scores[fine_bin(track.control_score)] += 1
                if track.score is not None and not track.control:
                    self.scores[score_bin(track.score)] += 1
            case NotCompared():
                self.tracks_not_searched[track.reason] += 1
            case Dropped():
                self.tracks_lost[track.why] += 1

    def counts(self) -> CameraCounts:
        """The counts now, as a frozen value."""
        values: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        values["tracks_not_searched"] = dict(self.tracks_not_searched)
        values["tracks_lost"] = dict(self.tracks_lost)
        values["control_scores"] = dict(self.control_scores)
        values["scores"] = tuple(self.scores)
        return CameraCounts(
            frames_decoded=self.frames_sampled_away
            + self.frames_dropped_late
            + self.frames_outside_hours
            + self.frames_unreadable
            + self.frames_analysed,
            tracks_closed=self.tracks_searched
            + self.tracks_not_searched.total()
            + self.tracks_lost.total(),
            **values,
        )

    def to_json(self) -> dict[str, object]:
        """JSON values from which `from_json` makes an equal tally."""
        values = asdict(self)
        for name in ("tracks_not_searched", "tracks_lost", "control_scores"):
            values[name] = {str(k): n for k, n in getattr(self, name).items()}
        for name in ("first_captured_at", "last_captured_at"):
            moment = getattr(self, name)
            values[name] = moment.isoformat() if moment else None
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Tally:
        """The tally that `to_json` wrote."""
        known = {f.name: values[f.name] for f in fields(cls) if f.name in values}
        reasons = known.get("tracks_not_searched", {})
        known["tracks_not_searched"] = Counter({NotSearched(k): n for k, n in reasons.items()})
        lost = known.get("tracks_lost", {})
        known["tracks_lost"] = Counter({Lost(k): n for k, n in lost.items()})
        control = known.get("control_scores", {})
        known["control_scores"] = Counter({int(k): n for k, n in control.items()})
        if "tracks_begun" not in known:  # an earlier version's: kept while no track lived
            known["tracks_begun"] = known.get("tracks_searched", 0) + sum(reasons.values())
        for name in ("first_captured_at", "last_captured_at"):
            known[name] = datetime.fromisoformat(known[name]) if known.get(name) else None
        known["frame_size"] = tuple(known.get("frame_size", (0, 0)))
        return cls(**known)
