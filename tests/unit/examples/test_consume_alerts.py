"""The example consumer: each event once, in the words of `openlfr run`, and nothing written."""

from __future__ import annotations

import ast
import dataclasses
import importlib.util
import json
import signal
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from pathlib import Path

import kafka
import pytest
from tests.sightings import sighting_of

from openlfr.domain.alerts import AlertEvent, EventKind, alert_id_of, event_id_of
from openlfr.domain.faces import Box
from openlfr.domain.impossible import ImpossibleMatch, ImpossibleReason
from openlfr.embedded.lines import alert_line
from openlfr.wire import codec
from openlfr.wire.v1 import alert_pb2

FILE = Path(__file__).resolve().parents[3] / "examples/consume_alerts.py"
Fetched = namedtuple("Fetched", "topic partition offset value headers")
AT = datetime(2026, 11, 23, 9, 0, 0, 123456, UTC)


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("consume_alerts", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def event(seq, kind=EventKind.OPENED):
    sighting = sighting_of(
        "market", "gate", 1, seq, "anna", "default", "0b2e", AT, Box(1.26, 2, 30, 40),
        0.61239, 0.45, 71.26,
    )  # fmt: skip
    sighting_id = sighting.sighting_id
    return AlertEvent(kind, event_id_of(sighting_id), alert_id_of(sighting_id), sighting)


def fetched(event, offset=0, emitted_at=AT):
    record = codec.encode_alert(event, emitted_at)
    return Fetched("alerts.v1", 2, offset, record.value, record.headers)


def changed(change=lambda alert: None, **fields):
    """The value of an alert of which something is changed."""
    alert = alert_pb2.Alert.FromString(fetched(event(1)).value)
    change(alert)
    for name, value in fields.items():
        setattr(alert, name, value)
    return alert.SerializeToString()


class FakeConsumer:
    """Returns its batches, then raises SIGTERM; it can only read, commit and close."""

    def __init__(self, *batches):
        self.batches = list(batches)
        self.done = []

    def poll(self, timeout_ms):
        if not self.batches:
            signal.raise_signal(signal.SIGTERM)
            return {}
        batch = self.batches.pop(0)
        return {"partition": batch} if batch else {}

    def commit(self):
        self.done.append("commit")

    def close(self):
        self.done.append("close")


@pytest.mark.parametrize(
    "flag", [None, ImpossibleMatch(ImpossibleReason.TOO_FAR, "park", 1.5, 4200)]
)
def test_an_event_is_printed_as_openlfr_run_prints_it(example, flag):
    first = dataclasses.replace(event(7), impossible=flag)
    (line,) = example.lines([fetched(first, emitted_at=AT + timedelta(seconds=1))], example.Seen())
    ours = alert_line(first, AT + timedelta(seconds=1))
    assert json.loads(line) == {key: ours[key] for key in json.loads(line)}
    assert {"event", "event_id", "alert_id", "subject", "box", "score"} <= set(json.loads(line))
    assert set(ours) - set(json.loads(line)) <= {"watchlist", "sighting_id"}
    assert ("impossible" in json.loads(line)) == (flag is not None)


def test_a_repeated_event_is_printed_once(example):
    seen = example.Seen()
    again = dataclasses.replace(event(7), event=EventKind.JOINED)
    batches = [[fetched(event(7)), fetched(event(8))], [fetched(again, 2), fetched(event(9), 3)]]
    printed = [json.loads(line) for batch in batches for line in example.lines(batch, seen)]
    assert [line["frame_index"] for line in printed] == [7, 8, 9]


def test_ids_are_forgotten_oldest_first(example):
    seen = example.Seen(most=2)
    assert [seen.is_new(each) for each in "abcab"] == [True, True, True, True, True]
    assert seen.is_new("b") is False


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"value": b"garbage"}, "cannot be parsed"),
        ({"value": None}, "it lacks its event_id"),
        ({"headers": [("schema", b"openlfr.wire.v1.Frame")]}, "it is a openlfr.wire.v1.Frame, not"),
        ({"headers": [("schema", b"\xff")]}, "it is a \ufffd, not a openlfr.wire.v1.Alert"),
        ({"value": changed(lambda alert: alert.ClearField("camera"))}, "it lacks its camera"),
        ({"value": changed(lambda alert: alert.ClearField("box"))}, "it lacks its box"),
        ({"value": changed(event=77)}, "nobody here knows its event 77"),
        ({"value": changed(event=0)}, "nobody here knows its event 0"),
        ({"value": changed(score=float("nan"))}, "one of its numbers is not finite"),
        (
            {"value": changed(lambda alert: setattr(alert.captured_at, "seconds", 2**60))},
            "one of its moments is none",
        ),
    ],
)
def test_an_unreadable_message_is_reported_and_skipped(example, capsys, change, reason):
    records = [fetched(event(1), 40)._replace(**change), fetched(event(2), 41)]
    assert len(list(example.lines(records, example.Seen()))) == 1
    messages = capsys.readouterr().err
    assert messages.startswith("left out: alerts.v1, partition 2, offset 40: ")
    assert reason in messages


@pytest.fixture
def _signals():
    """What the example asks to be done at a signal ends with the test."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_signals")
def test_the_example_reads_in_its_own_group_and_commits_printed_alerts(
    example, capsys, monkeypatch
):
    consumer = FakeConsumer([fetched(event(1))], [], [fetched(event(1)), fetched(event(2))])
    asked = {}

    def connect(*topics, **how):
        asked.update(how, topics=topics)
        return consumer

    monkeypatch.setattr(kafka, "KafkaConsumer", connect)
    assert example.main(["--group", "mine", "--bootstrap", "a:1,b:2"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert consumer.done == ["commit", "commit", "close"]
    assert asked["topics"] == ("alerts.v1",)
    assert asked["group_id"] == "mine"
    assert asked["bootstrap_servers"] == ["a:1", "b:2"]
    assert asked["enable_auto_commit"] is False
    assert asked["security_protocol"] == "PLAINTEXT"


def test_a_group_is_required(example, capsys):
    with pytest.raises(SystemExit):
        example.main([])
    assert "--group" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("--sasl plain", "--sasl needs --username and --password-file"),
        ("--username u", "need --sasl"),
        ("--ca-file f", "need --tls"),
        ("--tls --cert-file f", "need each other"),
        ("--sasl gssapi", "invalid choice"),
    ],
)
def test_options_that_cannot_be_are_refused(example, capsys, words, reason):
    with pytest.raises(SystemExit) as ended:
        example.main(["--group", "g", *words.split()])
    assert ended.value.code == 2
    assert reason in capsys.readouterr().err


@pytest.mark.usefixtures("_signals")
@pytest.mark.parametrize("content", [None, b""])
def test_an_empty_password_file_is_named(example, capsys, tmp_path, content):
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    words = f"--group g --sasl scram-sha-256 --username u --password-file {file}"
    assert example.main(words.split()) == 2
    assert str(file) in capsys.readouterr().err


def test_the_example_imports_only_generated_code_of_openlfr():
    imported = set()
    for node in ast.walk(ast.parse(FILE.read_text())):
        if isinstance(node, ast.Import):
            imported |= {each.name for each in node.names}
        if isinstance(node, ast.ImportFrom):
            imported.add(node.module)
    ours = {name for name in imported if name.startswith("openlfr")}
    assert ours == {"openlfr.wire.v1"}
