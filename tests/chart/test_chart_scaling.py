"""scaledobjects.yaml: up with lag, busy time and drops, down slowly, never past the partitions."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = pytest.mark.service

PROMETHEUS = 'metrics.prometheusUrl="http://prometheus:9090"'
ON = (PROMETHEUS, "services.analysis.autoscaling.enabled=true")


def triggers(scaled: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: each for each in scaled["spec"]["triggers"]}


def test_nothing_scales_by_default(chart: Any):
    assert chart.names("ScaledObject") == set()
    assert chart.names("TriggerAuthentication") == set()


def test_lag_is_that_of_the_group_which_the_worker_joins(chart: Any):
    sets = (*ON, 'services.analysis.kafka.group="night"')
    lag = triggers(chart.get("ScaledObject", "analysis", *sets))["lag"]
    assert lag["metadata"]["consumerGroup"] == "night"
    assert lag["metadata"]["topic"] == "frames.v1"
    worker = chart.environment(chart.get("StatefulSet", "analysis", *sets))
    assert worker["OPENLFR_GROUP"] == "night"
    assert worker["OPENLFR_KAFKA_URL"] == f"kafka://{lag['metadata']['bootstrapServers']}"


def test_a_large_lag_is_written_out(chart: Any):
    """Seen on a cluster: KEDA refuses 1e+06."""
    sets = (*ON, "services.analysis.autoscaling.lag=1000000")
    lag = triggers(chart.get("ScaledObject", "analysis", *sets))["lag"]
    assert lag["metadata"]["lagThreshold"] == "1000000"


def test_it_scales_on_busy_time_and_drops_too(chart: Any):
    found = triggers(chart.get("ScaledObject", "analysis", *ON))
    assert set(found) == {"lag", "busy", "drops"}
    assert "openlfr_busy_seconds_total" in found["busy"]["metadata"]["query"]
    assert 'reason="stale"' in found["drops"]["metadata"]["query"]
    # A ratio is no sum over pods: it must not be divided by their number.
    assert found["drops"]["metricType"] == "Value"


def test_without_prometheus_lag_alone_scales(chart: Any):
    off = ("services.analysis.autoscaling.busy=0", "services.analysis.autoscaling.dropRatio=0")
    scaled = chart.get(
        "ScaledObject", "analysis", "services.analysis.autoscaling.enabled=true", *off
    )
    assert set(triggers(scaled)) == {"lag"}


def test_it_scales_the_workload_that_is_there(chart: Any):
    for kind in ("StatefulSet", "Deployment"):
        sets = (*ON, f'services.analysis.kind="{kind}"')
        target = chart.get("ScaledObject", "analysis", *sets)["spec"]["scaleTargetRef"]
        assert target["kind"] == kind
        assert chart.get(kind, "analysis", *sets)["metadata"]["name"] == target["name"]


def test_down_goes_one_by_one_after_a_calm(chart: Any):
    advanced = chart.get("ScaledObject", "analysis", *ON)["spec"]["advanced"]
    down = advanced["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]
    assert down["stabilizationWindowSeconds"] == 600
    assert down["policies"] == [{"type": "Pods", "value": 1, "periodSeconds": 300}]


@pytest.mark.parametrize(
    ("auth", "sasl", "parameters"),
    [
        ("scram-sha-512", "scram_sha512", {"username", "password"}),
        ("scram-sha-256", "scram_sha256", {"username", "password"}),
        ("plain", "plaintext", {"username", "password"}),
        ("tls", None, {"cert", "key"}),
    ],
)
def test_keda_says_who_it_is(chart: Any, auth: str, sasl: str | None, parameters: set[str]):
    sets = (*ON, f'kafka.auth="{auth}"')
    lag = triggers(chart.get("ScaledObject", "analysis", *sets))["lag"]
    assert lag["metadata"].get("sasl") == sasl
    assert lag["metadata"]["tls"] == "enable"
    assert lag["authenticationRef"] == {"name": "openlfr-scaler"}
    told = chart.get("TriggerAuthentication", "scaler", *sets)["spec"]["secretTargetRef"]
    assert {each["parameter"] for each in told} == parameters
    assert {each["name"] for each in told} == {"openlfr-kafka-scaler"}


def test_the_city_stays_within_its_partitions(chart: Any):
    scaled = chart.get("ScaledObject", "analysis", values="city")["spec"]
    assert (scaled["minReplicaCount"], scaled["maxReplicaCount"]) == (18, 24)


def cores(quantity: object) -> float:
    """A quantity of CPU as Kubernetes writes it."""
    text = str(quantity)
    return float(text[:-1]) / 1000 if text.endswith("m") else float(text)


def asked_for(chart: Any, values: str, *sets: str) -> dict[str, float]:
    """Cores that each pod asks for, replicas together; Jobs run beside what they upgrade."""
    asked = {}
    for each in chart.render(*sets, values=values):
        spec, name = each.get("spec", {}), each["metadata"]["name"]
        if each["kind"] in {"Deployment", "StatefulSet", "Job"}:
            containers = spec["template"]["spec"]["containers"]
            pods = spec.get("replicas", 1)
            requests = [one["resources"]["requests"]["cpu"] for one in containers]
            asked[f"{each['kind']} {name}"] = pods * sum(map(cores, requests))
        if each["kind"] == "KafkaNodePool":
            asked[f"Kafka {name}"] = spec["replicas"] * cores(spec["resources"]["requests"]["cpu"])
    return asked


def test_the_small_values_fit_a_node_of_two_cores(chart: Any):
    """Milvus, Redis, PostgreSQL, the operators and the node's own pods need their part too."""
    asked = asked_for(chart, "small")
    assert any(name.startswith("Kafka ") for name in asked)
    assert {"StatefulSet openlfr-analysis", "Deployment openlfr-ingest"} <= set(asked)
    assert sum(asked.values()) <= 1.4, asked


def test_keda_says_to_prometheus_who_it_is(chart: Any):
    sets = (*ON, 'metrics.prometheusSecret="prom"')
    for auth, keys in (("basic", {"username", "password"}), ("bearer", {"bearerToken"})):
        how = f'metrics.prometheusAuth="{auth}"'
        found = triggers(chart.get("ScaledObject", "analysis", *sets, how))
        for name in ("busy", "drops"):
            assert found[name]["metadata"]["authModes"] == auth
            assert found[name]["authenticationRef"] == {"name": "openlfr-prometheus"}
        assert found["lag"]["authenticationRef"] == {"name": "openlfr-scaler"}
        targets = chart.get("TriggerAuthentication", "prometheus", *sets, how)["spec"]
        assert {each["parameter"] for each in targets["secretTargetRef"]} == keys
        assert {each["name"] for each in targets["secretTargetRef"]} == {"prom"}
    assert chart.names("TriggerAuthentication", *ON) == {"scaler"}


def test_without_keda_kubernetes_itself_scales(chart: Any):
    lag = {
        "type": "Pods",
        "pods": {
            "metric": {"name": "openlfr_lag"},
            "target": {"type": "AverageValue", "averageValue": "100"},
        },
    }
    sets = (
        "services.analysis.autoscaling.enabled=true",
        'services.analysis.autoscaling.by="hpa"',
        f"services.analysis.autoscaling.metrics=[{json.dumps(lag)}]",
        'kafka.scalerSecret=""',
    )
    assert (
        chart.names("ScaledObject", *sets) == chart.names("TriggerAuthentication", *sets) == set()
    )
    scaler = chart.get("HorizontalPodAutoscaler", "analysis", *sets)["spec"]
    assert scaler["scaleTargetRef"]["kind"] == "StatefulSet"
    assert [each["type"] for each in scaler["metrics"]] == ["Resource", "Pods"]
    keda = chart.get("ScaledObject", "analysis", *ON)["spec"]
    assert scaler["behavior"] == keda["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (1, 4)
    assert "replicas" not in chart.get("StatefulSet", "analysis", *sets)["spec"]
    assert chart.problems(chart.render(*sets)) == []
