"""The example consumers, in Python and in Go, at a broker with authentication.

Each is built from protos/ and a Kafka client only, without access to OpenLFR's code.
"""

from __future__ import annotations

import ast
import base64
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import kafka
import pytest
from dev_servers.process import end, folder_apart, free_port
from dev_tools import go
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic

from awaiting import PATIENCE_S, await_that
from openlfr.embedded.lines import alert_line
from openlfr.wire import codec
from secured_servers import PASSWORD, USER, Authority, start_kafka

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = json.loads((ROOT / "protos/released/0.1.0/golden.json").read_text())
TOPIC = "alerts.v1"

pytestmark = [pytest.mark.service, pytest.mark.timeout(1200)]


def commands_of(example):
    """Return the shell lines in the example's docstring that generate its code."""
    text = ast.get_docstring(ast.parse(example.read_text()))
    block = text.split("\n\n    pip install")[1].split("\n\n")[0]
    joined = block.replace("\\\n", " ").splitlines()[1:]
    return [line for line in joined if "consume_alerts" not in line]


@pytest.fixture(scope="module")
def in_python(tmp_path_factory):
    """Return the command that runs the Python example with only its two packages."""
    place = tmp_path_factory.mktemp("python")
    shutil.copytree(ROOT / "protos", place / "protos")
    (place / "examples").mkdir()
    example = shutil.copy(ROOT / "examples/consume_alerts.py", place / "examples")
    for command in commands_of(Path(example)):
        shell = command.replace("python ", f"{sys.executable} ", 1)
        subprocess.run(shell, shell=True, cwd=place, check=True)
    packages = place / "packages"
    packages.mkdir()
    installed = Path(kafka.__file__).parents[1]
    for name in ("kafka", "google"):
        (packages / name).symlink_to(installed / name)
    # -S: no site-packages, and so no OpenLFR.
    return ["env", f"PYTHONPATH={packages}", sys.executable, "-S", str(example)]


@pytest.fixture(scope="module")
def in_go(tmp_path_factory):
    """Build the program in examples/go."""
    program = tmp_path_factory.mktemp("go") / "consume-alerts"
    go.build(ROOT / "examples/go", program)
    return [str(program)]


class Broker(NamedTuple):
    """A broker, the addresses of its listeners, and a producer."""

    ways: dict[str, list[str]]
    producer: KafkaProducer


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    place = tmp_path_factory.mktemp("broker")
    authority = Authority(place)
    authority.issue("user")
    (place / "password").write_text(f"{PASSWORD}\n")
    with ExitStack() as closing:
        folder = folder_apart("openlfr-consumers-")
        closing.callback(shutil.rmtree, folder, ignore_errors=True)
        server, scram, mutual = start_kafka(folder, authority)
        closing.callback(server.wait)
        closing.callback(end, server.pid)
        access = {
            "bootstrap_servers": mutual, "security_protocol": "SSL", "ssl_cafile": authority.file,
            "ssl_certfile": place / "user.crt", "ssl_keyfile": place / "user.key",
        }  # fmt: skip
        admin = KafkaAdminClient(**access)
        closing.callback(admin.close)
        admin.create_topics([NewTopic(TOPIC, 2, 1)])
        producer = KafkaProducer(**access)
        closing.callback(producer.close)
        trust = ["--tls", "--ca-file", str(authority.file)]
        own = ["--cert-file", str(place / "user.crt"), "--key-file", str(place / "user.key")]
        name = ["--username", USER, "--password-file", str(place / "password")]
        ways = {
            "password": ["--bootstrap", scram, *trust, "--sasl", "scram-sha-512", *name],
            "certificate": ["--bootstrap", mutual, *trust, *own],
        }
        yield Broker(ways, producer)


def send(broker, name, **changed):
    kept = GOLDEN[name] | changed
    headers = [(key, text.encode()) for key, text in kept["headers"].items()]
    value = base64.b64decode(kept["value"])
    # One key, so that all messages are in order.
    broker.producer.send(TOPIC, key=b"one", value=value, headers=headers).get(PATIENCE_S)


def line_of(name):
    """Return the line that `openlfr run` prints for a golden record."""
    event, emitted_at, _ = codec.decode_alert(base64.b64decode(GOLDEN[name]["value"]))
    return alert_line(event, emitted_at)


class Running:
    """A running consumer, whose output is read continuously."""

    def __init__(self, *command):
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.lines, self.complaints = [], []
        self._readers = [
            threading.Thread(target=self._read, args=each)
            for each in (
                (self.process.stdout, self.lines),
                (self.process.stderr, self.complaints),
            )
        ]
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _read(stream, target):
        with stream:
            for line in stream:
                target.append(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join()

    def prints(self, count):
        await_that(
            f"{count} lines", lambda: len(self.lines) >= count, seen=lambda: self.complaints,
            alive=[self.process],
        )  # fmt: skip
        return [json.loads(line) for line in self.lines]

    def end(self):
        self.process.terminate()
        return self.process.wait(PATIENCE_S)


def test_alerts_are_printed_once_as_openlfr_run_prints_them_also_after_a_restart(
    in_python, in_go, broker
):
    send(broker, "alert, opened")
    send(broker, "frame")
    send(broker, "alert, opened", value=base64.b64encode(b"garbage").decode())
    send(broker, "alert, opened")
    send(broker, "alert, twice in a frame")
    expected = [line_of("alert, opened"), line_of("alert, twice in a frame")]
    for consumer in (in_python, in_go):
        words = ["--group", Path(consumer[-1]).name, "--from-beginning"]
        with Running(*consumer, *broker.ways["password"], *words) as running:
            assert running.prints(2) == expected
            assert running.end() == 0
        complaints = "".join(running.complaints)
        assert re.search(rf"left out: {TOPIC}, partition \d, offset \d+: .*Frame", complaints)
        assert "it cannot be parsed" in complaints
    send(broker, "alert, too far")
    for consumer in (in_python, in_go):
        words = ["--group", Path(consumer[-1]).name, "--from-beginning"]
        with Running(*consumer, *broker.ways["certificate"], *words) as running:
            assert running.prints(1) == [line_of("alert, too far")]
            assert running.end() == 0


@pytest.mark.parametrize("which", ["in_python", "in_go"])
def test_a_refused_consumer_or_a_missing_broker_is_reported_in_a_sentence(
    which, broker, tmp_path, request
):
    consumer = request.getfixturevalue(which)
    wrong = tmp_path / "password"
    wrong.write_text("guessed\n")
    password = [*broker.ways["password"][:-1], str(wrong)]
    nobody = f"127.0.0.1:{free_port()}"
    asked = {password[1]: password, nobody: ["--bootstrap", nobody]}
    with ExitStack() as at_once:
        refused = {
            address: at_once.enter_context(Running(*consumer, *words, "--group", "g"))
            for address, words in asked.items()
        }
        for running in refused.values():
            running.process.wait(PATIENCE_S)
    for address, running in refused.items():
        assert running.process.returncode == 3, running.complaints
        assert running.complaints[-1].startswith(f"Kafka at {address}: ")
        complaints = "".join(running.complaints)
        assert "Traceback" not in complaints
        assert PASSWORD not in complaints


def test_the_go_consumer_passes_its_own_tests():
    done = go.run(ROOT / "examples/go", "test", "./...")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok" in done.stdout
    assert go.run(ROOT / "examples/go", "vet", "./...").returncode == 0
    done = subprocess.run(
        [go.go().parent / "gofmt", "-l", ROOT / "examples/go"], capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert done.stdout == ""


def test_the_checked_in_go_code_is_what_the_protos_make(tmp_path):
    shutil.copytree(ROOT / "protos", tmp_path / "protos")
    module = tmp_path / "examples/go"
    shutil.copytree(ROOT / "examples/go", module)
    shutil.rmtree(module / "openlfr")
    buf = f"{ROOT / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"
    done = go.run(module, "generate", "./...", PATH=buf, BUF_CACHE_DIR=str(tmp_path / "buf"))
    assert done.returncode == 0, done.stderr
    made = sorted(path.relative_to(module) for path in module.glob("openlfr/**/*.go"))
    assert made
    for path in made:
        assert (ROOT / "examples/go" / path).read_text() == (module / path).read_text(), path
    assert made == sorted(
        path.relative_to(ROOT / "examples/go")
        for path in (ROOT / "examples/go").glob("openlfr/**/*.go")
    )
