"""A small cohort walks, its threshold is recorded, and a run uses it until anybody is added."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import cv2
import pytest
from small_street import EXPIRES, camera

from openlfr import bootstrap, settings
from openlfr.cli import main
from openlfr.demo.faces import write_packaged_faces
from openlfr.embedded import cohort_passes

pytestmark = pytest.mark.timeout(600)

PLAYERS = 6
TARGET = 0.5  # six people support it: 1 - 0.025 ** (1 / 6) = 0.46
MATCHING = "matching: {{target_fpir: {target}, max_fpir: 0.5}}\n"
HEAD = "subject,image,category,legal_basis,source,captured_on,enrolled_by,authorised_by,expires"
ROW = "{name},{photo},wanted,Order 1,passport,2025-01-31,Eve Enroller,Otto Officer,{expires}"


@pytest.fixture
def faces(tmp_path, yunet):
    """The astronaut and six card players, a folder for each person."""
    write_packaged_faces(tmp_path / "faces", yunet, only_astronaut=True)
    return tmp_path / "faces"


@pytest.fixture
def small_film(monkeypatch):
    """A film whose analysis takes half as long."""
    whole = cohort_passes.make_street_options

    def make(*arguments):
        return replace(whole(*arguments), width=960, height=540, min_px=44, max_px=110)

    monkeypatch.setattr(cohort_passes, "make_street_options", make)


def enrol(place, name, photo):
    manifest = place.folder / "one.csv"
    manifest.write_text(f"{HEAD}\n{ROW.format(name=name, photo=photo, expires=EXPIRES)}\n")
    assert main(["watchlist", "import", str(manifest), "--config", str(place.config)]) == 0


def set_target(place, target, video):
    place.configure(MATCHING.format(target=target), gate=camera(video))


def everything(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_cohort_gives_a_threshold_that_a_run_uses_until_an_addition(
    bare_place, street, faces, small_film, capsys
):
    place, video = bare_place, street.video
    set_target(place, TARGET, video)
    astronaut = next((faces / "astronaut").iterdir())
    cohort = place.folder / "cohort"
    shutil.copytree(faces, cohort)  # with the listed astronaut
    (cohort / "Another Name").mkdir()
    copy = cv2.imread(str(astronaut))
    cv2.imwrite(str(cohort / "Another Name" / "a.png"), cv2.GaussianBlur(copy, (0, 0), 1))
    config = ["--config", str(place.config)]
    command = [
        "calibrate",
        str(cohort),
        "--walks",
        "1",
        "--seed",
        "3",
        "--by",
        "Sue",
        "--json",
        *config,
    ]

    def run(*words):
        return main(["run", str(place.config), "--as-fast-as-possible", "--quiet", *words])

    assert run() == 2
    assert "none is recorded for this target: run openlfr calibrate" in capsys.readouterr().err
    assert main(command) == 2  # nobody is listed
    assert "import the watchlist first" in capsys.readouterr().err

    enrol(place, "Astronaut", astronaut)
    capsys.readouterr()
    assert main(command) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["left_out"].keys() == {"astronaut", "Another Name"}
    assert "nearly the same picture as one of Astronaut" in made["left_out"]["Another Name"]
    assert made["cohort"]["people"] == PLAYERS
    assert 1 <= made["cohort"]["searched"] <= PLAYERS
    assert (made["above"], made["simulation"]["passes"]) == (0, "simulated")
    assert made["high"] <= TARGET
    assert 0 < made["threshold"] < 0.45

    loaded = settings.load(place.config)
    with bootstrap.open_records(loaded) as records:
        (act,) = records.audit.all(object_kind="calibration")
        (recorded,) = records.calibrations.list()
    assert (act.by.name, act.object_id) == ("Sue", made["calibration_id"])
    assert recorded.calibration_id == made["calibration_id"]
    assert not (place.data / "calibration").exists()
    assert not any(b"player-" in path.read_bytes() for path in everything(place.data))

    assert run("--report", str(place.folder / "report")) == 0
    with bootstrap.open_records(loaded) as records:
        (opening,) = records.baselines.openings_of("Market")
    assert opening.baseline.threshold.calibration_id == made["calibration_id"]
    assert opening.baseline.threshold.claims_fpir
    assert opening.baseline.rules == made["conditions"]["rules"]
    assert opening.baseline.listed.root == made["list_root"]
    figures = json.loads((place.folder / "report" / "report.json").read_text())
    assert figures["threshold"] == pytest.approx(made["threshold"], abs=1e-4)
    assert figures["calibrated"] is True

    enrol(place, "Player", next((faces / "player-1").iterdir()))
    assert run() == 2
    assert "1 entry was added to the list since" in capsys.readouterr().err
    set_target(place, 0.25, video)
    assert run() == 2
    assert "none is recorded for this target" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("target", "says"),
    [
        (
            "0.4",
            "7 unlisted people, who do not support a target FPIR of 0.4: at least 8 are needed",
        ),
        ("0.001", "at least 3688 are needed"),
        ("0.6", "above matching.max_fpir 0.5"),
        ("1", "target-fpir"),
        (None, "add --target-fpir, or set matching.target_fpir"),
    ],
)
def test_a_target_without_support_is_refused_before_the_work(
    bare_place, faces, capsys, target, says, monkeypatch
):
    bare_place.configure("matching: {max_fpir: 0.5}\n")
    monkeypatch.setattr(bootstrap, "load_detector", lambda _: pytest.fail("the work began"))
    command = ["calibrate", str(faces), "--config", str(bare_place.config)]
    assert main(command + ([] if target is None else ["--target-fpir", target])) == 2
    assert says in capsys.readouterr().err


def test_films_of_a_killed_calibration_are_erased_by_the_next_command(bare_place):
    films = bare_place.data / "calibration" / "1"
    films.mkdir(parents=True)
    (films / "video.mp4").write_bytes(b"faces")
    assert main(["alerts", "list", "--config", str(bare_place.config)]) == 0
    assert not films.exists()
