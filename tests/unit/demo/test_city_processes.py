"""The demonstration's supervisor restarts dead processes and ends processes on request."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from awaiting import await_that
from openlfr.demo.city import processes
from openlfr.demo.city.processes import Supervisor
from openlfr.domain.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WAITS = "import time; print('here', flush=True); time.sleep(600)"


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    with Supervisor(tmp_path / "logs") as started:
        yield started


def start(supervisor: Supervisor, program: str) -> processes.SupervisedProcess:
    return supervisor.start("one", sys.executable, "-c", program)


def test_a_killed_process_is_restarted_automatically(supervisor: Supervisor) -> None:
    messages: list[str] = []
    supervisor.on_event = messages.append
    one = start(supervisor, WAITS)
    await_that("its first word", lambda: "here" in one.log.read_text())
    before = one.pid
    supervisor.kill("one")

    def again() -> bool:
        supervisor.restart_dead()
        return one.log.read_text().count("here") == 2

    await_that("its second start", again)
    assert one.starts == 2
    assert one.is_running
    assert one.pid != before
    words = ("is killed (SIGKILL)", "ended (SIGKILL)", f"was restarted, process {one.pid}")
    assert all(word in line for word, line in zip(words, messages, strict=True))


def test_a_process_that_reports_misuse_is_not_restarted(supervisor: Supervisor) -> None:
    one = start(supervisor, "import sys; print('error: no such key'); sys.exit(2)")
    one.popen.wait()
    with pytest.raises(Unavailable, match=r"one ended with exit code 2.*error: no such key"):
        supervisor.restart_dead()


def test_a_process_that_dies_repeatedly_is_abandoned(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "RESTART_PAUSE_S", 0.0)
    monkeypatch.setattr(processes, "MAX_RESTARTS", 2)
    one = start(supervisor, "import sys; sys.exit(3)")
    with pytest.raises(Unavailable, match="exit code 3 after 3 starts"):  # noqa: PT012
        while True:
            one.popen.wait()
            supervisor.restart_dead()


def test_a_stopped_process_is_not_restarted_and_no_process_remains(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as supervisor:
        one = start(supervisor, WAITS)
        two = supervisor.start("two", sys.executable, "-c", WAITS)
        assert supervisor.stop("one", "nobody") == {"one": -15}
        supervisor.restart_dead()
        assert not one.is_running
        assert one.starts == 1
    assert not two.is_running
    with pytest.raises(ProcessLookupError):
        os.kill(two.pid, 0)


def test_a_process_that_does_not_end_is_killed(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "END_TIMEOUT_S", 0.2)
    one = start(supervisor, "import signal; signal.signal(15, signal.SIG_IGN)\n" + WAITS)
    await_that("its first word", lambda: "here" in one.log.read_text())
    assert supervisor.stop("one") == {"one": -9}
