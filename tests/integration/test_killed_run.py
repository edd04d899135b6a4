"""A test run leaves nothing, however it ends: no server, no descendant process, no folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from dev_servers import guard

from awaiting import await_that

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [
    pytest.mark.service,
    pytest.mark.skipif(sys.platform != "linux", reason="what guards a run reads /proc"),
]

ROOT = Path(__file__).resolve().parents[2]
CONFTEST = f"""
import importlib.util, sys
sys.path.insert(0, "{ROOT}/tests")
spec = importlib.util.spec_from_file_location("real", "{ROOT}/tests/conftest.py")
real = importlib.util.module_from_spec(spec)
spec.loader.exec_module(real)
globals().update({{name: each for name, each in vars(real).items() if not name.startswith("__")}})
"""
# Starts processes as tests do, including servers whose parents are dead, and then waits.
TEST = """
import os, subprocess, sys, tempfile, time
from pathlib import Path

REDIS = "import sys; from pathlib import Path;"
REDIS += "from openlfr.adapters.redis.lite import start_server; start_server(Path(sys.argv[1]));"
REDIS += "import os; os.kill(os.getpid(), 9)"
ASLEEP = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(3600)"

def test_with_servers(servers, tmp_path):
    servers.url("redis"), servers.url("sql")
    subprocess.run([sys.executable, "-c", REDIS, tmp_path / "redis"])
    subprocess.Popen(["sleep", "3600"], env={}, cwd=tmp_path, start_new_session=True)
    subprocess.Popen([sys.executable, "-c", ASLEEP])
    subprocess.run(["sh", "-c", "sleep 3600 & sleep 3600 &"])
    (tmp_path / "kept").write_text("kept")
    Path(tempfile.mkdtemp(), "forgotten").write_text("forgotten")
    Path(os.environ["AT_WORK"]).touch()
    while not Path(os.environ["AT_WORK"]).with_name("end").exists():
        time.sleep(0.1)
"""


class Run:
    """A run of pytest, and observations of it."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.folder = folder
        (folder / "conftest.py").write_text(CONFTEST)
        (folder / "test_servers.py").write_text(TEST)
        (folder / "temporary").mkdir()
        self._file = folder / "at-work"
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")
        }
        environment |= {"AT_WORK": str(self._file), "TMPDIR": str(folder / "temporary")}
        with (folder / "output.txt").open("w") as output:
            self.popen = subprocess.Popen(
                # Under nohup, as some run CI, the signal of a closed terminal would be ignored.
                ["env", "--default-signal=HUP", sys.executable, "-m", "pytest",
                 "-c", ROOT / "pyproject.toml", "--rootdir", folder,
                 "-p", "no:cacheprovider", "-W", "ignore", *words, folder / "test_servers.py"],
                cwd=folder, env=environment, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        await_that("servers", self._file.exists, seen=self.output, alive=[self.popen])
        (self.run_folder,) = (folder / "temporary").glob("openlfr-tests-*")
        self.elsewhere = [
            Path(line)
            for listed in self.run_folder.rglob(guard.ELSEWHERE)
            for line in listed.read_text().splitlines()
        ]
        assert [each.is_dir() for each in self.elsewhere] == [True]

    def names(self) -> list[str]:
        """Return the names of all processes that it started or that use its folders."""
        found = []
        folders = (str(self.run_folder), str(self.folder / "temporary"))
        for pid in guard.belonging(str(self.run_folder), folders) - {self.popen.pid}:
            with suppress(psutil.Error):
                found.append(psutil.Process(pid).name())
        return sorted(found)

    def worker(self) -> int:
        """Return the xdist process that runs the test."""
        started = guard.belonging(str(self.run_folder / "gw0"), ())
        parents = {psutil.Process(pid).ppid() for pid in started}
        (worker,) = {pid for pid in parents if psutil.Process(pid).ppid() == self.popen.pid}
        return worker

    def files(self) -> set[str]:
        """Return the remaining files in its temporary folder and PostgreSQL's folder."""
        found = {each.name for each in (self.folder / "temporary").rglob("*") if each.is_file()}
        return found | {str(each) for each in self.elsewhere if each.exists()}

    def await_nothing(self) -> None:
        await_that("end of everything", lambda: not self.names(), seen=self.names)
        await_that("erased folder", lambda: not self.run_folder.exists())

    def output(self) -> str:
        return (self.folder / "output.txt").read_text()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    runs: list[Run] = []

    def begin(*words: str) -> Run:
        runs.append(Run(tmp_path, *words))
        return runs[-1]

    yield begin
    for run in runs:
        run.popen.kill()
        run.popen.wait()


def assert_all_is_at_work(run: Run) -> None:
    names = run.names()
    assert sum(name.startswith("redis-server") for name in names) == 2, names
    assert sum(name.startswith("postgres") for name in names) > 3, names
    assert names.count("sleep") == 3, names


def test_a_run_that_is_killed_leaves_nothing(start: Callable[..., Run]) -> None:
    run = start("-n", "0")
    assert_all_is_at_work(run)
    run.popen.kill()
    run.popen.wait()
    run.await_nothing()
    assert run.files() == set()


def test_a_run_of_several_processes_whose_terminal_is_closed_leaves_nothing(
    start: Callable[..., Run],
) -> None:
    run = start("-n", "1")
    assert_all_is_at_work(run)
    os.killpg(run.popen.pid, signal.SIGHUP)
    run.popen.wait()
    run.await_nothing()
    assert run.files() == set()


def test_processes_of_a_killed_xdist_worker_end(start: Callable[..., Run]) -> None:
    run = start("-n", "1", "--max-worker-restart", "0")
    assert_all_is_at_work(run)
    os.kill(run.worker(), signal.SIGKILL)
    assert run.popen.wait() != 0
    run.await_nothing()


def test_a_finished_run_retains_the_files_that_pytest_retains(start: Callable[..., Run]) -> None:
    run = start("-n", "0")
    (run.folder / "end").touch()
    assert run.popen.wait() == 0, run.output()
    run.await_nothing()
    assert "kept" in run.files()
    assert "forgotten" not in run.files()
