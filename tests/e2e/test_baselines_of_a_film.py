"""A run whose list changes during it: three baselines whose counts add up to the total."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import av
import cv2
import pytest
from small_street import camera

from awaiting import PATIENCE_S, await_that
from openlfr import bootstrap, settings
from openlfr.cli import main
from openlfr.domain.merkle import root_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(600)

NUMBERS = ("frames_analysed", "faces_detected", "tracks_begun", "tracks_closed",
           "tracks_searched", "tracks_matched", "sightings", "alerts_opened", "alerts_joined",
           "watched_us")  # fmt: skip


@pytest.fixture
def endless_camera(tmp_path, street) -> str:
    """Three seconds in which both listed people pass, repeated without end."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    with av.open(str(street.video)) as film:
        for number, frame in enumerate(film.decode(video=0)):
            if 18 <= number < 48:
                cv2.imwrite(str(folder / f"{number}.jpg"), frame.to_ndarray(format="bgr24"))
    return camera(folder, start=None, extra=", fps: 10, loop: true")


def manifests(street, folder: Path) -> dict[str, Path]:
    """A manifest for each listed person."""
    head, *rows = street.manifest.read_text().splitlines()
    found = {}
    for row in rows:
        subject = row.split(",")[0]
        found[subject] = folder / f"{subject}.csv"
        lines = found[subject].read_text().splitlines() if found[subject].exists() else [head]
        found[subject].write_text("\n".join([*lines, row]) + "\n")
    return found


def openings(place) -> list[Any]:
    loaded = settings.load(place.config)
    with bootstrap.open_records(loaded, upgrade=False) as records:
        return list(records.baselines.openings_of("Market"))


def test_the_addition_and_removal_of_a_person_yield_three_baselines(
    bare_place, street, endless_camera, tmp_path, capsys
):
    place = bare_place
    place.configure(gate=endless_camera)
    one, other = manifests(street, tmp_path).items()

    def change(*words):
        assert main(["watchlist", *words, "--config", str(place.config)]) == 0

    change("import", str(one[1]))
    command = ["run", "CONFIG.yaml", "--quiet", "--alerts", "alerts.jsonl", "--report", "report"]
    with subprocess.Popen(
        [sys.executable, "-m", "openlfr", *command], cwd=place.folder,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as run:  # fmt: skip

        def await_sightings(subject):
            def seen():
                path = place.folder / "alerts.jsonl"
                lines = place.lines(at_work=True) if path.exists() else []
                return Counter(line["subject"] for line in lines)[subject]

            before = seen()
            await_that(f"sightings of {subject}", lambda: seen() >= before + 2, seen=seen,
                       alive=[run])  # fmt: skip

        try:
            await_sightings(one[0])
            change("import", str(other[1]))
            await_sightings(other[0])
            change("remove", other[0], "--by", "Otto Officer")
            await_that("the third", lambda: len(openings(place)) == 3, alive=[run])
            await_sightings(one[0])
        finally:
            run.send_signal(signal.SIGINT)
            output = run.communicate(timeout=PATIENCE_S)
    assert run.returncode == 130, output
    report = json.loads((place.folder / "report" / "report.json").read_text())
    named = [each for each in report["baselines"] if each["number"]]
    assert [each["number"] for each in named] == [1, 2, 3]
    assert [each["list"]["subjects"] for each in named] == [1, 2, 1]
    assert [each["why"] for each in named] == [
        ["the first"],
        ["list: 1 to 2 references (wanted 1 to 2)"],
        ["list: 2 to 1 references (wanted 2 to 1)"],
    ]
    assert named[0]["baseline_id"] == named[2]["baseline_id"] != named[1]["baseline_id"]
    for name in NUMBERS:
        assert sum(each[name] for each in report["baselines"]) == report["total"][name], name
    assert all(each["frames_analysed"] and each["tracks_matched"] for each in named)
    scores = [
        sum(column) for column in zip(*(e["scores"] for e in report["baselines"]), strict=True)
    ]
    assert scores == report["total"]["scores"]
    [pool] = report["pools"]
    assert pool["numbers"] == [1, 2, 3]
    assert "Baseline by baseline" in (place.folder / "report" / "report.html").read_text()

    loaded = settings.load(place.config)
    with bootstrap.open_records(loaded, upgrade=False) as records:
        entries = records.watchlist.manifest(["default"]).values()
        acts = records.audit.all(object_kind="deployment")
    opened = [act for act in acts if act.kind == "baseline.opened"]
    assert [act.detail["number"] for act in opened] == [1, 2, 3]
    root = root_of(each.entry_hash for each in entries)
    assert opened[0].detail["list_root"] == opened[2].detail["list_root"] == root
    [started] = [act for act in acts if act.kind == "deployment.started"]
    assert started.detail["list_root"] == root
    assert started.position < opened[0].position

    capsys.readouterr()
    assert main(["deployment", "show", "Market", "--config", str(place.config)]) == 0
    shown = capsys.readouterr().out
    assert "  1, 2, 3 together (same model, rules and threshold): " in shown
    assert shown.count("threshold 0.") >= 3
    assert " to now: " not in shown  # it was stopped
