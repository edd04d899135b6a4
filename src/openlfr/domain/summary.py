"""The summary of a run or of a whole deployment, which contains all data of a report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from openlfr.domain.alert_results import AlertResults, FalseAlerts
    from openlfr.domain.alerts import AlertEvent
    from openlfr.domain.baseline_figures import BaselineFigures, Pool
    from openlfr.domain.counts import CameraCounts
    from openlfr.domain.deployment import Authorisation
    from openlfr.domain.models_used import ModelUsed
    from openlfr.domain.recognition import Recognition
    from openlfr.domain.thresholds import Threshold


@dataclass(frozen=True, slots=True)
class StageTiming:
    """The cost of one stage over a whole run.

    Attributes:
        stage: Name of the stage: decode, detect, track, assess, align, embed, search, decide ...
        calls: Number of calls.
        items: Number of frames, faces or tracks processed.
        wall_s, cpu_s: Elapsed seconds, and seconds of the thread's CPU time.
    """

    stage: str
    calls: int
    items: int
    wall_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class WatchlistSize:
    """Numbers of searchable references and subjects of a watchlist at the end of a run."""

    name: str
    references: int
    subjects: int


@dataclass(frozen=True, slots=True, eq=False)
class AlertItem:
    """One alert event with its pictures, for a report.

    Attributes:
        probe: JPEG of the alerted face; empty if evidence is missing.
        reference: JPEG of the face in the enrolled photo; empty if the photo is missing.
        scene: JPEG of the opaque scene; empty if evidence is missing.
        missing: Why a picture is empty, as a sentence.
        is_erased: Whether the event was erased or rejected; the report then contains no subject.
        is_rejected: Whether the event was rejected; the report then contains no camera, time or
            score of the event either, since the alert's other events name the subject.
    """

    event: AlertEvent
    probe: bytes
    reference: bytes
    scene: bytes
    category: str = ""
    legal_basis: str = ""
    missing: str = ""
    is_erased: bool = False
    is_rejected: bool = False


@dataclass(frozen=True, slots=True)
class KnownTruth:
    """The comparison of a run's alerts with the truth, which is known in a simulation.

    Attributes:
        passes: Number of passes of listed people that are long enough to be recognised.
        found: Number of these passes with at least one correct alert event.
        strangers: Number of passes of people who are not listed.
        wrong: Number of alert events for a face of another person.
        missed: A sentence for each pass without a correct alert event.
    """

    passes: int
    found: int
    strangers: int
    wrong: int
    missed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunSummary:
    """All data of the report of one run, or of a whole deployment from its records.

    Attributes:
        run_id: Empty for a whole deployment.
        config_hash: sha256 (hex) of the settings that decide the results; empty if not recorded.
        ended_at: UTC; None for a deployment that has not ended.
        ended_how: "sources ended", "interrupted" or "failed: ..."; for a whole deployment, the
            deployment's status.
        threshold: Score from which a candidate was a sighting, and its origin; for a whole
            deployment, the threshold of the last baseline.
        providers: Execution providers, by their names in ONNX Runtime; empty if not recorded.
        timings: The cost of each stage; empty if not recorded.
        problems: A sentence for each problem.
        notes: Sentences that a reader needs before the figures; the report begins with them.
        erased: Numbers of alerts, pictures and entries that the run erased, by kind.
        truth: Comparison with the truth; None except in a simulation.
        baselines: The counts of all cameras together, by baseline.
        pools: The same counts by pool of baselines.
        results: Numbers of alerts by decision and outcome; None if they were not counted.
        false_alerts: Rates of false alerts, by baseline and by pool.
        recognition: Result of the passages of control subjects; None if no passage was planned.
    """

    run_id: str
    software: str
    config_hash: str
    deployment_id: str
    deployment: Authorisation
    started_at: datetime
    ended_at: datetime | None
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
    results: AlertResults | None = None
    false_alerts: tuple[FalseAlerts, ...] = ()
    recognition: Recognition | None = None

    @property
    def basis_problems(self) -> tuple[str, ...]:
        """Each reason why the threshold's stated basis was not valid throughout the run."""
        openings = (each.opening for each in self.baselines)
        valid = (opening for opening in openings if opening is not None and not opening.alteration)
        problems = (opening.baseline.threshold.basis_problem for opening in valid)
        return tuple(dict.fromkeys(problem for problem in problems if problem))
