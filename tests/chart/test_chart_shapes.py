"""The shapes in which the chart is shipped: they lint, render and strictly validate."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.service

SHAPES = ["minimal", "small", "city"]
EVERYTHING = [
    "kafka.strimzi.enabled=true",
    'kafka.brokers=""',
    "kafka.strimzi.controllers=3",
    'kafka.strimzi.storage.storageClass="fast"',
    'image.registry="registry.example.org"',
    'image.pullSecrets=["pull"]',
    'metrics.monitor="ServiceMonitor"',
    'metrics.prometheusUrl="http://prometheus:9090"',
    'metrics.labels={"release":"prometheus"}',
    "metrics.rules=true",
    "services.analysis.gpu.count=1",
    'services.analysis.gpu.runtimeClass="nvidia"',
    "services.analysis.autoscaling.enabled=true",
    "services.alerting.autoscaling.enabled=true",
    'evidence.volume.accessMode="ReadWriteMany"',
    'serviceDefaults.podLabels={"team":"city"}',
    'serviceDefaults.podAnnotations={"note":"x"}',
    'serviceDefaults.nodeSelector={"disk":"fast"}',
    'serviceDefaults.tolerations=[{"key":"gpu","operator":"Exists"}]',
    'services.ingest.env={"OPENLFR_DEBUG":"1"}',
]
BARE = [
    'kafka.auth="none"',
    "kafka.tls=false",
    "networkPolicy.enabled=false",
    "jobs.topics=false",
    "jobs.migrations=false",
    'models.source="image"',
    "redis.auth=false",
    "milvus.auth=false",
    "sql.auth=false",
    "services.alerting.enabled=false",
]


@pytest.mark.parametrize("values", SHAPES)
def test_it_lints(chart: Any, values: str):
    assert chart.lint(values) == ""


@pytest.mark.parametrize(
    ("values", "sets"),
    [
        *[pytest.param(each, [], id=each) for each in SHAPES],
        pytest.param("minimal", EVERYTHING, id="everything"),
        pytest.param("minimal", BARE, id="bare"),
    ],
)
def test_it_validates_strictly(chart: Any, values: str, sets: list[str]):
    resources = chart.render(*sets, values=values)
    assert len(resources) >= 8
    assert chart.problems(resources) == []


@pytest.mark.testdata
@pytest.mark.parametrize("values", ["small", "city"])
def test_custom_resources_validate_against_their_definitions(chart: Any, values: str):
    resources = chart.render(values=values)
    assert {each["apiVersion"].partition("/")[0] for each in resources} & {
        "keda.sh",
        "kafka.strimzi.io",
    }
    assert chart.problems(resources) == []


@pytest.mark.parametrize("values", SHAPES)
def test_no_secret_is_made_only_named(chart: Any, values: str):
    assert chart.names("Secret", values=values) == set()


@pytest.mark.parametrize("values", SHAPES)
def test_no_pod_is_root_or_writes_where_it_should_not(chart: Any, values: str):
    for each in chart.render(values=values):
        if each["kind"] not in {"Deployment", "StatefulSet", "Job"}:
            continue
        pod = each["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        security = chart.container(each)["securityContext"]
        assert security["readOnlyRootFilesystem"] is True
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"] == {"drop": ["ALL"]}


def test_a_bare_release_names_everything_that_is_needed(chart: Any):
    """The defaults alone: every missing value in one answer, no template error before it."""
    told = chart.refusal(
        *('config.secret.name=""', 'kafka.brokers=""', 'redis.url=""', 'milvus.url=""'),
        *('sql.url=""', 'evidence.keySecret.name=""', "networkPolicy.cameras.cidrs=[]"),
    ).splitlines()
    assert len(told) == 7
    assert all(" is empty: " in each for each in told)
