"""Recordings without a date, and cameras that fail unexpectedly."""

from __future__ import annotations

import json

from small_street import FILMED, camera

from openlfr.cli import main
from openlfr.embedded import opening
from openlfr.testing import FrameSource


def run(place, capfd):
    capfd.readouterr()
    code = main(
        ["run", str(place.config), "--as-fast-as-possible", "--report", str(place.folder / "r"),
         "--alerts", str(place.folder / "alerts.jsonl")]
    )  # fmt: skip
    return code, capfd.readouterr().err


def test_a_film_without_a_recording_date_is_marked_everywhere(place, street, capfd):
    place.configure(gate=camera(street.video, start=None))
    code, output = run(place, capfd)
    assert code == 0
    assert output.count("note: camera gate: recording, time assumed") == 1
    lines = place.lines()
    assert lines
    assert {line["time_assumed"] for line in lines} == {True}
    page = (place.folder / "r" / "report.html").read_text()
    assert "recording, time assumed. The file has no recording date" in page
    assert "(recording, time assumed)" in page
    figures = json.loads((place.folder / "r" / "report.json").read_text())
    assert all(alert["sighting"]["time_assumed"] for alert in figures["alerts"])
    assert main(["alerts", "show", lines[0]["alert_id"], "--config", str(place.config)]) == 0
    assert "(recording, time assumed)" in capfd.readouterr().out


def test_a_camera_that_fails_unexpectedly_is_one_problem(place, street, capfd, monkeypatch):
    """One camera fails at its opening, one while decoding; the third is analysed."""
    place.configure(odd=camera(street.video), worse=camera(street.video), gate=camera(street.video))
    original = opening.open_source

    def open_source(name, url, **how):
        if name == "odd":
            raise UnicodeDecodeError("utf-8", b"\xfc", 0, 1, "invalid start byte")
        if name == "worse":
            return FrameSource(then=ZeroDivisionError("division by zero"))
        return original(name, url, **how)

    monkeypatch.setattr(opening, "open_source", open_source)
    code, output = run(place, capfd)
    assert code == 1
    assert "camera odd cannot be opened: UnicodeDecodeError" in output
    assert "Camera worse failed: ZeroDivisionError" in output
    lines = place.lines()
    assert {line["camera"] for line in lines} == {"gate"}
    assert {line["subject"] for line in lines} == street.listed
    assert {line["time_assumed"] for line in lines} == {False}
    assert min(line["captured_at"] for line in lines) >= f"{FILMED:%Y-%m-%dT%H:%M}"
