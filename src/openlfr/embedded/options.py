"""The options of a run, and the progress that a run reports."""

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
    """The options of a run.

    Attributes:
        alerts: File to which alert lines are appended.
        stream: Stream to which alert lines are printed.
        report: Folder into which the report is written.
        as_fast_as_possible: Whether files are read as fast as frames are analysed, so that no frame
            is dropped for its age.
        resume: Whether to continue the deployment's unfinished run, with the same start and ids,
            and without repeating an event.
        by: The person who starts the run.
    """

    alerts: Path | None = None
    stream: IO[str] | None = None
    report: Path | None = None
    as_fast_as_possible: bool = False
    resume: bool = False
    by: Principal = field(default_factory=local_person)

    @property
    def files(self) -> WrittenFiles:
        """Absolute paths of the files that the run writes."""
        return WrittenFiles(
            self.alerts and self.alerts.absolute(), self.report and self.report.absolute()
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a run, reported a few times a second.

    Attributes:
        cameras: Counts of each camera so far.
        ended_cameras: Names of cameras that have ended.
        references, subjects: Numbers of searchable references and people.
        alerts: The latest events, newest first.
        elapsed_s: Seconds since the run requested its first frame.
        threshold: The threshold of the whole run.
        problems: A sentence for each failure so far, oldest first.
        notes: Sentences about assumed times.
    """

    cameras: tuple[CameraCounts, ...]
    ended_cameras: frozenset[str]
    references: int
    subjects: int
    alerts: tuple[AlertEvent, ...]
    elapsed_s: float
    threshold: Threshold
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
