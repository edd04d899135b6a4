"""The operator's pod: where people's commands run until the console takes over."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.service


def mounts(chart: Any, kind: str, name: str, *sets: str) -> dict[str, Any]:
    """Path -> volume, of a workload's container."""
    pod = chart.get(kind, name, *sets)["spec"]["template"]["spec"]
    volumes = {
        each["name"]: {k: v for k, v in each.items() if k != "name"} for each in pod["volumes"]
    }
    (container,) = pod["containers"]
    return {each["mountPath"]: volumes[each["name"]] for each in container["volumeMounts"]}


def affinity(chart: Any, kind: str, name: str, *sets: str) -> Any:
    return chart.get(kind, name, *sets)["spec"]["template"]["spec"].get("affinity")


def components(terms: list[dict[str, Any]]) -> set[str]:
    """Beside whose pods."""
    found = [each.get("podAffinityTerm", each)["labelSelector"]["matchLabels"] for each in terms]
    return {each["app.kubernetes.io/component"] for each in found}


def test_it_runs_the_image_of_alerting_and_waits_for_commands(chart: Any):
    operator = chart.container(chart.get("Deployment", "operator"))
    assert operator["image"] == chart.container(chart.get("StatefulSet", "alerting"))["image"]
    assert "ports" not in operator
    assert not {each for each in operator if each.endswith("Probe")}


def test_it_ends_at_once_when_it_is_told_to(chart: Any):
    """As a pod's first process it would otherwise ignore SIGTERM."""
    program, *words = chart.container(chart.get("Deployment", "operator"))["command"]
    assert program == "python"
    waiting = subprocess.Popen([sys.executable, "-X", "importtime", *words], stderr=subprocess.PIPE)
    assert waiting.stderr is not None
    # The last module that it imports is there: from here on it sets its handler and waits.
    for line in waiting.stderr:
        if b"signal" in line:
            break
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(0.5)
    waiting.send_signal(signal.SIGTERM)
    assert waiting.wait(20) == 0
    waiting.stderr.close()


def test_it_keeps_reference_pictures_where_alerting_keeps_evidence(chart: Any):
    operator, alerting = (
        mounts(chart, "Deployment", "operator"),
        mounts(chart, "StatefulSet", "alerting"),
    )
    assert operator["/var/lib/openlfr"] == alerting["/var/lib/openlfr"]
    assert "persistentVolumeClaim" in operator["/models"]
    # Pictures that come with a manifest leave nothing on the node's disk.
    assert operator["/tmp"] == {"emptyDir": {"sizeLimit": "256Mi", "medium": "Memory"}}
    secrets = chart.secrets(chart.get("Deployment", "operator"))
    assert secrets["openlfr-vault"] == {"vault.key"}
    assert "openlfr-kafka-operator" in secrets


def test_ingest_is_given_the_key_of_control_alone(chart: Any):
    """It reads how the deployment stands, and could open no picture."""
    ingest = chart.get("Deployment", "ingest")
    assert chart.secrets(ingest)["openlfr-vault"] == {"control.key"}
    given = chart.environment(ingest)
    assert given["OPENLFR_CONTROL_KEY_FILE"] == "/etc/openlfr/control.key"
    assert "OPENLFR_VAULT_KEY_FILE" not in given
    apart = 'evidence.controlKeySecret={"name":"control","key":"key"}'
    secrets = chart.secrets(chart.get("Deployment", "ingest", apart))
    assert secrets["control"] == {"control.key"}
    assert "openlfr-vault" not in secrets


def test_its_memory_fits_an_import_and_the_pictures_beside_it(chart: Any):
    """431 MB at most were measured of an import."""
    limit = chart.container(chart.get("Deployment", "operator"))["resources"]["limits"]["memory"]
    pictures = mounts(chart, "Deployment", "operator")["/tmp"]["emptyDir"]["sizeLimit"]
    units = {"Mi": 2**20, "Gi": 2**30}
    size, of = (int(each[:-2]) * units[each[-2:]] for each in (limit, pictures))
    assert size - of > 1.5 * 431e6


def test_it_goes_where_one_node_mounts_evidence_and_models(chart: Any):
    """One term each: the scheduler takes several for a pod that is all of them at once."""
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    preferred = "preferredDuringSchedulingIgnoredDuringExecution"
    many = 'evidence.volume.accessMode="ReadWriteMany"', 'models.volume.accessMode="ReadWriteMany"'
    none = "services.operator.enabled=false"

    def beside(*sets: str, kind: str = "Deployment", name: str = "operator") -> list[str]:
        found = affinity(chart, kind, name, *sets)
        terms = (found or {}).get("podAffinity", {}).get(required, [])
        assert len(terms) < 2
        return sorted(components(terms))

    def alerting(*sets: str) -> list[str]:
        return beside(*sets, kind="StatefulSet", name="alerting")

    assert (beside(), alerting()) == (["alerting"], ["analysis"])
    assert (beside(many[0]), alerting(many[0])) == (["analysis"], [])
    assert (beside(many[1]), alerting(many[1])) == (["alerting"], [])
    assert (beside(*many), alerting(*many)) == ([], [])
    image = 'models.source="image"'
    assert (beside(image), alerting(image)) == (["alerting"], [])
    assert alerting(none) == []
    wished = affinity(chart, "StatefulSet", "alerting", many[1])["podAffinity"][preferred]
    assert components(wished) == {"operator"}
    for sets in (many, (none,)):
        assert affinity(chart, "StatefulSet", "alerting", *sets) is None


def test_it_can_be_switched_off(chart: Any):
    for each in chart.render("services.operator.enabled=false"):
        assert "operator" not in each["metadata"]["name"]
