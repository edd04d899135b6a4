"""What a run did, in figures: the value from which a report is made, and nothing else is needed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from openlfr.domain.alerts import AlertEvent
    from openlfr.domain.baseline_figures import BaselineFigures, Pool
    from openlfr.domain.counts import CameraCounts
    from openlfr.domain.deployment import Authorisation
    from openlfr.domain.models_used import ModelUsed
    from openlfr.domain.thresholds import Threshold


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
