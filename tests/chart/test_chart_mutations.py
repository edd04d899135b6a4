"""What is wrong is refused, and says in one sentence what to do."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.service

REFUSALS = YAML(typ="safe").load(Path(__file__).with_name("refusals.yaml"))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        pytest.param(each["set"], each["says"], id=f"{kind}-{each['set'][-1]}")
        for kind, rows in REFUSALS.items()
        for each in rows
    ],
)
def test_a_wrong_value_gives_one_clear_sentence(chart: Any, values: list[str], sentence: str):
    assert chart.refusal(*values) == sentence


def test_several_problems_are_told_at_once(chart: Any):
    told = chart.refusal('redis.url=""', 'config.secret.name=""').splitlines()
    assert [each.split(" ")[0] for each in told] == ["config.secret.name", "redis.url"]


PASSED_ON = [
    ('services.analysis.tolerations=[{"kee":"gpu"}]', "tolerations.0"),
    ('services.analysis.affinity={"nodeAfinity":{}}', "affinity"),
    ('services.ingest.resources={"request":{"cpu":"1"}}', "resources"),
    ('networkPolicy.peers.kafka=[{"ipBlock":"10.0.0.0/8"}]', "ipBlock"),
]


@pytest.mark.parametrize(("value", "place"), PASSED_ON)
def test_what_is_passed_on_to_kubernetes_is_held_to_its_schema(chart: Any, value: str, place: str):
    problems = chart.problems(chart.render(value))
    assert problems
    assert all(place in each for each in problems)


def changed(resource: dict[str, Any], change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    resource = copy.deepcopy(resource)
    change(resource)
    return resource


BROKEN: list[tuple[str, str, Callable[[dict[str, Any]], object]]] = [
    ("Deployment", "ingest", lambda each: each["spec"].update(replica=1)),
    ("Deployment", "ingest", lambda each: each["spec"].update(replicas="1")),
    ("Deployment", "ingest", lambda each: each["spec"].pop("selector")),
    ("StatefulSet", "analysis", lambda each: each["spec"]["template"]["spec"].update(runAsRoot=1)),
    ("NetworkPolicy", "deny", lambda each: each["spec"].update(policyTypes="Egress")),
    ("Job", "migrations", lambda each: each.update(kind="Jobb")),
    ("Service", "analysis", lambda each: each["metadata"].update(name="Analysis_1")),
]


@pytest.mark.parametrize(("kind", "name", "change"), BROKEN)
def test_a_broken_resource_does_not_validate(
    chart: Any, kind: str, name: str, change: Callable[[dict[str, Any]], object]
):
    sound = chart.get(kind, name)
    assert chart.problems([sound]) == []
    assert len(chart.problems([changed(sound, change)])) == 1


@pytest.mark.testdata
@pytest.mark.parametrize(
    ("values", "kind", "name", "change"),
    [
        ("city", "ScaledObject", "analysis", lambda each: each["spec"].update(maxReplicas=3)),
        ("city", "ScaledObject", "analysis", lambda each: each["spec"].pop("triggers")),
        ("city", "PrometheusRule", "", lambda each: each["spec"]["groups"][0].pop("name")),
        ("city", "PodMonitor", "", lambda each: each["spec"].update(endpoints=[])),
        ("small", "Kafka", "kafka", lambda each: each["spec"]["kafka"].update(replicas=3)),
        ("small", "KafkaNodePool", "kafka-brokers", lambda each: each["spec"].pop("roles")),
        ("small", "KafkaUser", "analysis", lambda each: each["spec"]["authorization"].pop("acls")),
    ],
)
def test_a_broken_custom_resource_does_not_validate(
    chart: Any, values: str, kind: str, name: str, change: Callable[[dict[str, Any]], object]
):
    sound = chart.get(kind, name, values=values)
    assert chart.problems([sound]) == []
    assert len(chart.problems([changed(sound, change)])) == 1
