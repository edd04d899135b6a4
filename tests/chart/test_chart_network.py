"""networkpolicies.yaml: everything is closed, and each service is given what it uses."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.service


def ports(policy: dict[str, Any]) -> set[Any]:
    return {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}


def test_every_pod_of_the_release_is_closed_but_for_names(chart: Any):
    spec = chart.get("NetworkPolicy", "deny")["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in spec
    assert ports(chart.get("NetworkPolicy", "deny")) == {53}
    for each in chart.render():
        if each["kind"] in {"Deployment", "StatefulSet", "Job"}:
            labels = each["spec"]["template"]["metadata"]["labels"]
            assert spec["podSelector"]["matchLabels"].items() <= labels.items()


@pytest.mark.parametrize(
    ("name", "reaches"),
    [
        ("ingest", {9093, 6379, 554, 8554}),
        ("analysis", {9093, 19530}),
        ("alerting", {9093, 6379, 19530, 5432}),
        ("topics", {9093, 53}),  # it comes before the policy that opens names to all
        ("migrations", {5432, 53}),
        ("operator", {9093, 6379, 19530, 5432}),
        ("models", {443}),
    ],
)
def test_each_reaches_what_it_uses(chart: Any, name: str, reaches: set[int]):
    policy = chart.get("NetworkPolicy", name)
    assert ports(policy) == reaches
    selected = policy["spec"]["podSelector"]["matchLabels"]
    pods = [
        each["spec"]["template"]["metadata"]["labels"]
        for each in chart.render()
        if each["kind"] in {"Deployment", "StatefulSet", "Job"}
    ]
    assert sum(selected.items() <= labels.items() for labels in pods) == 1


def test_ports_follow_the_addresses(chart: Any):
    sets = ('redis.url="rediss://redis:6380/0"', 'kafka.brokers="a:19093,b:19094"')
    assert ports(chart.get("NetworkPolicy", "alerting", *sets)) == {19093, 19094, 6380, 19530, 5432}


def test_ingest_reaches_cameras_and_nothing_else_in_their_networks(chart: Any):
    rules = chart.get("NetworkPolicy", "ingest")["spec"]["egress"]
    (cameras,) = [rule for rule in rules if "to" in rule]
    assert cameras["to"] == [{"ipBlock": {"cidr": "10.20.0.0/16"}}]


def test_only_prometheus_asks_a_service_anything(chart: Any):
    for name in ("ingest", "analysis", "alerting"):
        (rule,) = chart.get("NetworkPolicy", name)["spec"]["ingress"]
        (peer,) = rule["from"]
        selected = peer["namespaceSelector"]["matchLabels"]
        assert selected == {"kubernetes.io/metadata.name": "monitoring"}
        assert [each["port"] for each in rule["ports"]] == ["http"]
    for name in ("topics", "operator"):
        assert "ingress" not in chart.get("NetworkPolicy", name)["spec"]


def test_workers_reach_the_api_server_where_it_is_named_and_nobody_else_does(chart: Any):
    sets = ('networkPolicy.apiServer.cidrs=["10.0.0.1/32","10.0.0.2/32"]',)
    for name in ("ingest", "analysis", "alerting", "operator", "topics", "migrations"):
        more = ports(chart.get("NetworkPolicy", name, *sets))
        more -= ports(chart.get("NetworkPolicy", name))
        assert more == ({443, 6443} if name in {"analysis", "alerting"} else set())
    rules = chart.get("NetworkPolicy", "analysis", *sets)["spec"]["egress"]
    (rule,) = [each for each in rules if {"port": 443, "protocol": "TCP"} in each["ports"]]
    assert [each["ipBlock"]["cidr"] for each in rule["to"]] == ["10.0.0.1/32", "10.0.0.2/32"]


def test_peers_narrow_a_server_down(chart: Any):
    rules = chart.get("NetworkPolicy", "analysis", values="city")["spec"]["egress"]
    assert all("to" in rule for rule in rules)


def test_it_can_be_left_to_others(chart: Any):
    assert chart.names("NetworkPolicy", "networkPolicy.enabled=false") == set()
