"""monitors.yaml and prometheusrule.yaml: who reads metrics, and when people are called."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.service

README = Path(__file__).resolve().parents[2] / "deploy/helm/openlfr/README.md"


@pytest.mark.parametrize(
    ("kind", "endpoints"), [("PodMonitor", "podMetricsEndpoints"), ("ServiceMonitor", "endpoints")]
)
def test_metrics_are_read_where_services_offer_them(chart: Any, kind: str, endpoints: str):
    sets = (f'metrics.monitor="{kind}"', 'metrics.labels={"release":"prometheus"}')
    monitor = chart.get(kind, "", *sets)
    (endpoint,) = monitor["spec"][endpoints]
    assert (endpoint["port"], endpoint["path"]) == ("http", "/metrics")
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    offered = chart.get("Service", "analysis")
    selector = monitor["spec"]["selector"]
    assert selector["matchLabels"].items() <= offered["metadata"]["labels"].items()
    (component,) = selector["matchExpressions"]
    assert offered["metadata"]["labels"]["app.kubernetes.io/component"] in component["values"]


def test_nothing_is_monitored_unless_asked_for(chart: Any):
    kinds = {each["kind"] for each in chart.render()}
    assert not kinds & {"PodMonitor", "ServiceMonitor", "PrometheusRule"}


def test_every_alert_says_what_to_do(chart: Any):
    (group,) = chart.get("PrometheusRule", "", values="city")["spec"]["groups"]
    assert len(group["rules"]) >= 5
    for rule in group["rules"]:
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert set(rule["annotations"]) == {"summary", "action"}
        assert 'namespace="lfr"' in rule["expr"]


def test_every_metric_that_is_asked_for_is_in_the_readme(chart: Any):
    rules = chart.get("PrometheusRule", "", values="city")
    scaled = chart.get("ScaledObject", "analysis", values="city")
    asked = set(re.findall(r"openlfr_[a-z_]+", f"{rules['spec']} {scaled['spec']['triggers']}"))
    assert len(asked) >= 7
    told = set(re.findall(r"^\| `(openlfr_[a-z_]+)", README.read_text(), re.MULTILINE))
    assert asked == told


def test_every_variable_that_a_container_gets_is_in_the_readme(chart: Any):
    given = {
        each["name"]
        for values in ("minimal", "small", "city")
        for resource in chart.render(values=values)
        if resource["kind"] in {"Deployment", "StatefulSet", "Job"}
        for each in chart.container(resource)["env"]
    }
    told = set(re.findall(r"`(OPENLFR_[A-Z_]+)`", README.read_text()))
    assert given - {"HOME"} <= told
