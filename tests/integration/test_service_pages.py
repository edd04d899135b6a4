"""The pages of a running service, as Prometheus and Kubernetes read them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import Any

import pytest
from dev_servers.process import free_port
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from awaiting import PATIENCE_S, await_that
from openlfr.cli import main

pytestmark = [pytest.mark.service, pytest.mark.timeout(600)]

SESSION_S = 90  # the longest there is: a busy machine takes its time to start a worker anew
READS = ("sightings.v1", "alerts.v1", "tallies.v1")
DEPLOYMENT = """\
deployment:
  name: pages
  purpose: test
  place: here
  legal_basis: none needed
  authorised_by: a test
  starts: 2026-01-01T00:00Z
  ends: 2099-01-01T00:00Z
"""


class Worker:
    """An alerting service, which is the lightest service, and its pages."""

    def __init__(self, folder: Any, name: str, group: str) -> None:
        self.port = free_port()
        self.environment = {
            **os.environ,
            "OPENLFR_HTTP": f"127.0.0.1:{self.port}",
            "OPENLFR_INSTANCE_ID": name,
            "OPENLFR_GROUP": group,
            "OPENLFR_SESSION_SECONDS": str(SESSION_S),
        }
        self.words = [sys.executable, "-m", "openlfr", "service", "alerting", "--config",
                      str(folder / "CONFIG.yaml")]  # fmt: skip
        self.errors = folder / f"{name}.txt"
        with self.errors.open("w") as errors:
            self.popen = subprocess.Popen(
                self.words, cwd=folder, env=self.environment, stdout=errors, stderr=errors
            )

    def leave(self) -> list[str]:
        """Run `--leave`, and return its output lines."""
        words = [*self.words, "--leave"]
        done = subprocess.run(words, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def page(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE_S
            ) as got:
                return got.status, got.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def metric(self, name: str) -> float | None:
        lines = self.page("/metrics")[1].splitlines()
        found = [line.rpartition(" ")[2] for line in lines if line.startswith(f"{name} ")]
        return float(found[0]) if found else None

    def wait(self, what: str, condition: Any) -> None:
        """Wait until the condition is true."""

        def holds() -> bool:
            try:
                return bool(condition())
            except OSError:
                return False  # the pages are not yet served

        await_that(what, holds, seen=self.errors.read_text, alive=[self.popen])

    def ready(self) -> bool:
        return self.page("/health/ready")[0] == 200


@pytest.fixture
def folder(tmp_path, servers):
    urls = "".join(f"  {name}: {servers.url(name)}\n" for name in ("kafka", "redis"))
    urls += "  milvus: http://127.0.0.1:9\n"  # nobody is enrolled, so that the server is never used
    path = tmp_path / "CONFIG.yaml"
    path.write_text(f"data_dir: data\n{DEPLOYMENT}services:\n{urls}topics: {{replication: 1}}\n")
    assert main(["topics", "apply", "--config", str(path), "--wait", "240"]) == 0
    return tmp_path


@pytest.fixture
def start(folder):
    workers: list[Worker] = []

    def begin(name: str, group: str) -> Worker:
        workers.append(Worker(folder, name, group))
        return workers[-1]

    yield begin
    for worker in workers:
        worker.popen.kill()
        worker.popen.wait()


def test_a_service_reports_its_health_and_hands_over_when_it_leaves(start, kafka_broker):
    worker = start("pages-0", "pages")
    worker.wait("ready", worker.ready)
    assert json.loads(worker.page("/health/live")[1]) == {"live": True}
    with KafkaProducer(bootstrap_servers=kafka_broker) as producer:
        sent = producer.send("sightings.v1", key=b"gate", value=b"\xff no sighting").get(PATIENCE_S)
    worker.wait("dead letter", lambda: worker.metric("openlfr_dead_letters_total"))
    worker.wait("ack", lambda: worker.metric("openlfr_acks_total"))
    with KafkaConsumer(bootstrap_servers=kafka_broker) as reader:
        whole = sum(len(reader.partitions_for_topic(topic)) for topic in READS)
    worker.wait("all partitions", lambda: worker.metric("openlfr_partitions") == whole)
    # Asked of the brokers by another client, from what the group has committed.
    worker.wait("no lag", lambda: worker.metric("openlfr_lag") == 0)
    text = worker.page("/metrics")[1]
    assert 'openlfr_service{service="alerting"} 1.0' in text
    # How many depends on what other tests left on the broker: it is folded as theirs.
    assert 'openlfr_alerts_total{event="opened"} ' in text
    assert 'openlfr_stage_seconds_count{stage="fold"} ' in text
    second = start("pages-1", "pages")
    second.wait("partitions", lambda: second.metric("openlfr_partitions"))
    worker.wait("fewer partitions", lambda: 0 < worker.metric("openlfr_partitions") < whole)
    # Killed and started again it is the same member: nobody's partitions move.
    generation = worker.metric("openlfr_group_generation")
    killed_at = time.monotonic()
    second.popen.kill()
    second.popen.wait()
    second = start("pages-1", "pages")
    second.wait("partitions", lambda: second.metric("openlfr_partitions"))
    # One that takes longer to start than the session lasts has been taken for dead, rightly.
    if time.monotonic() - killed_at < SESSION_S - 10:
        assert second.metric("openlfr_group_generation") == generation
        assert worker.metric("openlfr_group_generation") == generation
    finished, left = worker.leave()
    assert finished == "pages-0 has finished its batch"
    assert left == "pages-0 has left pages"
    # Not after the session timeout, for which those of a worker that merely ends stand still.
    second.wait("all partitions", lambda: second.metric("openlfr_partitions") == whole)
    assert worker.popen.wait(PATIENCE_S) == 0, worker.errors.read_text()
    assert worker.leave() == ["pages-0 was not a member of pages"]
    # What "committed" means to the one who asks for lag is what it means to the worker.
    with KafkaConsumer(group_id="pages", bootstrap_servers=kafka_broker) as reader:
        assert reader.committed(TopicPartition(sent.topic, sent.partition)) == sent.offset + 1
