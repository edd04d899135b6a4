"""Who asks for a GPU gets one, or exit code 2 and a sentence: never the CPU in silence."""

from __future__ import annotations

import pytest

from openlfr import settings
from openlfr.adapters.models import onnx
from openlfr.adapters.telemetry.metrics import Metrics
from openlfr.cli import main
from openlfr.cli.doctor_checks import check_models
from openlfr.cli.doctor_findings import State
from openlfr.domain.errors import Misconfigured
from openlfr_analysis import metrics as service_metrics

CONFIG = """\
data_dir: data
deployment:
  name: market
  purpose: test
  place: here
  legal_basis: "a court, 12 November 2026"
  authorised_by: B. Officer
  starts: 2026-11-23T00:00:00Z
  ends: 2026-11-24T00:00:00Z
cameras:
  gate: {url: "rtsp://127.0.0.1:9/main"}
services: {kafka: "kafka://127.0.0.1:9"}
"""
CUDA, CPU = onnx.CUDA, onnx.CPU


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "CONFIG.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture
def built_for_cuda(monkeypatch):
    """A runtime that was built for CUDA, on a machine without it."""
    monkeypatch.setattr(onnx, "available_providers", lambda: [CUDA, CPU])
    monkeypatch.setattr(onnx, "starts", lambda name: name == CPU)


def test_a_worker_without_its_configured_gpu_ends_at_once(config, monkeypatch, capsys):
    """Before it looks for Kafka, which is not here either."""
    monkeypatch.setenv("OPENLFR_PROVIDERS", "gpu")
    assert main(["service", "analysis", "--config", str(config)]) == 2
    setting = capsys.readouterr().err.strip().splitlines()[-1]
    assert "models.providers requires a GPU" in setting
    assert "built only for cpu" in setting
    assert "or choose auto" in setting


@pytest.mark.usefixtures("built_for_cuda")
def test_a_missing_driver_is_named(config, monkeypatch, capsys):
    monkeypatch.setenv("OPENLFR_PROVIDERS", "gpu")
    assert main(["service", "analysis", "--config", str(config)]) == 2
    assert "driver (580 or newer, for CUDA 13)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("setting", "read"),
    [
        ("gpu", "gpu"),
        ("auto", "auto"),
        ("cuda", ("cuda",)),
        ("tensorrt, cuda", ("tensorrt", "cuda")),
        ("", "auto"),
    ],
)
def test_the_variable_overrides_the_key(config, setting, read):
    assert settings.load(config, {"OPENLFR_PROVIDERS": setting}).models.providers == read
    config.write_text(CONFIG + "models: {providers: [openvino], threads: 2}\n")
    read_over = settings.load(config, {"OPENLFR_PROVIDERS": setting}).models
    assert read_over.providers == (read if setting else ("openvino",))
    assert read_over.threads == 2


def test_an_invalid_variable_is_named_in_the_error(config):
    with pytest.raises(Misconfigured, match="OPENLFR_PROVIDERS"):
        settings.load(config, {"OPENLFR_PROVIDERS": "gpu, "})


@pytest.mark.usefixtures("built_for_cuda")
def test_the_doctor_reports_an_unused_gpu(config):
    findings = {each.name: each for each in check_models(settings.load(config, {}))}
    assert findings["providers"].state is State.WARN
    assert findings["providers"].found == CPU
    assert "the models run on the CPU: cuda does not start" in findings["providers"].advice
    asked = settings.load(config, {"OPENLFR_PROVIDERS": "gpu"})
    findings = {each.name: each for each in check_models(asked)}
    assert findings["providers"].state is State.FAIL
    assert "requires a GPU" in findings["providers"].found


def test_a_runtime_for_the_cpu_passes(config):
    findings = {each.name: each for each in check_models(settings.load(config, {}))}
    assert findings["providers"].state is State.OK


def test_the_execution_provider_is_a_metric():
    metrics = Metrics("analysis")
    service_metrics.register_provider(metrics, "cuda")
    assert b'openlfr_provider{provider="cuda"} 1.0' in metrics.text()
