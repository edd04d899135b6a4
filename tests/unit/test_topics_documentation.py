"""docs/topics.md and docs/asyncapi.yaml agree with the protos and the topic table."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib import import_module, resources
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc
from ruamel.yaml import YAML

from openlfr.adapters.kafka.topics import CHECK_INTERVAL, FRAMES, TOPICS, TRANSIT, plan_topics
from openlfr.wire import headers, seal

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/topics.md").read_text()
SECTIONS = dict(re.findall(r"^## ([\w-]+\.v\d+)\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S))
ASYNCAPI = YAML(typ="safe").load((ROOT / "docs/asyncapi.yaml").read_text())
MODULES = [
    import_module(f"openlfr.wire.v1.{path.stem}_pb2")
    for path in (ROOT / "protos/openlfr/wire/v1").glob("*.proto")
]
MESSAGES = {
    name: descriptor
    for module in MODULES
    for name, descriptor in module.DESCRIPTOR.message_types_by_name.items()
}
every_topic = pytest.mark.parametrize("topic", plan_topics(), ids=lambda topic: topic.name)


def reached(name):
    """Yield a message and its nested messages."""
    found = {name}
    for field in MESSAGES[name].fields:
        if field.message_type is not None and field.message_type.name in MESSAGES:
            found |= reached(field.message_type.name)
    return found


def test_every_message_has_a_topic_and_every_topic_a_message():
    assert set().union(*(reached(topic.message) for topic in TOPICS)) == set(MESSAGES)


def test_the_page_and_the_file_list_exactly_our_topics():
    names = [topic.name for topic in TOPICS]
    assert list(SECTIONS) == names
    assert [each["address"] for each in ASYNCAPI["channels"].values()] == names
    assert set(re.findall(r"\b[a-z-]+\.v\d\b", PAGE)) - {"wire.v1"} == set(names)


@every_topic
def test_the_page_names_exactly_the_fields(topic):
    section = SECTIONS[topic.name]
    for name in reached(topic.message):
        table = section.split(f"**{name}.**")[1].split("**")[0]
        rows = re.findall(r"^\| `(\w+)` \|", table, re.M)
        assert rows == [field.name for field in MESSAGES[name].fields]
        for field in MESSAGES[name].fields:
            for value in field.enum_type.values[1:] if field.enum_type else ():
                assert f"`{value.name}`" in table
    assert section.count("| Field |") == len(reached(topic.message))


@every_topic
def test_the_page_states_the_retention_of_the_topic(topic):
    section = SECTIONS[topic.name]
    documented = dict(re.findall(r"`([\w.]+)=([\w.-]+)`", section))
    assert documented == topic.configs
    for text in (topic.key, topic.promise, topic.content, topic.readers, topic.writers):
        assert text in section
    assert f"| Partitions | {topic.partitions} |" in section
    assert f"| Replicas | {topic.replicas}, " in section


@every_topic
def test_the_file_states_the_retention_of_the_topic(topic):
    (channel,) = (each for each in ASYNCAPI["channels"].values() if each["address"] == topic.name)
    kafka = channel["bindings"]["kafka"]
    assert (kafka["topic"], kafka["partitions"], kafka["replicas"]) == (
        topic.name, topic.partitions, topic.replicas,
    )  # fmt: skip
    documented = {
        key: ",".join(value) if isinstance(value, list) else str(value)
        for key, value in kafka["topicConfiguration"].items()
    }
    assert documented == topic.configs
    assert topic.promise in channel["description"]
    assert list(channel["messages"]) == [topic.message]


@every_topic
def test_the_file_contains_the_whole_proto_with_the_same_fields(topic, tmp_path):
    message = ASYNCAPI["components"]["messages"][topic.message]
    assert message["name"] == MESSAGES[topic.message].full_name
    (tmp_path / "it.proto").write_text(message["payload"]["schema"])
    include = resources.files("grpc_tools") / "_proto"
    words = [f"-I{tmp_path}", f"-I{include}", f"--descriptor_set_out={tmp_path / 'out'}"]
    assert protoc.main(["protoc", *words, str(tmp_path / "it.proto")]) == 0
    (file,) = FileDescriptorSet.FromString((tmp_path / "out").read_bytes()).file
    described = {each.name: each for each in file.message_type}
    assert set(described) == reached(topic.message)
    for name, each in described.items():
        fields = [(field.name, field.number, field.type) for field in each.field]
        assert fields == [(field.name, field.number, field.type) for field in MESSAGES[name].fields]


def test_the_documented_headers_are_the_written_headers():
    for message in ASYNCAPI["components"]["messages"].values():
        documented = message["headers"]["properties"]
        assert set(headers.NAMES) - set(documented) <= {"captured_at"}
        signed = message["name"].endswith((".Sighting", ".Alert", ".Tally", ".Control"))
        assert set(documented) - set(headers.NAMES) == ({seal.HEADER} if signed else set())
        assert documented["schema"]["const"] == message["name"]
        assert documented["content-type"]["const"] == message["contentType"] == headers.CONTENT_TYPE
    assert all(f"| `{name}` |" in PAGE for name in (*headers.NAMES, seal.HEADER))


def test_the_page_sums_the_lifetime_of_a_frame():
    seconds = {key: int(FRAMES.configs[key]) // 1000 for key in FRAMES.configs if "ms" in key}
    assert f"| retention | {seconds['retention.ms']} s " in PAGE
    assert f"| segment roll | {seconds['segment.ms']} s " in PAGE
    assert f"| delete delay | {seconds['file.delete.delay.ms']} s " in PAGE
    total = TRANSIT.total_seconds()
    parts = ("retention.ms", "segment.ms", "file.delete.delay.ms")
    check = total - sum(seconds[each] for each in parts)
    assert f"| check interval | {check:g} s " in PAGE
    assert f"`{CHECK_INTERVAL}={check * 1000:g}`" in PAGE.replace("**", "`")
    assert f"{total:g} seconds at most" in PAGE


def test_every_message_reserves_fields_for_operators():
    for message in MESSAGES.values():
        assert not [field.name for field in message.fields if 100 <= field.number < 200]


def protos(root, *words):
    return subprocess.run(
        [sys.executable, root / "scripts/protos", *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_checked_in_files_match_the_protos():
    done = protos(ROOT, "--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_changed_proto_a_changed_page_and_an_obsolete_file_are_reported(tmp_path):
    for folder in ("protos", "scripts", "docs", "src/openlfr/wire/v1"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    proto = tmp_path / "protos/openlfr/wire/v1/verdict.proto"
    proto.write_text(proto.read_text().replace("decided_by = 6", "decided_by = 90"))
    (tmp_path / "src/openlfr/wire/v1/old_pb2.py").write_text("")
    page = tmp_path / "docs/topics.md"
    page.write_text(page.read_text().replace("| `captured_at` | Timestamp", "| `at` | Timestamp"))
    done = protos(tmp_path, "--check")
    assert done.returncode == 1
    assert [line.split()[0] for line in done.stdout.splitlines()] == [
        "docs/asyncapi.yaml",
        "docs/topics.md",
        "src/openlfr/wire/v1/old_pb2.py",
        "src/openlfr/wire/v1/verdict_pb2.py",
    ]
    assert protos(tmp_path).returncode == 0
    assert protos(tmp_path, "--check").returncode == 0
    assert protos(tmp_path, "--chekc").returncode == 2
