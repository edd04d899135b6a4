"""After the deployment's hours the ingest service is idle, alive and ready, and ends on SIGTERM."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from contextlib import suppress

import pytest
from dev_servers.control_feed import ControlFeed
from dev_servers.process import free_port

from awaiting import PATIENCE_S, await_that
from openlfr.cli import main

pytestmark = [pytest.mark.service, pytest.mark.timeout(300)]

CONFIG = """\
data_dir: data
deployment:
  name: over
  purpose: test
  place: here
  legal_basis: none needed
  authorised_by: a test
  starts: 2026-01-01T00:00Z
  ends: 2026-01-02T00:00Z
cameras:
  gate: {url: "rtsp://127.0.0.1:9/gate"}
topics: {replication: 1}
"""
OUTSIDE = 'openlfr_camera_outside_hours{camera="gate"} 1.0'


def page(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE_S) as got:
        return got.read().decode()


def test_a_service_with_an_ended_deployment_waits_and_is_ready(tmp_path, servers):
    path = tmp_path / "CONFIG.yaml"
    urls = "".join(f"  {name}: {servers.url(name)}\n" for name in ("kafka", "redis"))
    path.write_text(f"{CONFIG}services:\n{urls}")
    assert main(["topics", "apply", "--config", str(path), "--wait", "240"]) == 0
    port = free_port()
    words = [sys.executable, "-m", "openlfr", "service", "ingest", "--config", str(path)]
    errors = tmp_path / "errors.txt"
    with (
        ControlFeed(path),
        errors.open("w") as out,
        subprocess.Popen(
            words, cwd=tmp_path, stdout=out, stderr=out,
            env={**os.environ, "OPENLFR_HTTP": f"127.0.0.1:{port}"},
        ) as ingest,
    ):  # fmt: skip
        try:

            def metrics_outside():
                with suppress(OSError):  # the pages are not yet served
                    text = page(port, "/metrics")
                    over = re.search('camera="gate",event="hours_over"} 1.0', text)
                    return text if OUTSIDE in text and over else None
                return None

            metrics = await_that("metric", metrics_outside, seen=errors.read_text, alive=[ingest])
            assert "openlfr_camera_last_frame_timestamp_seconds{" not in metrics
            await_that("readiness", lambda: "true" in page(port, "/health/ready"), alive=[ingest])
            assert "true" in page(port, "/health/live")
            ingest.send_signal(signal.SIGTERM)
            assert ingest.wait(PATIENCE_S) == 130, errors.read_text()
        finally:
            ingest.kill()
    assert "1 hours over" in errors.read_text()
