"""The live view of a run, and the lines that it prints at its end."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from rich.console import Console
from tests.sightings import sighting_of

from openlfr.cli import live_view
from openlfr.domain.alerts import AlertEvent, EventKind
from openlfr.domain.counts import CameraCounts, LossReason
from openlfr.domain.faces import Box
from openlfr.domain.summary import WatchlistSize
from openlfr.domain.thresholds import Threshold, ThresholdOrigin
from openlfr.embedded import Progress
from openlfr.settings.deployment import DeploymentEntry

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
GATE = CameraCounts(
    "gate", frames_analysed=50, frames_dropped_late=3, tracks_begun=9, tracks_closed=8,
    tracks_searched=5, tracks_matched=2, tracks_lost={LossReason.INTERRUPTED: 1},
    alerts_opened=1, alerts_joined=2,
)  # fmt: skip


@dataclass(frozen=True)
class RunSettings:
    """The settings that the live view reads."""

    deployment_entry: DeploymentEntry


@dataclass
class EndedRun:
    """The part of a run's summary that is printed at its end."""

    cameras: tuple[CameraCounts, ...] = (GATE,)
    started_at: datetime = START
    ended_at: datetime = START + timedelta(seconds=12)
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    watchlists: tuple[WatchlistSize, ...] = (WatchlistSize("default", 4, 2),)
    ended_how: str = "sources ended"
    erased: dict[str, int] = field(default_factory=dict)


SETTINGS = RunSettings(DeploymentEntry(name="Market", place="The [old] square"))


def event(number: int, subject: str = "ann") -> AlertEvent:
    seen = sighting_of(
        deployment="Market", camera="gate", epoch=1, seq=number, subject=subject,
        watchlist="default", reference_id="r", captured_at=START, box=Box(1, 2, 3, 4),
        score=0.5123, threshold=0.4, quality=50.0,
    )  # fmt: skip
    return AlertEvent(EventKind.OPENED, f"e{number}", "a1b2c3d4e5", seen)


def progress(*alerts: AlertEvent) -> Progress:
    return Progress(
        cameras=(GATE, CameraCounts("door")), ended_cameras=frozenset({"door"}),
        references=4, subjects=2, alerts=alerts, elapsed_s=3725.0,
        threshold=Threshold(0.47, ThresholdOrigin.SET, 2), problems=("Nobody is [listed].",),
    )  # fmt: skip


def test_the_live_view_contains_cameras_people_and_alerts():
    console = Console(width=120, file=StringIO())
    console.print(live_view._render(SETTINGS, progress(event(2, "bob [junior]"), event(1))))
    output = console.file.getvalue()
    for part in (
        "Market", "The [old] square", "2 listed people, 4 photos", "1:02:05", "gate",
        "door (ended)", "bob [junior]", "0.512 (threshold 0.40)", "alert a1b2c3d4",
        "problem: Nobody is [listed].", "Threshold 0.470: set in matching.threshold",
    ):  # fmt: skip
        assert part in output
    (row,) = (line.split() for line in output.splitlines() if line.strip().startswith("gate"))
    assert row == ["gate", "50", "0.0", "3", "9", "5", "2", "1", "1"]


def test_on_a_pipe_each_alert_is_printed_once_in_one_line(capsys):
    with live_view.live_view(SETTINGS, is_verbose=True) as show:
        show(progress())
        show(progress(event(1)))
        show(progress(event(3), event(2), event(1)))
    output = capsys.readouterr()
    assert output.out == ""
    threshold, problem, *lines = output.err.splitlines()
    assert threshold.startswith("Threshold 0.470: set in matching.threshold")
    assert problem == "problem: Nobody is [listed]."
    assert len(lines) == 3
    assert all("OPENED" in line and "gate" in line and "ann" in line for line in lines)


def test_a_quiet_run_prints_only_problems_and_each_once(capsys, summary):
    with live_view.live_view(SETTINGS, is_verbose=False) as show:
        show(progress(event(1)))
        show(progress(event(1)))
    summary.problems = ("Nobody is [listed].", "The camera broke.")
    live_view.print_result(
        summary, alerts=None, report=None, is_verbose=False, printed=show.printed
    )
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.splitlines() == ["problem: Nobody is [listed].", "problem: The camera broke."]


@pytest.fixture
def summary():
    return EndedRun()


def test_erased_data_and_the_folder_of_the_pictures_are_printed(capsys, summary, tmp_path):
    summary.erased = {"alerts": 2, "entries": 1}
    (tmp_path / "annex.html").write_text("pictures")
    live_view.print_result(summary, alerts=None, report=tmp_path, is_verbose=True)
    output = capsys.readouterr().err
    assert "Erased due data: 2 alerts beyond the retention, 1 expired entry." in output
    assert f"Pictures of the report, with visible faces: {tmp_path / 'annex.html'}" in output


def test_the_end_is_printed_in_one_sentence(capsys, summary, tmp_path):
    live_view.print_result(summary, alerts=None, report=tmp_path, is_verbose=True)
    first, second = capsys.readouterr().err.splitlines()
    assert first == (
        "50 frames of 1 camera analysed in 12 s, 3 dropped as too late; 9 faces seen, 5 compared "
        "with 2 listed people, 2 matched, 1 lost; 1 alert opened, 2 sightings joined."
    )
    assert second == f"Report: {tmp_path}/report.html"


@pytest.mark.parametrize("is_verbose", [True, False])
def test_problems_are_printed_unchanged_whatever_the_verbosity(capsys, summary, is_verbose):
    problem = "camera gate: /videos/[red]cam[/nope] 1.mp4 does not exist"
    summary.problems = (problem,)
    live_view.print_result(summary, alerts=None, report=None, is_verbose=is_verbose)
    assert capsys.readouterr().err.splitlines()[-1] == f"problem: {problem}"


def test_an_interrupted_run_prints_how_to_resume(capsys, summary):
    summary.ended_how = "interrupted"
    live_view.print_result(summary, alerts=None, report=None, is_verbose=True)
    assert "--resume" in capsys.readouterr().err


def test_counts_of_cameras_are_summed(capsys, summary):
    summary.cameras = (GATE, replace(GATE, camera="door"))
    live_view.print_result(summary, alerts=None, report=None, is_verbose=True)
    assert "100 frames of 2 cameras" in capsys.readouterr().err
