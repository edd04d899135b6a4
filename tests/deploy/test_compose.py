"""deploy/compose.yaml is a compose file, says what our program takes, and keeps its promises.

No container engine is needed: the file is loaded by the library that docker compose loads it with,
and each command and variable goes to the program itself.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import tempfile
from datetime import timedelta
from pathlib import Path

import click
import pytest
from dev_servers import kafka as kafka_server
from dev_servers.process import answers, end, free_port, need, spawn, wait
from dev_tools import go

from awaiting import PATIENCE_S
from openlfr import cli, settings
from openlfr.adapters.kafka.admin import open_topics
from openlfr.settings.process import Process
from openlfr.settings.variables import KEYS_BY_VARIABLE

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "deploy/compose.yaml"
SERVERS = {"kafka", "redis", "sql", "milvus"}
JOBS = {"topics", "records", "models"}
WORKERS = {"ingest", "analysis", "alerting"}
OURS = JOBS | WORKERS | {"operator"}
OF_PROCESSES = {"OPENLFR_MODELS", "OPENLFR_INSTANCE_ID"}

pytestmark = [pytest.mark.service, pytest.mark.timeout(1200)]

CONFIG = """\
data_dir: /var/lib/openlfr
deployment:
  name: market
  purpose: test
  place: here
  legal_basis: "a court, 12 November 2026"
  authorised_by: B. Officer
  starts: 2026-11-23T00:00:00Z
  ends: 2026-11-24T00:00:00Z
cameras:
  gate: {url: "rtsp://10.0.0.7/main", fps: 5}
"""


@pytest.fixture(scope="module")
def loader(tmp_path_factory):
    program = tmp_path_factory.mktemp("compose") / "check-compose"
    go.build(Path(__file__).parent / "compose", program)
    return program


@pytest.fixture(scope="module")
def secrets(tmp_path_factory):
    """What scripts/compose-secrets makes."""
    folder = tmp_path_factory.mktemp("secrets")
    make(folder / "made", folder / "CONFIG.yaml")
    return folder / "made"


def make(secrets, config, text=CONFIG, script=ROOT / "scripts/compose-secrets"):
    config.write_text(text)
    return subprocess.run(
        [script, config], capture_output=True, text=True, check=False,
        env={**os.environ, "OPENLFR_SECRETS": str(secrets)},
    )  # fmt: skip


def test_the_secrets_are_made_again_by_a_user_who_is_not_root():
    """Files that nobody may write to, and a CONFIG.yaml that has changed since.

    The script and its files are copied beside them: the folders of tests are for root alone, and
    perhaps this checkout's is.
    """
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        root, made, config = Path(folder), Path(folder, "made"), Path(folder, "CONFIG.yaml")
        script = root / "scripts/compose-secrets"
        script.parent.mkdir()
        shutil.copy(ROOT / "scripts/compose-secrets", script)
        shutil.copytree(ROOT / "deploy/compose", root / "deploy/compose")
        assert make(made, config, script=script).returncode == 0
        config.write_text(CONFIG + "# changed\n")
        user = ["setpriv", "--reuid=65534", "--clear-groups"] if os.geteuid() == 0 else []
        if user:
            for path in (root, *root.rglob("*")):
                os.chown(path, 65534, -1)
        done = subprocess.run(
            [*user, script, config], capture_output=True, text=True, check=False,
            env={**os.environ, "OPENLFR_SECRETS": str(made)}, cwd="/",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert (made / "CONFIG.yaml").read_text().endswith("# changed\n")


def load(loader, file, **environment):
    return subprocess.run(
        [loader, file], capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], **environment},
    )  # fmt: skip


@pytest.fixture(scope="module")
def project(loader, secrets):
    done = load(loader, FILE, OPENLFR_SECRETS=str(secrets))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_is_all_there(project):
    assert set(project["services"]) == SERVERS | OURS
    assert {"data", "models", *SERVERS} == set(project["volumes"])


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("restart: unless-stopped", "restarts: unless-stopped", "restarts"),
        ("secrets: [sql]", "secrets: [postgresql]", "postgresql"),
        ("volumes: [redis:/data]", "volumes: [reddis:/data]", "reddis"),
        ("kafka: {condition: service_healthy}", "kafka: {condition: healthy}", "condition"),
        ("      kafka: {condition: service_healthy}", "      broker: {condition: service_healthy}",
         "broker"),
        ("    interval: 10s", "    interval: often", "often"),
    ],
)  # fmt: skip
def test_what_docker_compose_would_refuse_is_seen_here(loader, tmp_path, before, after, reason):
    text = FILE.read_text()
    assert before in text
    broken = tmp_path / "compose.yaml"
    broken.write_text(text.replace(before, after, 1))
    done = load(loader, broken)
    assert done.returncode == 1
    assert reason in done.stderr


def environment_of(project, name, secrets):
    """A container's variables; files of secrets are those that lie here."""
    mounted = {}
    for each in project["services"][name].get("secrets", []):
        target = each.get("target") or each["source"]
        place = target if target.startswith("/") else f"/run/secrets/{target}"
        mounted[place] = project["secrets"][each["source"]]["file"]
    given = project["services"][name].get("environment") or {}
    for variable, value in given.items():
        if variable.endswith("_FILE"):
            assert value in mounted, f"{name}: {variable} names what is not mounted"
    assert "/etc/openlfr/CONFIG.yaml" in mounted or name not in OURS - {"models"}
    return {key: mounted.get(value, value) for key, value in given.items()}


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_variable_is_one_that_the_program_reads(project, secrets, name):
    environment = environment_of(project, name, secrets)
    assert set(environment) <= set(KEYS_BY_VARIABLE) | OF_PROCESSES
    if name == "models":
        return
    read = settings.load(secrets / "CONFIG.yaml", environment)
    for server in SERVERS:
        configured = getattr(read.services, server)
        assert (configured is not None) == (f"OPENLFR_{server}_URL".upper() in environment)
        if configured is not None:
            configured.check_secrets()
    Process.read(name, environment)


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_command_is_one_that_the_program_takes(project, name):
    words = project["services"][name]["command"]
    context = click.Context(cli.cli, info_name="openlfr")
    command = cli.cli
    while isinstance(command, click.Group):
        found, command, words = command.resolve_command(context, list(words))
        context = click.Context(command, parent=context, info_name=found)
    command.make_context(context.info_name, list(words), parent=context.parent)


def test_who_uses_a_server_waits_until_it_is_well(project):
    for name in OURS - {"models"}:
        service = project["services"][name]
        used = {each for each in SERVERS if f"OPENLFR_{each}_URL".upper() in service["environment"]}
        waits = {key: value["condition"] for key, value in service["depends_on"].items()}
        assert {key for key, value in waits.items() if value == "service_healthy"} == used, name
        for other, condition in waits.items():
            assert (condition == "service_completed_successfully") == (other in JOBS), name
            if condition == "service_healthy":
                assert project["services"][other]["healthcheck"]["test"]
    for name, job in (("ingest", "topics"), ("alerting", "records"), ("analysis", "models")):
        assert job in project["services"][name]["depends_on"]


def test_nothing_is_reached_from_another_machine(project):
    for name, service in project["services"].items():
        for port in service.get("ports", []):
            assert port["host_ip"] == "127.0.0.1", name
        assert service.get("network_mode") != "host"
        assert not service.get("privileged")
    published = {name for name, each in project["services"].items() if each.get("ports")}
    assert published == {"kafka", *WORKERS}


def test_what_must_survive_is_in_a_volume_and_is_told_to_stop_in_time(project):
    kept = {
        "kafka": "/var/lib/kafka/data", "redis": "/data", "sql": "/var/lib/postgresql/data",
        "milvus": "/var/lib/milvus", "alerting": "/var/lib/openlfr",
        "analysis": "/var/lib/openlfr", "operator": "/var/lib/openlfr", "models": "/models",
    }  # fmt: skip
    for name, place in kept.items():
        volumes = {v["target"]: v for v in project["services"][name]["volumes"]}
        assert volumes[place]["type"] == "volume", name
    for name in SERVERS | WORKERS:
        assert project["services"][name]["restart"] == "unless-stopped", name
        assert project["services"][name]["healthcheck"]["test"], name
    for name in JOBS:
        assert not project["services"][name].get("restart"), name


def test_images_are_pinned_and_ours_are_built_by_the_dockerfile(project):
    stages = re.findall(
        r"^FROM .* AS (\S+)$", (ROOT / "deploy/docker/Dockerfile").read_text(), re.M
    )
    for name, service in project["services"].items():
        image, _, tag = service["image"].rpartition(":")
        assert re.search(r"\d+\.\d+(\.\d+)?", tag), name
        if name in OURS:
            assert service["build"]["target"] in stages
            assert image == f"openlfr-{service['build']['target']}"
            assert (Path(service["build"]["context"]) / service["build"]["dockerfile"]).exists()
            assert service["user"] == "10001:10001"
            assert service["read_only"]
            assert service["cap_drop"] == ["ALL"]
            assert service["init"]


def test_the_same_kafka_as_in_the_tests(project):
    assert project["services"]["kafka"]["image"] == f"apache/kafka:{kafka_server.VERSION}"


def test_no_secret_is_in_clear(project, secrets):
    passwords = [(secrets / name).read_text().strip() for name in ("kafka", "redis", "sql")]
    passwords.append((secrets / "milvus").read_text().strip().removeprefix("root:"))
    assert len(set(passwords)) == 4
    assert all(len(each) == 48 for each in passwords)
    shown = json.dumps(project)
    assert not any(each in shown for each in passwords)
    for service in project["services"].values():
        for variable in service.get("environment") or {}:
            assert not re.search(r"PASSWORD$|TOKEN$|SECRET$", variable)


def test_each_container_sees_the_secrets_that_it_needs(project):
    seen = {
        name: {each["source"] for each in service.get("secrets", [])} - {"config"}
        for name, service in project["services"].items()
    }
    assert seen["analysis"] == {"kafka", "milvus"}
    assert seen["ingest"] == {"kafka", "redis"}
    assert seen["models"] == set()
    assert seen["sql"] == {"sql"}


def test_secrets_are_made_once_and_nobody_else_may_enter(tmp_path):
    folder, config = tmp_path / "made", tmp_path / "CONFIG.yaml"
    assert make(folder, config).returncode == 0
    before = {file.name: file.read_text() for file in folder.iterdir()}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o444}
    assert "@PASSWORD@" not in "".join(before.values())
    again = CONFIG.replace("gate", "yard")
    assert make(folder, config, again).returncode == 0
    after = {file.name: file.read_text() for file in folder.iterdir()}
    assert after == before | {"CONFIG.yaml": again}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (CONFIG.replace("/var/lib/openlfr", "data"), "set data_dir: /var/lib/openlfr"),
        (CONFIG + "services: {redis: redis://r}\n", "delete the blocks services and topics"),
    ],
)
def test_a_configuration_that_would_not_run_there_is_refused(tmp_path, text, reason):
    done = make(tmp_path / "made", tmp_path / "CONFIG.yaml", text)
    assert done.returncode == 2
    assert reason in done.stderr
    assert not (tmp_path / "made").exists()


def test_kafka_starts_from_its_file_and_our_topics_go_there(project, secrets, tmp_path):
    """The broker's own file, with other ports and folder; then topics, as the Job applies them."""
    inside, outside, broker, controller = (free_port() for _ in range(4))
    text = (secrets / "kafka.properties").read_text()
    ports = {"9092": inside, "9093": controller, "9094": broker, "9095": outside}
    text = re.sub(r"\b909[2-5]\b", lambda found: str(ports[found[0]]), text)
    text = text.replace("kafka:", "127.0.0.1:").replace("://:", "://127.0.0.1:")
    properties = tmp_path / "server.properties"
    properties.write_text(text.replace("/var/lib/kafka/data", str(tmp_path / "log")))
    formatted = subprocess.run(
        [*kafka_server.java(), "kafka.tools.StorageTool", "format", "-t", "5L6g3nShT-eMCtK--X86sw",
         "-c", properties], capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert formatted.returncode == 0, formatted.stderr
    server = spawn(tmp_path, [*kafka_server.java(), "kafka.Kafka", str(properties)])
    try:
        wait("Kafka", tmp_path, server, lambda: answers(inside))
        environment = environment_of(project, "topics", secrets)
        for port in (inside, outside):
            environment["OPENLFR_KAFKA_URL"] = f"kafka://127.0.0.1:{port}"
            read = settings.load(secrets / "CONFIG.yaml", environment)
            topics = open_topics(read.services.kafka.access, timeout=timedelta(seconds=PATIENCE_S))
            wanted = read.topics.plan
            topics.apply(wanted)
            assert topics.find_differences(wanted) == []
            assert topics.read_transit_bound(wanted).total.total_seconds() == 60
            topics.close()
    finally:
        end(server.pid)
        server.wait()


def test_redis_starts_from_its_file_and_asks_for_the_password(secrets, tmp_path):
    port = free_port()
    text = (secrets / "redis.conf").read_text().replace("dir /data", f"dir {tmp_path}")
    (tmp_path / "redis.conf").write_text(f"{text}port {port}\nbind 127.0.0.1\n")
    server = spawn(tmp_path, [need("redis-server", "redis-server"), str(tmp_path / "redis.conf")])
    try:
        wait("Redis", tmp_path, server, lambda: answers(port))
        import redis

        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=port).ping()
        password = (secrets / "redis").read_text().strip()
        with redis.Redis(port=port, password=password) as client:
            assert client.ping()
            assert client.config_get("appendonly") == {b"appendonly": b"yes"} or client.config_get(
                "appendonly"
            ) == {"appendonly": "yes"}
    finally:
        end(server.pid)
        server.wait()


def test_without_the_secrets_folder_the_file_is_still_one(loader):
    assert load(loader, FILE).returncode == 0
