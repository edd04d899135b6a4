"""`openlfr topics`: lines for a person, and exit codes for a job."""

from __future__ import annotations

import socket
import threading
from datetime import timedelta

import pytest

from openlfr.adapters.kafka import admin as kafka_admin
from openlfr.adapters.kafka.topic_differences import Difference
from openlfr.adapters.kafka.topics import compute_transit_bound
from openlfr.cli import main


class FakeTopics:
    """A cluster with one topic too few, which applying makes."""

    def __init__(self):
        self.left = [
            Difference("alerts.v1: missing", "alerts.v1", "missing", True),
            Difference("tallies.v1: 2 replicas, must be 3", "tallies.v1", "replicas", False),
        ]
        self.closed = False
        self.opened_with = None

    def find_differences(self, wanted, *, transit):
        assert transit == timedelta(seconds=70)
        assert wanted[0].partitions == 24
        return self.left

    def read_transit_bound(self, wanted):
        return compute_transit_bound(wanted[0].configs, timedelta(seconds=10))

    def apply(self, wanted):
        self.left = self.left[1:]
        return ["alerts.v1: created"]

    def close(self):
        self.closed = True


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "CONFIG.yaml"
    path.write_text(
        "data_dir: data\nservices: {kafka: 'kafka://a:1,b:2/'}\n"
        "topics: {frames_transit: 70s, partitions: {frames.v1: 24}}\n"
    )
    return str(path)


@pytest.fixture
def cluster(monkeypatch):
    fake = FakeTopics()

    def open_topics(bootstrap, **how):
        fake.opened_with = bootstrap.brokers, how
        return fake

    monkeypatch.setattr(kafka_admin, "open_topics", open_topics)
    return fake


BOUND = (
    "frames.v1: a frame is gone after at most 60 s: retention 30 s + segment roll 15 s"
    " + check interval 10 s + delete delay 5 s"
)


def test_check_prints_each_difference_in_a_line_and_fails(config, cluster, capsys):
    assert main(["topics", "check", "--config", config]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "alerts.v1: missing",
        "tallies.v1: 2 replicas, must be 3",
        BOUND,
    ]
    assert cluster.closed
    assert cluster.opened_with == (("a:1", "b:2"), {"timeout": timedelta(seconds=10)})


def test_apply_prints_its_changes_and_the_remaining_differences(config, cluster, capsys):
    assert main(["topics", "apply", "--config", config, "--bootstrap", "c:3"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "alerts.v1: created",
        "tallies.v1: 2 replicas, must be 3",
        BOUND,
    ]
    assert cluster.opened_with[0] == ("c:3",)


def test_a_correct_cluster_has_no_differences(config, cluster, capsys):
    cluster.left = []
    assert main(["topics", "check", "--config", config]) == 0
    assert capsys.readouterr().out.splitlines() == [BOUND, "7 topics are as configured"]


def test_the_transit_bound_is_printed_once(config, cluster, capsys):
    cluster.left = [Difference("frames.v1: a frame is gone ...", "frames.v1", "transit", False)]
    assert main(["topics", "check", "--config", config]) == 1
    assert capsys.readouterr().out == "frames.v1: a frame is gone ...\n"


def test_a_missing_broker_is_one_sentence_and_exit_3(config, capsys):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))  # taken, and nobody listens
        broker = f"127.0.0.1:{listener.getsockname()[1]}"
        words = ["--config", config, "--bootstrap", broker, "--wait", "0.5"]
        assert main(["topics", "check", *words]) == 3
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err == (
        f"error: Kafka at {broker} does not answer: check that the broker runs and that its"
        " address is right.\n"
    )


def test_another_server_at_the_address_is_reported_and_leaves_no_file(config, capsys):
    before = threading.active_count()
    with socket.create_server(("127.0.0.1", 0)) as listener:  # takes connections, says nothing
        broker = f"127.0.0.1:{listener.getsockname()[1]}"
        words = ["--config", config, "--bootstrap", broker, "--wait", "0.5"]
        assert main(["topics", "check", *words]) == 3
    assert "does not answer" in capsys.readouterr().err
    assert threading.active_count() == before


def test_a_missing_address_is_bad_input(tmp_path, capsys):
    path = tmp_path / "CONFIG.yaml"
    path.write_text("data_dir: data\n")
    assert main(["topics", "check", "--config", str(path)]) == 2
    assert "has no services.kafka: set this key, or use --bootstrap" in capsys.readouterr().err
