"""`kill -9` at any moment, then `--resume`: no alert is lost or doubled, and the counts agree."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import psutil
import pytest
from small_street import Place, camera

from awaiting import PATIENCE_S, await_that
from openlfr.cli import main

# Lives are forked from a process that has imported everything: what is tested is how they end.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([
    "openlfr.embedded", "openlfr.adapters.milvus.template_store", "openlfr.adapters.redis.lite",
    "openlfr.adapters.models.sface", "openlfr.adapters.models.yunet",
    "openlfr.adapters.models.insightface", "openlfr.adapters.sql.records",
    "openlfr.adapters.capture.video", "openlfr.operations.report.page",
    "milvus_lite", "onnxruntime",
])  # fmt: skip

HALF_A_LINE = "half a line"
DEATHS = {
    # where: (module, class, method, before or after it)
    "a frame": ("openlfr.pipeline", "Analyser", "analyse", "before"),
    "evidence kept": ("openlfr.adapters.vault.files", "FileVault", "put", "after"),
    "folded": ("openlfr.adapters.redis.alert_book", "RedisAlertBook", "fold", "after"),
    "emitted": ("openlfr.embedded.lines", "AlertLines", "write", "after"),
    HALF_A_LINE: ("openlfr.embedded.lines", "AlertLines", "write", "before"),
    "recorded": ("openlfr.adapters.sql.alerts", "AlertRecords", "record", "after"),
    "checkpoint": ("openlfr.adapters.sql.runs", "RunRecords", "save", "after"),
    "finishing": ("openlfr.adapters.sql.runs", "RunRecords", "finish", "before"),
}


def kill_9() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def await_death(where: str, nth: int) -> None:
    """Arrange that this process is killed at the nth call of a method."""
    module, name, method, when = DEATHS[where]
    owner = getattr(import_module(module), name)
    original = getattr(owner, method)
    times = iter(range(1, 10**9))

    def deadly(self, *args, **kwargs):
        now = next(times) == nth
        if now and where == HALF_A_LINE:
            self._file.write(b'{"event": "opened", "event_id": "80e5')
            self._file.flush()
        if now and when == "before":
            kill_9()
        result = original(self, *args, **kwargs)
        if now:
            kill_9()
        return result

    setattr(owner, method, deadly)


def live(folder: str, resume: bool, death: tuple[str, int] | None) -> None:
    """Run once, as `openlfr run` does, possibly until a kill."""
    os.chdir(folder)
    from openlfr import embedded, settings

    import_module("openlfr.embedded.run").CHECKPOINT_S = 0.0
    if death:
        await_death(*death)
    options = embedded.RunOptions(
        alerts=Path("alerts.jsonl"), report=Path("report"), as_fast_as_possible=True, resume=resume
    )
    embedded.run(settings.load(Path("CONFIG.yaml")), options)


def lives(place: Place, *, resume: bool = False, death: tuple[str, int] | None = None) -> int:
    process = _FORKS.Process(target=live, args=(str(place.folder), resume, death))
    process.start()
    process.join(PATIENCE_S)
    return process.exitcode


def without_emission(lines):
    return [{key: value for key, value in line.items() if key != "emitted_at"} for line in lines]


def counts_of(place):
    report = json.loads((place.folder / "report" / "report.json").read_text())
    assert report["problems"] == []
    return report["cameras"]


def baselines_of(place):
    """Return each baseline with its figures, without its opening time."""
    report = json.loads((place.folder / "report" / "report.json").read_text())["baselines"]
    assert [each["number"] for each in report if each["number"]] == [1]
    return [{key: value for key, value in each.items() if key != "opened_at"} for each in report]


@pytest.fixture(scope="module")
def whole(tmp_path_factory, enrolled, model_store, street_with_a_pause):
    """A run without interruption."""
    place = Place(tmp_path_factory.mktemp("whole"), model_store.folder, street_with_a_pause)
    shutil.copytree(enrolled, place.data)
    assert lives(place) == 0
    assert len(place.lines()) >= 4
    return place


@pytest.fixture
def interrupted(place, street_with_a_pause):
    place.configure(gate=camera(street_with_a_pause))
    return place


def assert_as_if_nothing_had_happened(place, whole):
    assert without_emission(place.lines()) == without_emission(whole.lines())
    assert counts_of(place) == counts_of(whole)
    assert baselines_of(place) == baselines_of(whole)
    evidence = [
        sorted(p.name for p in (x.data / "vault/evidence").iterdir()) for x in (place, whole)
    ]
    assert evidence[0] == evidence[1]
    assert place.servers() == []


def test_a_run_that_is_killed_repeatedly_yields_the_results_of_one_that_is_not(interrupted, whole):
    deaths = [
        ("folded", 1),  # the first sighting
        ("emitted", 1),  # the same sighting, repeated
        ("recorded", 1),
        ("evidence kept", 1),  # the second
        (HALF_A_LINE, 1),
        ("checkpoint", 3),
        ("a frame", random.Random(5).randrange(2, 25)),
        ("finishing", 1),
    ]
    for number, death in enumerate(deaths):
        assert lives(interrupted, resume=number > 0, death=death) == -signal.SIGKILL, death
        if number % 4 == 3:  # as when the machine loses power
            for server in interrupted.servers():
                server.kill()
                psutil.wait_procs([server], timeout=PATIENCE_S)
    assert lives(interrupted, resume=True) == 0
    assert_as_if_nothing_had_happened(interrupted, whole)


def lines_in(file):
    return file.read_bytes().count(b"\n") if file.exists() else 0


def test_kill_9_from_outside_at_random_moments(interrupted, whole):
    chance = random.Random(1)
    for number in range(3):
        process = _FORKS.Process(target=live, args=(str(interrupted.folder), number > 0, None))
        process.start()
        file = interrupted.folder / "alerts.jsonl"
        while process.is_alive() and lines_in(file) < number + 1:
            time.sleep(0.002)
        time.sleep(chance.random() / 5)
        process.kill()
        process.join(PATIENCE_S)
    assert lives(interrupted, resume=True) == 0
    assert_as_if_nothing_had_happened(interrupted, whole)


def run_command(place, *args):
    return subprocess.Popen(
        [sys.executable, "-m", "openlfr", "run", "CONFIG.yaml", "--alerts", "alerts.jsonl",
         "--report", "report", "--quiet", *args],
        cwd=place.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_ctrl_c_completes_the_frame_and_writes_the_report_and_resume_continues(interrupted, whole):
    with run_command(interrupted) as run:  # at the speed at which it was filmed
        alerts = interrupted.folder / "alerts.jsonl"
        await_that("alert", lambda: lines_in(alerts), alive=[run])
        run.send_signal(signal.SIGINT)
        output = run.communicate(timeout=PATIENCE_S)
    assert (run.returncode, *output) == (130, "", "")
    report = json.loads((interrupted.folder / "report" / "report.json").read_text())
    assert report["ended_how"] == "interrupted"
    for counts in report["cameras"]:  # tracks that the interrupt ended are counted too
        lost, not_searched = counts["tracks_lost"], counts["tracks_not_searched"]
        accounted = sum(lost.values()) + sum(not_searched.values()) + counts["tracks_searched"]
        assert counts["tracks_begun"] == accounted > 0
        assert lost.keys() <= {"interrupted"}
    assert (interrupted.folder / "report" / "report.html").stat().st_size > 1000
    assert interrupted.servers() == []
    assert len(interrupted.lines()) < len(whole.lines())
    with run_command(interrupted, "--resume", "--as-fast-as-possible") as run:
        output = run.communicate(timeout=PATIENCE_S)
    assert (run.returncode, *output) == (0, "", "")
    assert_as_if_nothing_had_happened(interrupted, whole)


def test_resume_refuses_other_settings_and_continues_with_the_same(interrupted, whole, capfd):
    assert lives(interrupted, death=("emitted", 1)) == -signal.SIGKILL
    settings = interrupted.config.read_text()
    interrupted.config.write_text(settings + "matching: {threshold: 0.9}\n")
    command = ["run", str(interrupted.config), "--as-fast-as-possible", "--quiet", "--resume"]
    assert main(command) == 2
    (sentence,) = capfd.readouterr().err.splitlines()
    assert "was made with other cameras, watchlists, threshold (the default changes" in sentence
    assert len(interrupted.lines()) == 1
    interrupted.config.write_text(settings)
    assert lives(interrupted, resume=True) == 0
    assert_as_if_nothing_had_happened(interrupted, whole)


def test_resume_without_an_unfinished_run_is_a_new_run(tmp_path, whole):
    place = Place(tmp_path, whole.models, whole.video)
    shutil.copytree(whole.data, place.data)
    assert lives(place, resume=True) == 0
    before, after = whole.lines(), place.lines()
    assert [line["frame_index"] for line in after] == [line["frame_index"] for line in before]
    assert {line["event_id"] for line in after}.isdisjoint(line["event_id"] for line in before)
    assert {line["alert_id"] for line in after} == {line["alert_id"] for line in before}
    assert {line["event"] for line in after} == {"joined"}  # filmed in the same seconds
