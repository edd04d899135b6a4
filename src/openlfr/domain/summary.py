"""What a run did, in figures: the value from which a report is made, and nothing else is needed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from openlfr.domain.counts import Counts
from openlfr.domain.measures import Measures
from openlfr.domain.scores import SCORE_BINS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from openlfr.domain.alerts import AlertEvent
    from openlfr.domain.baseline_figures import BaselineFigures, Pool
    from openlfr.domain.deployment import Authorisation
    from openlfr.domain.thresholds import Threshold


class NotSearched(StrEnum):
    """Why a track ended without a search."""

    TOO_SMALL = "too_small"  # never enough pixels between the eyes
    TOO_POOR = "too_poor"  # large enough, but blurred, turned away, dark or hidden
    TOO_SHORT = "too_short"  # gone before enough frames of it were seen
    NOBODY_LISTED = "nobody_listed"  # good enough, but nobody was searchable then


class Lost(StrEnum):
    """Why a track was never searched although it had not ended: it was dropped while it lived."""

    INTERRUPTED = "interrupted"  # the run or its worker was ended
    PAUSED = "paused"  # the deployment was not in force any more: paused, stopped, altered
    MOVED = "moved"  # another worker has its camera now
    FAILED = "failed"  # something failed while it was looked at


@dataclass(frozen=True, slots=True)
class CameraCounts(Counts):
    """What became of all that one camera gave in a run.

    Attributes:
        frames_decoded: Sum of the other counts of frames.
        tracks_searched: Compared with the watchlist at least once.
        scores: Best score of each searched track that is no control subject's against those who
            are looked for, counted by `SCORE_EDGES`' bins.
        fine_scores: The same by fine bins (`domain.scores`).
        control_scores: Best score of each searched track against control subjects, by fine bins.
        measures: What the faces of all passes were like.
        first_captured_at, last_captured_at: Of the analysed frames, UTC; None without any.
        frame_size: (width, height) in pixels; (0, 0) without a frame.
    """

    camera: str
    frames_decoded: int = 0
    tracks_searched: int = 0
    alerts_opened: int = 0
    alerts_joined: int = 0
    scores: tuple[int, ...] = (0,) * SCORE_BINS
    fine_scores: Mapping[int, int] = field(default_factory=dict)
    control_scores: Mapping[int, int] = field(default_factory=dict)
    measures: Measures = field(default_factory=Measures)
    first_captured_at: datetime | None = None
    last_captured_at: datetime | None = None
    frame_size: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class StageTiming:
    """What one stage cost over the whole run.

    Attributes:
        stage: Its verb: decode, detect, track, assess, align, embed, search, decide ...
        calls: How often it was called.
        items: Frames, faces or tracks that it worked on.
        wall_s, cpu_s: Seconds by the clock and of the thread's CPU time.
    """

    stage: str
    calls: int
    items: int
    wall_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class ModelUsed:
    """A model that worked in a run.

    Attributes:
        role: detector or embedder.
        sha256: Of the file as shipped.
        prepared_sha256: Of the graph that is loaded, which is made of it.
    """

    role: str
    name: str
    sha256: str
    licence: str = ""
    prepared_sha256: str = ""


@dataclass(frozen=True, slots=True)
class WatchlistSize:
    """How many searchable references and subjects a watchlist had when the run ended."""

    name: str
    references: int
    subjects: int


@dataclass(frozen=True, slots=True, eq=False)
class AlertItem:
    """One alert event with its pictures, as a report shows it.

    Attributes:
        probe: JPEG of the alerted face; empty where evidence is missing.
        reference: JPEG of the enrolled photo's face; empty where it is missing.
        scene: JPEG of the opaque scene; empty where evidence is missing.
        missing: Why a picture is empty, as a sentence.
    """

    event: AlertEvent
    probe: bytes
    reference: bytes
    scene: bytes
    category: str = ""
    legal_basis: str = ""
    missing: str = ""


@dataclass(frozen=True, slots=True)
class KnownTruth:
    """How a run compares with what really happened, where that is known: in a simulation.

    Attributes:
        passes: Of listed people that had a fair chance to be seen.
        found: Those with at least one right alert event.
        strangers: Passes of people who are not listed.
        wrong: Alert events at a face that is not the listed person's.
        missed: The passes not found, a sentence each.
    """

    passes: int
    found: int
    strangers: int
    wrong: int
    missed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunSummary:
    """Everything that a report says about one run.

    Attributes:
        ended_how: "sources ended", "interrupted" or "failed: ...".
        threshold: From which score a candidate was a sighting, and who chose it.
        providers: What computed: ONNX Runtime's provider names.
        problems: What went wrong, one sentence each.
        notes: What a reader must know before any figure, one sentence each; shown first.
        erased: How many alerts, pictures and entries it erased because they were due, by kind.
        truth: None where nobody knows it, which is everywhere but in a simulation.
        baselines: The figures of the cameras together, by stretch in which nothing was changed.
        pools: The same of those that may be taken together.
    """

    run_id: str
    software: str
    config_hash: str
    deployment_id: str
    deployment: Authorisation
    started_at: datetime
    ended_at: datetime
    ended_how: str
    threshold: Threshold
    models: tuple[ModelUsed, ...]
    providers: tuple[str, ...]
    watchlists: tuple[WatchlistSize, ...]
    cameras: tuple[CameraCounts, ...]
    timings: tuple[StageTiming, ...]
    alerts: tuple[AlertItem, ...]
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    erased: Mapping[str, int] = field(default_factory=dict)
    truth: KnownTruth | None = None
    baselines: tuple[BaselineFigures, ...] = ()
    pools: tuple[Pool, ...] = ()

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why the threshold was not, or not throughout, what it was chosen as."""
        openings = (each.opening for each in self.baselines)
        kept = (opening for opening in openings if opening is not None and not opening.altered)
        found = (opening.baseline.threshold.doubt for opening in kept)
        return tuple(dict.fromkeys(doubt for doubt in found if doubt))


def add_up(cameras: tuple[CameraCounts, ...], name: str = "all cameras") -> CameraCounts:
    """The sum of several cameras' counts, under a name of its own."""
    numbers = [f.name for f in fields(CameraCounts) if f.type == "int"]
    mappings = ("tracks_not_searched", "tracks_lost", "unwatched_us", "fine_scores")
    sums: dict[str, Any] = {key: Counter() for key in (*mappings, "control_scores")}
    for camera in cameras:
        for key, counter in sums.items():
            counter.update(getattr(camera, key))
    sums = {key: dict(counter) for key, counter in sums.items()}
    sums |= {key: sum(getattr(c, key) for c in cameras) for key in numbers}
    firsts = [c.first_captured_at for c in cameras if c.first_captured_at is not None]
    lasts = [c.last_captured_at for c in cameras if c.last_captured_at is not None]
    return CameraCounts(
        camera=name,
        measures=sum((c.measures for c in cameras), Measures()),
        scores=tuple(sum(c.scores[i] for c in cameras) for i in range(SCORE_BINS)),
        first_captured_at=min(firsts, default=None),
        last_captured_at=max(lasts, default=None),
        **sums,
    )
