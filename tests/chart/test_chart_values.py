"""values.yaml, its schema and its explanations belong together. Needs no helm."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from openlfr.adapters.kafka.topics import TOPICS, TRANSIT

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/helm/openlfr"
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
VALUES = YAML(typ="safe").load(CHART / "values.yaml")


def resolve(schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").removeprefix("#/definitions/")
    return SCHEMA["definitions"][name] if name else schema


def undocumented(lines: list[str]) -> list[str]:
    """Keys with a value of their own and no `# --` above; what nests further explains itself."""
    found = []
    for number, line in enumerate(lines):
        key = re.match(r"( *)([A-Za-z][\w.-]*):(.*)", line)
        if not key:
            continue
        indent = len(key[1])
        following = next((x for x in lines[number + 1 :] if x.strip() and "#" not in x[:40]), "")
        nests = not key[3].strip() and len(following) - len(following.lstrip()) > indent
        above = lines[number - 1].strip()
        while above.startswith("#") and not above.startswith("# --"):
            number -= 1
            above = lines[number - 1].strip()
        if not nests and not above.startswith("# --"):
            found.append(key[2])
    return found


def test_every_value_is_explained():
    lines = (CHART / "values.yaml").read_text().splitlines()
    # The values of a documented map (requests, limits) are Kubernetes' own.
    assert undocumented([x for x in lines if not re.match(r" +(requests|limits):", x)]) == []


def test_a_value_without_explanation_would_be_seen():
    assert undocumented(["a:", "  # -- Known.", "  b: 1", "  c: 2"]) == ["c"]


def keys_of_values(values: dict[str, Any], schema: dict[str, Any], at: str = "") -> list[str]:
    """Places where values.yaml and the schema differ."""
    schema = resolve(schema)
    if schema.get("type") != "object" or "properties" not in schema:
        return []
    wrong = [f"{at}.{key} has no schema" for key in values if key not in schema["properties"]]
    for key, value in values.items():
        if isinstance(value, dict) and key in schema["properties"]:
            wrong += keys_of_values(value, schema["properties"][key], f"{at}.{key}")
    return wrong


def test_the_schema_knows_every_value():
    assert keys_of_values(VALUES, SCHEMA) == []


def test_the_schema_promises_nothing_that_has_no_default():
    assert set(SCHEMA["properties"]) - set(VALUES) == {"global"}
    assert set(SCHEMA["definitions"]["service"]["properties"]) == set(VALUES["serviceDefaults"])


def test_topics_and_their_partitions_are_those_of_the_code():
    assert VALUES["topics"]["partitions"] == {topic.name: topic.partitions for topic in TOPICS}
    assert VALUES["topics"]["framesTransit"] == f"{TRANSIT.total_seconds():g}s"
    names = {topic.name for topic in TOPICS}
    assert set(SCHEMA["definitions"]["topic"]["enum"]) == names
    assert set(SCHEMA["properties"]["topics"]["properties"]["partitions"]["properties"]) == names


def test_unknown_keys_are_refused_everywhere():
    def open_objects(schema: Any, at: str = "") -> list[str]:
        if not isinstance(schema, dict):
            return []
        here = [at] if "properties" in schema and schema.get("additionalProperties") else []
        missing = [at] if "properties" in schema and "additionalProperties" not in schema else []
        below = [p for key, each in schema.items() for p in open_objects(each, f"{at}/{key}")]
        return here + missing + below

    assert [p for p in open_objects(SCHEMA) if not p.endswith("/properties")] == []


def test_nothing_in_values_is_a_secret():
    """Secrets are named; a value called password or token would be one written out."""
    text = "\n".join(path.read_text() for path in sorted(CHART.rglob("*values*.yaml")))
    keys = re.findall(r"^ *([A-Za-z]+):", text, re.MULTILINE)
    assert {key for key in keys if re.search(r"(?i)password|token|credential", key)} == set()


def test_the_chart_runs_the_version_of_this_checkout():
    chart = YAML(typ="safe").load(CHART / "Chart.yaml")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert chart["appVersion"] == project["version"]
    assert chart["name"] == project["name"]


def test_no_chart_of_others_lies_in_the_repository():
    assert [p.name for p in CHART.rglob("*") if p.suffix in {".tgz", ".gz", ".lock"}] == []
    assert "dependencies" not in YAML(typ="safe").load(CHART / "Chart.yaml")


CITY = (CHART / "values-city.yaml").read_text()


def planned(what: str) -> float:
    """A figure of the plan in values-city.yaml's comment."""
    found = re.search(rf"^#   {what} +([0-9.]+)", CITY, re.MULTILINE)
    assert found, what
    return float(found[1])


@pytest.fixture
def city() -> dict[str, Any]:
    return dict(YAML(typ="safe").load(CITY))


def test_the_city_is_as_large_as_its_plan(city: dict[str, Any]):
    frames = planned("cameras") * planned("frames a second of a camera")
    assert planned("frames a second") == frames
    assert planned("megabytes a second") == frames * planned("bytes of a frame") / 1e6

    ingest = city["services"]["ingest"]["replicas"]
    assert ingest == planned("ingest pods")
    assert (ingest - 2) * planned("cameras of an ingest pod") == planned("cameras")

    scaling = city["services"]["analysis"]["autoscaling"]
    each = planned("frames a second of a GPU") * planned("share of time it is busy")
    assert scaling["minReplicas"] == planned("analysis pods") == -(-frames // each)
    assert scaling["maxReplicas"] == planned("analysis pods at most")
    assert scaling["maxReplicas"] <= city["topics"]["partitions"]["frames.v1"]


def test_the_plan_says_that_it_is_one():
    assert "PLANNING ASSUMPTIONS" in CITY
    assert "measured" in (CHART / "values-small.yaml").read_text()
