"""A second deployment on the same city: another release, without alerting."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from rendered_chart import ROOT

pytestmark = pytest.mark.service

VALUES = ROOT / "deploy/helm/openlfr/values-second-deployment.yaml"


def flattened(values: dict[str, Any], before: str = "") -> list[str]:
    """Values as path=JSON, a line for each that is no block."""
    found: list[str] = []
    for key, value in values.items():
        if isinstance(value, dict):
            found += flattened(value, f"{before}{key}.")
        else:
            found.append(f"{before}{key}={json.dumps(value)}")
    return found


def test_it_has_ingest_and_analysis_of_its_own_and_shares_the_rest(chart: Any) -> None:
    sets = flattened(YAML(typ="safe").load(VALUES.read_text()))
    resources = chart.render(*sets)
    workloads = {
        re.sub("-[0-9a-f]{8}$", "", each["metadata"]["name"])
        for each in resources
        if each["kind"] in ("Deployment", "StatefulSet", "Job")
    }
    assert workloads == {
        "openlfr-ingest", "openlfr-analysis", "openlfr-migrations", "openlfr-models",
    }  # fmt: skip
    analysis = chart.get("StatefulSet", "analysis", *sets)
    assert chart.environment(analysis)["OPENLFR_GROUP"] == "openlfr-analysis-fair"
    first = chart.environment(chart.get("StatefulSet", "analysis"))
    assert first["OPENLFR_GROUP"] == "openlfr-analysis"
