"""The moving picture of the demonstration: small, whole by itself, and without anybody in it."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from rich.console import Console
from test_city_outcome import event, outcome

from openlfr.demo.city.recording import MAX_SNAPSHOTS, choose_snapshots, write_recording
from openlfr.demo.city.view import CameraRow, ProcessRow, Snapshot, View, draw

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


WORKERS = ("alerting", "analysis-0", "analysis-1", "ingest-0", "ingest-1")


def snapshot(second: int) -> Snapshot:
    state = "dead" if second == 31 else "starting" if second in (32, 33) else "running"
    return Snapshot(
        elapsed=float(second),
        whole=75.0,
        cameras=tuple(CameraRow(name, "ingest-0", 4 * second, 0, None, 7, second // 9, 1, 2)
                      for name in ("north", "east", "south", "west")),
        processes=tuple(ProcessRow(name, 4711, state if name == "analysis-0" else "running", 1,
                                   0.4, second % 5, "123 frames, 45 detections, 6 faces")
                        for name in WORKERS),
        latency=(0.5, 1.2),
        alerts=tuple(event(n).event for n in range(8)),
        events=((31.0, "analysis-0, process 4711, is killed (SIGKILL)"),),
    )  # fmt: skip


def shown(what: Snapshot) -> str:
    console = Console(width=120, file=io.StringIO(), force_terminal=False)
    console.print(draw(what))
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_the_live_view_contains_cameras_lag_faces_alerts_and_dead_processes() -> None:
    text = shown(snapshot(31))
    assert re.search(r"north\s+ingest-0\s+124\s", text)
    assert re.search(r"all\s+496\s", text)
    assert re.search(r"analysis-0\s+4711\s+dead", text)
    assert "p50 0.50 s, p95 1.20 s" in text
    assert "Ann" in text
    assert "0:31 analysis-0, process 4711, is killed (SIGKILL)" in text


def test_a_pipe_receives_lines(capsys: pytest.CaptureFixture[str]) -> None:
    view = View(None)
    for second in range(25):
        view.show(snapshot(second))
    view.show_event(24.0, "analysis-0 ended (SIGKILL)")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4  # at 0, 10 and 20 s, and what happened
    assert "north 40 frames" in lines[1]
    assert lines[-1] == "  0:24 analysis-0 ended (SIGKILL)"


def test_the_recording_is_small_and_contains_the_kill(tmp_path: Path) -> None:
    snapshots = [snapshot(second) for second in range(76)]
    chosen = [each.elapsed for each in choose_snapshots(snapshots)]
    assert {0.0, 31.0, 32.0, 34.0, 75.0} <= set(chosen)
    assert len(chosen) <= MAX_SNAPSHOTS + 3
    path = tmp_path / "city.svg"
    write_recording(snapshots, outcome(), path)
    text = path.read_text()
    root = ElementTree.fromstring(text)
    tags = {each.tag.rpartition("}")[2] for each in root.iter()}
    assert tags <= {"svg", "style", "g", "rect", "text", "defs", "clipPath"}
    assert not re.search(r"(?:href|src|url)\s*[=(]\s*[\"']?https?:", text)
    assert len(text) < 300_000
    assert choose_snapshots([]) == []
