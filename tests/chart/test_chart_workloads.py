"""workloads.yaml: every service from one template, each with what it needs and no more."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from openlfr.adapters.faust.progress import STUCK_S
from openlfr.adapters.kubernetes import ACCOUNT
from openlfr.settings.topics import Topics

pytestmark = pytest.mark.service

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("kind", "name", "target"),
    [
        ("Deployment", "ingest", "ingest"),
        ("StatefulSet", "analysis", "analysis-cpu"),
        ("StatefulSet", "alerting", "alerting"),
    ],
)
def test_each_service_runs_its_image_and_command(chart: Any, kind: str, name: str, target: str):
    container = chart.container(chart.get(kind, name))
    assert container["image"] == f"openlfr-{target}:0.1.0"
    config = ["--config", "/etc/openlfr/CONFIG.yaml"]
    assert container["command"] == ["openlfr", "service", name, *config]


def test_every_image_is_a_target_of_the_dockerfile(chart: Any):
    text = (ROOT / "deploy/docker/Dockerfile").read_text()
    targets = set(re.findall(r"^FROM \S+ AS (\S+)", text, re.MULTILINE))
    images = {
        chart.container(each)["image"]
        for sets in ((), ("services.analysis.gpu.count=1",))
        for each in chart.render(*sets)
        if each["kind"] in {"Deployment", "StatefulSet", "Job"}
    }
    assert {re.sub(r"openlfr-(.*):.*", r"\1", image) for image in images} <= targets
    assert "openlfr-analysis-gpu:0.1.0" in images


def test_images_by_registry_and_digest(chart: Any):
    digest = "sha256:" + "0" * 64
    sets = (
        'image.registry="registry.example.org/lfr/"',
        f'services.ingest.image.digest="{digest}"',
    )
    image = chart.container(chart.get("Deployment", "ingest", *sets))["image"]
    assert image == f"registry.example.org/lfr/openlfr-ingest@{digest}"


def test_a_gpu_is_asked_for_beside_what_else_is_limited(chart: Any):
    sets = ("services.analysis.gpu.count=2", 'services.analysis.gpu.runtimeClass="nvidia"')
    analysis = chart.get("StatefulSet", "analysis", *sets)
    limits = chart.container(analysis)["resources"]["limits"]
    assert limits == {"memory": "4Gi", "nvidia.com/gpu": 2}
    assert analysis["spec"]["template"]["spec"]["runtimeClassName"] == "nvidia"


@pytest.mark.parametrize("name", ["analysis", "alerting"])
def test_a_stateful_worker_is_a_static_member_until_its_session_is_over(chart: Any, name: str):
    workload = chart.get("StatefulSet", name)
    container = chart.container(workload)
    (instance,) = [x for x in container["env"] if x["name"] == "OPENLFR_INSTANCE_ID"]
    assert instance["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    assert chart.environment(workload)["OPENLFR_SESSION_SECONDS"] == "45"
    sets = (f"services.{name}.kafka.sessionSeconds=20",)
    workload = chart.get("StatefulSet", name, *sets)
    assert chart.environment(workload)["OPENLFR_SESSION_SECONDS"] == "20"


ASKS = ('networkPolicy.apiServer.cidrs=["10.0.0.1/32"]',)


@pytest.mark.parametrize("sets", [ASKS, ("networkPolicy.enabled=false",)])
@pytest.mark.parametrize("name", ["analysis", "alerting"])
def test_a_pod_that_reaches_the_api_server_leaves_its_group_if_it_is_not_to_come_back(
    chart: Any, name: str, sets: tuple[str, ...]
):
    workload = chart.get("StatefulSet", name, *sets)
    container = chart.container(workload)
    leave = container["lifecycle"]["preStop"]["exec"]["command"]
    own = workload["metadata"]["name"]
    assert leave[:5] == ["openlfr", "service", name, "--leave-if-removed", own]
    spec = workload["spec"]["template"]["spec"]
    assert spec["automountServiceAccountToken"] is False
    (volume,) = [each for each in spec["volumes"] if each["name"] == "account"]
    given = [next(iter(each)) for each in volume["projected"]["sources"]]
    assert given == ["serviceAccountToken", "configMap", "downwardAPI"]
    (mount,) = [each for each in container["volumeMounts"] if each["name"] == "account"]
    assert mount["mountPath"] == str(ACCOUNT)
    assert mount["readOnly"] is True
    role, binding = (chart.get(kind, name, *sets) for kind in ("Role", "RoleBinding"))
    assert role["rules"] == [
        {"apiGroups": ["apps"], "resources": ["statefulsets"], "resourceNames": [own],
         "verbs": ["get"]}
    ]  # fmt: skip
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    (subject,) = binding["subjects"]
    assert (subject["kind"], subject["name"]) == ("ServiceAccount", spec["serviceAccountName"])


def test_where_the_api_server_is_not_named_no_pod_has_a_token_or_a_right(chart: Any):
    assert chart.names("Role") == chart.names("RoleBinding") == set()
    for each in chart.render():
        if each["kind"] in {"Deployment", "StatefulSet", "Job"}:
            assert "lifecycle" not in chart.container(each)
            volumes = each["spec"]["template"]["spec"]["volumes"]
            assert "account" not in {volume["name"] for volume in volumes}


def test_who_keeps_no_name_asks_nobody(chart: Any):
    """Ingest, the operator's pod and Jobs; analysis where it is a Deployment."""
    assert chart.names("Role", *ASKS) == {"analysis", "alerting"}
    sets = ('services.analysis.kind="Deployment"', *ASKS)
    assert chart.names("Role", *sets) == {"alerting"}
    assert "lifecycle" not in chart.container(chart.get("Deployment", "analysis", *sets))


def test_a_deployment_is_no_static_member(chart: Any):
    """Its pods' names never come back: each would block its partitions for a session timeout."""
    sets = ('services.analysis.kind="Deployment"',)
    analysis = chart.get("Deployment", "analysis", *sets)
    assert "OPENLFR_INSTANCE_ID" not in chart.environment(analysis)
    assert "lifecycle" not in chart.container(analysis)


def test_probes(chart: Any):
    container = chart.container(chart.get("StatefulSet", "analysis"))
    paths = {
        probe: container[probe]["httpGet"]["path"]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe")
    }
    assert paths == {
        "startupProbe": "/health/live",
        "livenessProbe": "/health/live",
        "readinessProbe": "/health/ready",
    }
    start = container["startupProbe"]
    assert start["periodSeconds"] * start["failureThreshold"] == 120


@pytest.mark.parametrize(
    ("kind", "name", "found"),
    [
        (
            "Deployment",
            "ingest",
            {"openlfr-config", "openlfr-kafka-ingest", "openlfr-redis", "openlfr-vault"},
        ),
        (
            "StatefulSet",
            "analysis",
            {"openlfr-config", "openlfr-kafka-analysis", "openlfr-milvus", "openlfr-vault"},
        ),
        (
            "StatefulSet",
            "alerting",
            {
                *("openlfr-config", "openlfr-kafka-alerting", "openlfr-redis", "openlfr-sql"),
                *("openlfr-milvus", "openlfr-vault"),
            },
        ),
    ],
)
def test_a_service_reads_its_own_secrets_and_no_others(
    chart: Any, kind: str, name: str, found: set[str]
):
    assert set(chart.secrets(chart.get(kind, name))) == found


def test_every_file_that_the_environment_names_is_mounted(chart: Any):
    for values in ("minimal", "small", "city"):
        for each in chart.render(values=values):
            if each["kind"] not in {"Deployment", "StatefulSet", "Job"}:
                continue
            named = {
                value.removeprefix("/etc/openlfr/")
                for name, value in chart.environment(each).items()
                if name.endswith("_FILE")
            }
            mounted = {path for paths in chart.secrets(each).values() for path in paths}
            assert mounted - named <= {"CONFIG.yaml"}
            assert named <= mounted


def test_no_environment_holds_a_secret(chart: Any):
    for each in chart.render(values="city"):
        if each["kind"] in {"Deployment", "StatefulSet", "Job"}:
            container = chart.container(each)
            assert "envFrom" not in container
            assert "secretKeyRef" not in json.dumps(container["env"])


def test_a_config_without_camera_passwords_for_analysis(chart: Any):
    found = chart.secrets(chart.get("StatefulSet", "analysis", values="city"))
    assert "openlfr-config-without-camera-passwords" in found
    assert "openlfr-config" not in found


def test_topics_are_told_as_the_configuration_writes_them(chart: Any):
    for values in ("minimal", "small", "city"):
        ingest = chart.get("Deployment", "ingest", values=values)
        told = Topics.model_validate(json.loads(chart.environment(ingest)["OPENLFR_TOPICS"]))
        frames = next(topic for topic in told.plan if topic.name == "frames.v1")
        assert frames.partitions == {"minimal": 12, "small": 4, "city": 120}[values]
        assert frames.replicas == {"minimal": 2, "small": 1, "city": 2}[values]


def test_frames_are_kept_as_long_as_a_new_worker_needs_where_every_one_counts(chart: Any):
    def retention(*sets: str) -> int:
        given = chart.environment(chart.get("StatefulSet", "analysis", *sets))["OPENLFR_TOPICS"]
        plan = Topics.model_validate(json.loads(given)).plan
        frames = next(topic for topic in plan if topic.name == "frames.v1")
        return int(frames.configs["retention.ms"])

    longer = 'topics.framesRetention="5m"', 'topics.framesTransit="10m"'
    assert retention(*longer) == 300_000 > retention()


def test_replicas_are_left_to_keda_where_it_scales(chart: Any):
    assert "replicas" not in chart.get("StatefulSet", "analysis", values="city")["spec"]
    assert chart.get("StatefulSet", "alerting", values="city")["spec"]["replicas"] == 2


def test_a_service_that_is_off_leaves_nothing_behind(chart: Any):
    left = [
        each["metadata"]["name"]
        for each in chart.render("services.ingest.enabled=false")
        if "ingest" in each["metadata"]["name"]
    ]
    assert left == []


def test_defaults_reach_every_service_and_falsy_values_override_them(chart: Any):
    sets = ("serviceDefaults.autoscaling.busy=0.5", "serviceDefaults.terminationSeconds=90")
    for kind, name in (("Deployment", "ingest"), ("StatefulSet", "alerting")):
        pod = chart.get(kind, name, *sets)["spec"]["template"]["spec"]
        assert pod["terminationGracePeriodSeconds"] == 90
    off = ("serviceDefaults.models=true", "services.alerting.models=false")
    assert "OPENLFR_MODELS" not in chart.environment(chart.get("StatefulSet", "alerting", *off))


def test_each_has_a_headless_service_an_account_and_a_budget(chart: Any):
    wanted = {"ingest", "analysis", "alerting"}
    assert chart.names("Service") == wanted
    assert chart.names("PodDisruptionBudget") == wanted | {"operator"}
    jobs = {"topics", "migrations", "models"}
    assert chart.names("ServiceAccount") == wanted | {"operator"} | jobs
    assert chart.get("Service", "analysis")["spec"]["clusterIP"] == "None"
    assert chart.get("ServiceAccount", "analysis")["automountServiceAccountToken"] is False
    budget = chart.get("PodDisruptionBudget", "analysis")["spec"]
    assert budget["maxUnavailable"] == 1
    pods = chart.get("StatefulSet", "analysis")["spec"]["template"]["metadata"]["labels"]
    assert budget["selector"]["matchLabels"].items() <= pods.items()


def test_each_reaches_a_store_by_its_own_user_and_secret(chart: Any):
    sets = (
        'services.ingest.redis={"user":"films","secret":"redis-ingest"}',
        'services.alerting.sql={"user":"tells","secret":"sql-alerting"}',
        'services.operator.sql={"user":"acts","secret":"sql-operator"}',
        'services.analysis.milvus.secret="milvus-analysis"',
        'jobs.sql={"user":"owns","secret":"sql-owner"}',
        'sql.url="postgresql+psycopg://db.example.org/lfr?sslmode=require"',
        'sql.secret.name=""',
    )
    ingest = chart.get("Deployment", "ingest", *sets)
    alerting = chart.get("StatefulSet", "alerting", *sets)
    migrations = chart.get("Job", "migrations", *sets)
    analysis = chart.get("StatefulSet", "analysis", *sets)
    assert chart.environment(ingest)["OPENLFR_REDIS_URL"] == "redis://films@redis:6379/0"
    assert chart.environment(alerting)["OPENLFR_REDIS_URL"] == "redis://redis:6379/0"
    database = "db.example.org/lfr?sslmode=require"
    for workload, user in ((alerting, "tells"), (migrations, "owns")):
        url = chart.environment(workload)["OPENLFR_SQL_URL"]
        assert url == f"postgresql+psycopg://{user}@{database}"
    for workload, name, secret in (
        (ingest, "redis", "redis-ingest"),
        (alerting, "redis", "openlfr-redis"),
        (alerting, "milvus", "openlfr-milvus"),
        (alerting, "sql", "sql-alerting"),
        (analysis, "milvus", "milvus-analysis"),
        (migrations, "sql", "sql-owner"),
    ):
        assert chart.secrets(workload)[secret] == {f"{name}/password"}


def test_a_pod_with_a_gpu_refuses_to_run_without(chart: Any):
    on = chart.environment(chart.get("StatefulSet", "analysis", "services.analysis.gpu.count=1"))
    assert on["OPENLFR_PROVIDERS"] == "gpu"
    assert on["OPENLFR_ENGINES"].startswith("/tmp/")  # which it may write
    off = chart.environment(chart.get("StatefulSet", "analysis"))
    assert not {"OPENLFR_PROVIDERS", "OPENLFR_ENGINES"} & set(off)


def test_no_container_is_the_first_process_of_its_pod(chart: Any):
    """The kernel keeps signals from a first process until it handles them."""
    pods = [
        each["spec"]["template"]["spec"]
        for each in chart.render()
        if each["kind"] in ("Deployment", "StatefulSet", "Job")
    ]
    assert len(pods) == 7
    assert all(pod["shareProcessNamespace"] for pod in pods)


def test_a_worker_that_does_not_get_on_is_restarted_when_it_is_said_to_be(chart: Any):
    text = (ROOT / "docs/operations.md").read_text()
    for name in ("analysis", "alerting"):
        probe = chart.container(chart.get("StatefulSet", name))["livenessProbe"]
        after = round(STUCK_S) + probe["periodSeconds"] * probe["failureThreshold"]
        assert f"{after} s after its last progress" in text
