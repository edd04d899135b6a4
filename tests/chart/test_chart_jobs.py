"""job-*.yaml and volumes.yaml: topics and tables first, models once."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.service


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
        assert "serviceAccountName" not in pod
        assert {kind for volume in pod["volumes"] for kind in volume} == {
            *("name", "emptyDir", "projected")
        }


def test_topics_wait_for_a_kafka_that_comes_with_the_release(chart: Any):
    """A hook before the release would wait for a Kafka that only the release makes."""
    job = chart.get("Job", "topics-1", values="small")
    assert "annotations" not in job["metadata"]
    assert "openlfr-topics" in chart.secrets(job)


def test_a_job_sees_its_own_secrets_alone(chart: Any):
    assert set(chart.secrets(chart.get("Job", "topics"))) == {
        *("openlfr-config", "openlfr-kafka-topics")
    }
    assert set(chart.secrets(chart.get("Job", "migrations"))) == {"openlfr-config", "openlfr-sql"}


def test_models_are_fetched_once_into_a_volume_that_workers_only_read(chart: Any):
    job = chart.container(chart.get("Job", "models-1"))
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
