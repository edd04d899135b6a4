"""job-*.yaml and volumes.yaml: topics and tables first, models once."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = pytest.mark.service

HELM_WAITS_S = 300  # for each hook, unless it is told otherwise
JOBS = [("topics", "alerting"), ("migrations", "alerting"), ("models", "analysis")]


def annotations(resource: dict[str, Any]) -> dict[str, str]:
    return dict(resource["metadata"]["annotations"])


def test_topics_and_tables_come_before_services(chart: Any):
    config = ["--config", "/etc/openlfr/CONFIG.yaml"]
    for name, command in (
        ("topics", ["openlfr", "topics", "apply", *config]),
        ("migrations", ["openlfr", "records", "upgrade", *config]),
    ):
        job = chart.get("Job", name)
        assert chart.container(job)["command"] == command
        assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"


def test_a_hook_needs_nothing_that_the_release_has_yet_to_make(chart: Any):
    for name in ("topics", "migrations"):
        pod = chart.get("Job", name)["spec"]["template"]["spec"]
        assert {kind for volume in pod["volumes"] for kind in volume} == {
            *("name", "emptyDir", "projected")
        }
        before = [
            chart.get("ServiceAccount", pod["serviceAccountName"].removeprefix("openlfr-")),
            chart.get("NetworkPolicy", name),
        ]
        weight = int(annotations(chart.get("Job", name))["helm.sh/hook-weight"])
        for each in before:
            assert annotations(each)["helm.sh/hook"] == "pre-install,pre-upgrade"
            assert int(annotations(each)["helm.sh/hook-weight"]) < weight


def test_topics_wait_for_a_kafka_that_comes_with_the_release(chart: Any):
    """A hook before the release would wait for a Kafka that only the release makes."""
    job = chart.job("topics", values="small")
    assert "annotations" not in job["metadata"]
    assert "openlfr-topics" in chart.secrets(job)
    for kind in ("NetworkPolicy", "ServiceAccount"):
        assert "annotations" not in chart.get(kind, "topics", values="small")["metadata"]
    # Its rights may come after its broker: it tries again where those of a hook would be wrong.
    assert "FailJob" not in str(job["spec"]["podFailurePolicy"])
    assert job["spec"]["activeDeadlineSeconds"] == 1800


def test_what_no_further_try_mends_fails_at_once(chart: Any):
    """Codes 1 and 2 of `openlfr`; 3 is a server that is not there yet."""
    for name in ("topics", "migrations"):
        job = chart.get("Job", name)
        assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"
        (rule,) = [r for r in job["spec"]["podFailurePolicy"]["rules"] if r["action"] == "FailJob"]
        assert rule["onExitCodes"] == {"operator": "In", "values": [1, 2]}
        assert chart.container(job)["terminationMessagePolicy"] == "FallbackToLogsOnError"
        assert annotations(job)["helm.sh/hook-output-log-policy"] == "hook-failed"


def test_a_hook_fails_by_itself_before_helm_gives_up(chart: Any):
    for name in ("topics", "migrations"):
        assert chart.get("Job", name)["spec"]["activeDeadlineSeconds"] < HELM_WAITS_S


@pytest.mark.parametrize(("name", "service"), JOBS)
def test_a_job_runs_the_image_of_a_service(chart: Any, name: str, service: str):
    for sets in (
        [],
        [f'services.{service}.image.tag="0.1.1"'],
        [f'services.{service}.image.digest="sha256:{"0" * 64}"'],
        ["services.analysis.gpu.count=1"],
    ):
        image = chart.container(chart.get("StatefulSet", service, *sets))["image"]
        assert chart.container(chart.job(name, *sets))["image"] == image


@pytest.mark.parametrize(("name", "service"), JOBS)
def test_a_job_is_placed_as_services_are_unless_it_is_said(chart: Any, name: str, service: str):
    placed = {
        "nodeSelector": {"disk": "fast"},
        "tolerations": [{"key": "lfr", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
    }
    for of in ("serviceDefaults", "jobs"):
        sets = [f"{of}.{key}={json.dumps(value)}" for key, value in placed.items()]
        sets += [f'{of}.podLabels={{"team":"city"}}', f'{of}.podAnnotations={{"note":"x"}}']
        pod = chart.job(name, *sets)["spec"]["template"]
        assert {key: pod["spec"][key] for key in placed} == placed
        assert pod["metadata"]["labels"]["team"] == "city"
        assert pod["metadata"]["annotations"] == {"note": "x"}


def test_an_account_of_yours_takes_the_place_of_the_jobs_own(chart: Any):
    sets = ('jobs.serviceAccount="lfr-jobs"',)
    assert chart.names("ServiceAccount", *sets) == {"ingest", "analysis", "alerting", "operator"}
    for name, _ in JOBS:
        spec = chart.job(name, *sets)["spec"]["template"]["spec"]
        assert spec["serviceAccountName"] == "lfr-jobs"


@pytest.mark.parametrize(("name", "values"), [("models", "minimal"), ("topics", "small")])
def test_a_job_beside_the_release_is_another_only_where_it_does_something_else(
    chart: Any, name: str, values: str
):
    """A Job cannot be changed, and Argo CD renders every revision as the first."""
    job = chart.job(name, values=values)
    same = chart.job(name, 'services.ingest.env={"LEVEL":"3"}', values=values)
    other = chart.job(name, 'image.tag="0.1.1"', values=values)
    assert same == job
    assert other["metadata"]["name"] != job["metadata"]["name"]
    assert "ttlSecondsAfterFinished" not in job["spec"]  # Argo CD would run it again for ever


def test_models_go_where_they_are_read_if_one_node_alone_mounts_them(chart: Any):
    def affinity(*sets: str) -> Any:
        return chart.job("models", *sets)["spec"]["template"]["spec"].get("affinity")

    (term,) = affinity()["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    worker = chart.get("StatefulSet", "analysis")["spec"]["template"]["metadata"]["labels"]
    assert term["labelSelector"]["matchLabels"].items() <= worker.items()
    assert affinity('models.volume.accessMode="ReadWriteMany"') is None
    assert affinity("services.analysis.enabled=false") is None


def test_a_job_sees_its_own_secrets_alone(chart: Any):
    assert set(chart.secrets(chart.get("Job", "topics"))) == {
        *("openlfr-config", "openlfr-kafka-topics")
    }
    assert set(chart.secrets(chart.get("Job", "migrations"))) == {"openlfr-config", "openlfr-sql"}


def test_models_are_fetched_once_into_a_volume_that_workers_only_read(chart: Any):
    job = chart.container(chart.job("models"))
    assert job["command"] == ["openlfr", "models", "install"]
    (written,) = [x for x in job["volumeMounts"] if x["name"] == "models"]
    assert "readOnly" not in written
    worker = chart.container(chart.get("StatefulSet", "analysis"))
    (read,) = [x for x in worker["volumeMounts"] if x["name"] == "models"]
    assert read["readOnly"] is True
    assert read["mountPath"] == written["mountPath"] == "/models"


def test_models_in_the_image_need_neither_job_nor_volume(chart: Any):
    assert chart.names("Job", 'models.source="image"') == {"topics", "migrations"}
    assert chart.names("PersistentVolumeClaim", 'models.source="image"') == {"evidence"}


def test_claims_of_yours_are_used(chart: Any):
    sets = ('models.volume.existingClaim="my-models"', 'evidence.volume.existingClaim="my-vault"')
    assert chart.names("PersistentVolumeClaim", *sets) == set()
    pod = chart.get("StatefulSet", "alerting", *sets)["spec"]["template"]["spec"]
    claims = [x["persistentVolumeClaim"] for x in pod["volumes"] if "persistentVolumeClaim" in x]
    assert claims == [{"claimName": "my-vault"}]


def test_jobs_can_be_left_to_people(chart: Any):
    off = ("jobs.topics=false", "jobs.migrations=false", "models.install=false")
    assert chart.names("Job", *off) == set()
