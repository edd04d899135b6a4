"""Walks of control subjects through a filmed street whose truth says when they passed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest
from small_street import camera

from awaiting import await_that
from openlfr.cli import main

pytestmark = pytest.mark.timeout(600)

FPS = 10
SECOND = timedelta(seconds=1)


@pytest.fixture
def covered_camera(tmp_path):
    """Six pictures of a camera whose lens is covered."""
    folder = tmp_path / "covered"
    folder.mkdir()
    for number in range(6):
        cv2.imwrite(str(folder / f"{number}.jpg"), np.zeros((270, 480, 3), np.uint8))
    return folder


@pytest.fixture
def passage(bare_place, capsys):
    def run(*words):
        capsys.readouterr()
        assert main(["passage", *words, "--json", "--config", str(bare_place.config)]) == 0
        return json.loads(capsys.readouterr().out)

    return run


def test_the_truth_gives_the_passages_and_each_camera_its_rate(
    bare_place, street, covered_camera, passage
):
    """Both subjects walk past the gate, which films them, and past the yard, which is covered."""
    place = bare_place
    manifest = place.folder / "control.csv"
    manifest.write_text(street.manifest.read_text().replace(",wanted,", ",control,"))

    def configure(start):
        yard = camera(covered_camera, start=start, extra=", fps: 1")
        place.configure(gate=camera(street.video, start=start), yard=yard)

    configure(None)
    assert main(["watchlist", "import", str(manifest), "--config", str(place.config)]) == 0
    plans = {name: passage("plan", name)["plan_id"] for name in sorted(street.listed)}
    filmed = datetime.now(UTC).replace(microsecond=0) + 2 * SECOND  # after both plans
    configure(filmed)
    walks = {}
    for name in plans:
        frames = [n for walk in street.passes if walk["id"] == name for n in walk["eligible"]]
        walks[name] = [filmed + n / FPS * SECOND for n in (min(frames), max(frames))]
    last = max(ends for _, ends in walks.values())
    await_that("the end of the walks", lambda: datetime.now(UTC) > last)  # then the run may stop
    assert main(["run", str(place.config), "--as-fast-as-possible", "--quiet"]) == 0
    for name, plan_id in plans.items():
        begins, ends = walks[name]
        passage(
            "log", plan_id, "--by", "Ola", "--from", begins.isoformat(), "--to", ends.isoformat()
        )
    counted = passage("result")
    (group,) = counted["groups"]
    found = {name: [rate["found"], rate["missed"]] for name, rate in group["by_camera"].items()}
    assert found == {"gate": [2, 0], "yard": [0, 2]}
    assert group["whole"] == {
        "found": 2, "missed": 0, "unknown": 0, "subjects": 2, "tpir": None, "interval": None,
    }  # fmt: skip
    assert (counted["planned"], counted["not_logged"], counted["altered"]) == (2, 0, {})
    assert group["baselines"] == [1]
    assert counted["upper_bound"].startswith("no photos of people who are not control subjects")
