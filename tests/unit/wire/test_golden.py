"""Bytes of every message of every released version decode to the same values."""

from __future__ import annotations

import base64
import json
import re
import tomllib
from pathlib import Path

import pytest
from golden_values import MESSAGES, VERSIONS, as_json
from google.protobuf import json_format
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorSet

from openlfr.wire.headers import read_headers

ROOT = Path(__file__).resolve().parents[3]
RELEASED = ROOT / "protos/released"
GOLDEN = {
    version: json.loads((RELEASED / version / "golden.json").read_text()) for version in VERSIONS
}
EVERY = [
    pytest.param(version, name, id=f"{version}: {name}")
    for version, records in GOLDEN.items()
    for name in records
]


def test_every_release_has_its_golden_bytes():
    changelog = (ROOT / "CHANGELOG.md").read_text()
    announced = set(re.findall(r"^## \[(\d+\.\d+\.\d+)\]", changelog, re.M))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {folder.name for folder in RELEASED.iterdir()} == set(VERSIONS)
    assert announced | {project["version"]} <= set(VERSIONS)
    assert {version: set(records) for version, records in GOLDEN.items()} == {
        version: set(values) for version, values in VERSIONS.items()
    }


@pytest.mark.parametrize(("version", "name"), EVERY)
def test_golden_bytes_decode_to_their_values(version, name):
    kept, golden = GOLDEN[version][name], VERSIONS[version][name]
    value = base64.b64decode(kept["value"])
    assert golden.decode(kept["key"].encode(), value) == golden.means
    headers = {key: text.encode() for key, text in kept["headers"].items()}
    assert read_headers(headers, expected_schema=kept["message"]).schema == kept["message"]


@pytest.mark.parametrize(("version", "name"), EVERY)
def test_golden_bytes_have_the_fields_that_the_protos_give_them(version, name):
    """As any consumer reads them, who has generated code alone."""
    kept = GOLDEN[version][name]
    message = MESSAGES[kept["message"]].FromString(base64.b64decode(kept["value"]))
    read = json_format.MessageToDict(message, preserving_proto_field_name=True)
    assert read == kept["fields"]


@pytest.mark.parametrize(("version", "name"), EVERY)
def test_current_messages_contain_every_earlier_field(version, name):
    """A reader of that version finds in today's record what it found in its own."""
    kept, today = GOLDEN[version][name], as_json(VERSIONS[version][name])
    assert holds(today["fields"], kept["fields"])
    assert today["key"] == kept["key"]
    assert kept["headers"].items() <= today["headers"].items()


def holds(new, old):
    """Whether everything in old is in new, with the same value."""
    if isinstance(old, dict):
        return all(key in new and holds(new[key], value) for key, value in old.items())
    if isinstance(old, list):
        return len(new) == len(old) and all(map(holds, new, old))
    return new == old


@pytest.mark.parametrize("version", VERSIONS)
def test_every_field_and_enum_value_of_a_version_is_in_its_golden_bytes(version):
    """Else what nobody decodes could change its meaning."""
    promised = set(erasable_fields(RELEASED / version / "messages.binpb"))
    found = set()
    for kept in GOLDEN[version].values():
        message = MESSAGES[kept["message"]].FromString(base64.b64decode(kept["value"]))
        found |= set(words_in(message))
    assert promised - found == set()


def erasable_fields(image):
    """The full name of each field and of each enum's value (but 0, which says nothing)."""
    files = FileDescriptorSet.FromString(image.read_bytes())
    for file in files.file:
        if not file.package.startswith("openlfr."):
            continue
        for message in file.message_type:
            name = f"{file.package}.{message.name}"
            yield from (f"{name}.{field.name}" for field in message.field)
            for enum in message.enum_type:
                yield from (f"{name}.{value.name}" for value in enum.value if value.number)


def words_in(message):
    """The same of what stands in a message."""
    for field, value in message.ListFields():
        yield field.full_name
        if field.type == FieldDescriptorProto.TYPE_ENUM:
            yield f"{message.DESCRIPTOR.full_name}.{field.enum_type.values_by_number[value].name}"
        if field.type == FieldDescriptorProto.TYPE_MESSAGE:
            for inner in value if field.is_repeated else [value]:
                yield from words_in(inner)
