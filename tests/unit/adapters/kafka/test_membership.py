"""Leaving a group: the worker stops first, and only then is its member removed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta

import pytest

from awaiting import PATIENCE_S
from openlfr.adapters.kafka import membership
from openlfr.adapters.kafka.access import KafkaAccess
from openlfr.adapters.kafka.membership import STOPPED, WORKING, WorkerFile, leave
from openlfr.cli import main
from openlfr.domain.errors import Unavailable

# A worker that, when it is asked to leave, stops at once or never does.
WORKER = """
import signal, sys
from pathlib import Path
from openlfr.adapters.kafka.membership import LEAVE, STOPPED, WORKING, WorkerFile
file = WorkerFile(Path(sys.argv[1]), "analysis", "a/0")
signal.signal(LEAVE, lambda *_: sys.argv[2] == "stops" and file.write(STOPPED))
file.write(WORKING)
print("begun", flush=True)
while True:
    signal.pause()
"""
KAFKA = KafkaAccess(("k:1",))


@pytest.fixture
def worker(tmp_path):
    """Return a function that starts a worker, which is killed after the test."""
    started = []

    def start(how):
        words = [sys.executable, "-c", WORKER, str(tmp_path), how]
        started.append(subprocess.Popen(words, stdout=subprocess.PIPE, text=True))
        assert started[-1].stdout.readline() == "begun\n"
        return started[-1]

    yield start
    for each in started:
        each.kill()
        each.communicate()


@pytest.fixture
def removed(monkeypatch, tmp_path):
    """Record each removed member, and whether its worker had stopped."""
    found = []

    def remove(kafka, group, instance):
        found.append((group, instance, WorkerFile(tmp_path, "analysis", "a/0").has_stopped()))
        return True

    monkeypatch.setattr(membership, "_remove", remove)
    return found


def ask(tmp_path, patience=PATIENCE_S):
    messages = []
    file = WorkerFile(tmp_path, "analysis", "a/0")
    leave(KAFKA, file, group="g", instance="a/0", patience=timedelta(seconds=patience),
          report=messages.append)  # fmt: skip
    return messages


def test_the_member_is_removed_when_its_worker_has_stopped(tmp_path, worker, removed):
    process = worker("stops")
    assert ask(tmp_path) == ["a/0 has finished its batch", "a/0 has left g"]
    assert removed == [("g", "a/0", True)]
    assert process.wait(PATIENCE_S) == -15  # ended by SIGTERM


def test_a_worker_that_does_not_stop_stays_a_member(tmp_path, worker, removed):
    process = worker("never stops")
    with pytest.raises(Unavailable, match=rf"a/0 \(process {process.pid}\) did not finish within"):
        ask(tmp_path, patience=0.2)
    assert removed == []
    assert process.poll() is None


def test_a_worker_ends_though_kafka_is_out_of_reach(tmp_path, worker, monkeypatch):
    """As on an uninstall, where its network policy may go before it."""

    def unreachable(kafka, group, instance):
        raise Unavailable("a/0 could not be removed from g (TimeoutError: timed out).")

    monkeypatch.setattr(membership, "_remove", unreachable)
    process = worker("stops")
    finished, left = ask(tmp_path)
    assert finished == "a/0 has finished its batch"
    assert left.endswith("timed out). Its partitions have no reader until its session expires.")
    assert process.wait(PATIENCE_S) == -15
    with pytest.raises(Unavailable):  # nobody is there who could have finished anything
        ask(tmp_path)


def test_without_a_worker_the_member_is_removed(tmp_path, removed):
    assert ask(tmp_path) == ["a/0 has left g"]


def test_a_file_that_was_left_behind_is_no_worker(tmp_path):
    file = WorkerFile(tmp_path, "analysis", "a/0")
    file.write(WORKING)
    assert file.find_process().pid == os.getpid()
    assert not file.has_stopped()
    file.write(STOPPED)
    assert file.has_stopped()
    [path] = tmp_path.iterdir()
    messages = json.loads(path.read_text())
    for content in (json.dumps(messages | {"born": 1.0}), json.dumps({"pid": 2**22 + 1}), "{", ""):
        path.write_text(content)
        assert file.find_process() is None
    file.remove()
    file.remove()
    assert list(tmp_path.iterdir()) == []


def test_without_a_name_there_is_nothing_to_leave(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("OPENLFR_INSTANCE_ID", raising=False)
    monkeypatch.setattr("openlfr.observability.configure_logging", lambda **_: None)
    config = tmp_path / "CONFIG.yaml"
    config.write_text("data_dir: data\n")
    assert main(["service", "analysis", "--leave", "--config", str(config)]) == 2
    assert "OPENLFR_INSTANCE_ID is not set" in capsys.readouterr().err
