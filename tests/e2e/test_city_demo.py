"""`scripts/demo --city`: one short demonstration; an interrupted one leaves nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from dev_servers import guard

from awaiting import PATIENCE_S, await_that

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openlfr.adapters.models.store import ModelStore

pytestmark = [
    pytest.mark.service,
    pytest.mark.timeout(900),
    pytest.mark.skipif(sys.platform != "linux", reason="its servers are made ready for Linux"),
]

DEMO = Path(__file__).resolve().parents[2] / "scripts/demo-city"


class Demo:
    """A running demonstration."""

    def __init__(self, folder: Path, models: Path, *words: str) -> None:
        self.out, self._output = folder / "demo", folder / "output.txt"
        with self._output.open("w") as output:
            self.popen = subprocess.Popen(
                [sys.executable, DEMO, "--out", self.out, *words],
                stdout=output, stderr=output, stdin=subprocess.DEVNULL, cwd=folder,
                env={**os.environ, "OPENLFR_MODELS": str(models)},
            )  # fmt: skip

    def read_output(self) -> str:
        return self._output.read_text()

    def started(self) -> list[psutil.Process]:
        """Return the demonstration's processes that still run, without its guard."""
        found = []
        for process in psutil.process_iter(["status"]):
            with suppress(psutil.Error):
                mark = process.environ().get(guard.VARIABLE, "")
                ours = Path(mark).parent == Path(tempfile.gettempdir())
                mine = ours and Path(mark).name.startswith("openlfr-demo-")
                if mine and process.info["status"] != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found


@pytest.fixture
def start(tmp_path: Path, model_store: ModelStore) -> Iterator[type[Demo]]:
    demos = []

    def begin(*words: str) -> Demo:
        demos.append(Demo(tmp_path, model_store.folder, *words))
        return demos[-1]

    yield begin
    for demo in demos:
        demo.popen.kill()
        demo.popen.wait()


def test_in_a_city_where_a_worker_dies_nothing_is_lost_or_doubled(start) -> None:
    demo = start("--seconds", "20", "--recording", "city.svg")
    code = demo.popen.wait(3 * PATIENCE_S)
    output = demo.read_output()
    assert code == 0, output
    assert "analysis-0, process" in output
    assert "is killed (SIGKILL)" in output
    assert "analysis-0 is ready again" in output
    found = json.loads((demo.out / "city.json").read_text())
    sightings = found["sightings"]
    assert sightings["published"] == sightings["recorded"] > 0
    assert sightings["lost"] == sightings["doubled"] == sightings["dead_letters"] == 0
    assert found["truth"]["found"] > 0
    assert found["truth"]["wrong"] == 0
    assert [each["camera"] for each in found["frames"]] == ["north", "east", "south", "west"]
    assert all(each["analysed"] > 0 for each in found["frames"])
    assert len((demo.out / "alerts.jsonl").read_text().splitlines()) == sightings["recorded"]
    report = json.loads((demo.out / "report/report.json").read_text())
    assert report["truth"]["found"] == found["truth"]["found"]
    assert report["total"]["frames_analysed"] == sum(e["analysed"] for e in found["frames"])
    assert "0 lost, 0 doubled" in (demo.out / "report/report.html").read_text()
    assert (demo.out.parent / "city.svg").stat().st_size < 300_000
    await_that("end of all that it started", lambda: not demo.started(), seen=demo.started)


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demonstration_leaves_nothing(start, by: signal.Signals) -> None:
    demo = start()

    def has_servers() -> bool:
        names = set()
        for each in demo.started():
            with suppress(psutil.Error):  # it has ended since
                names.add(each.name())
        return {"redis-server", "postgres"} <= names

    await_that("servers", has_servers, seen=demo.read_output, alive=[demo.popen])
    demo.popen.send_signal(by)
    assert demo.popen.wait(PATIENCE_S) == (-by if by == signal.SIGKILL else 130)
    await_that("end of all that it started", lambda: not demo.started(), seen=demo.started)


def test_a_foreign_folder_is_not_touched(start, tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo/thesis.txt").write_text("years of work")
    demo = start()
    assert demo.popen.wait(PATIENCE_S) == 2
    assert "did not create" in demo.read_output()
    assert (tmp_path / "demo/thesis.txt").exists()
