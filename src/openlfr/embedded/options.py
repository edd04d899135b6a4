"""What a run is asked to do, and what it tells while it goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from openlfr.domain.runs import WrittenFiles
from openlfr.os_account import local_person

if TYPE_CHECKING:
    from pathlib import Path

    from openlfr.domain.alerts import AlertEvent
    from openlfr.domain.counts import CameraCounts
    from openlfr.domain.principals import Principal
    from openlfr.domain.thresholds import Threshold


@dataclass(frozen=True, slots=True, eq=False)
class RunOptions:
    """How to run.

    Attributes:
        alerts: File that alert lines are appended to.
        stream: Where alert lines are printed.
        report: Folder that the report is written to.
        as_fast_as_possible: Files are read as fast as they can be analysed, and no frame is
            dropped for its age.
        resume: Go on with the deployment's unfinished run: same start, same ids, no event twice.
        by: Who starts it.
    """

    alerts: Path | None = None
    stream: IO[str] | None = None
    report: Path | None = None
    as_fast_as_possible: bool = False
    resume: bool = False
    by: Principal = field(default_factory=local_person)

    @property
    def files(self) -> WrittenFiles:
        """Where it writes, whatever the folder that it was started in."""
        return WrittenFiles(
            self.alerts and self.alerts.absolute(), self.report and self.report.absolute()
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """How a run stands; given out a few times a second.

    Attributes:
        cameras: The counts so far.
        references, subjects: Searchable now.
        alerts: The latest events, newest first.
        problems: What failed so far, a sentence each, in the order in which it did.
        notes: What one must know of the times and alerts, a sentence each.
        elapsed: Seconds since the first frame was asked for.
        threshold: In force for the whole run.
    """

    cameras: tuple[CameraCounts, ...]
    ended: frozenset[str]
    references: int
    subjects: int
    alerts: tuple[AlertEvent, ...]
    elapsed: float
    threshold: Threshold
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
