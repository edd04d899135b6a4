"""The pages of a service for Prometheus and the probes."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections import Counter
from contextlib import ExitStack, closing

import pytest

from awaiting import PATIENCE_S
from openlfr.adapters.telemetry.metrics import Metrics
from openlfr.adapters.telemetry.status_pages import StatusPages
from openlfr.domain.errors import Misconfigured
from openlfr.stage_timer import StageTimer

HEALTHY = {"liveness_problem": str, "readiness_problem": str}


def lines(metrics, *beginnings):
    text = metrics.text().decode()
    return [line for line in text.splitlines() if line.startswith(beginnings)]


def test_counters_are_read_on_request():
    metrics, counts = Metrics("analysis"), Counter()
    metrics.register_counter("openlfr_frames_dropped", "Let go.", lambda: counts, label="reason")
    assert lines(metrics, "openlfr_frames_dropped_total") == []
    counts.update(stale=3, repeated=1)
    assert lines(metrics, "openlfr_frames_dropped_total") == [
        'openlfr_frames_dropped_total{reason="repeated"} 1.0',
        'openlfr_frames_dropped_total{reason="stale"} 3.0',
    ]


def test_one_name_may_have_several_sources():
    metrics = Metrics("alerting")
    metrics.register_counter("openlfr_dead_letters", "Set aside.", lambda: {"": 2})
    assert lines(metrics, "openlfr_dead_letters_total") == ["openlfr_dead_letters_total 2.0"]
    for camera, sent in (("gate", 5), ("yard", 7)):
        metrics.register_counter(
            "openlfr_frames_sent", "Sent.", lambda sent=sent: {"sent": sent}, label="fate",
            where={"camera": camera},
        )  # fmt: skip
    assert lines(metrics, "openlfr_frames_sent_total") == [
        'openlfr_frames_sent_total{camera="gate",fate="sent"} 5.0',
        'openlfr_frames_sent_total{camera="yard",fate="sent"} 7.0',
    ]


def test_a_gauge_without_a_value_is_left_out():
    metrics, last = Metrics("ingest"), {}
    metrics.register_gauge("openlfr_lag", "Waiting.", lambda: None)
    metrics.register_gauge("openlfr_camera_last", "When.", lambda: last, label="camera")
    assert lines(metrics, "openlfr_lag", "openlfr_camera_last") == []
    last["gate"] = 12.5
    assert lines(metrics, "openlfr_camera_last") == ['openlfr_camera_last{camera="gate"} 12.5']


def test_stages_are_histograms_and_work_is_added_up():
    metrics, watch = Metrics("analysis"), StageTimer()
    watch.observe = metrics.observe_stage
    with watch("detect", 4):
        pass
    assert metrics.timed("look", lambda a, b=0: a + b)(1, b=2) == 3
    with pytest.raises(ZeroDivisionError):
        metrics.timed("look", lambda: 1 / 0)()
    counted = lines(metrics, "openlfr_stage_seconds_count")
    assert counted == [
        'openlfr_stage_seconds_count{stage="detect"} 1.0',
        'openlfr_stage_seconds_count{stage="look"} 2.0',
    ]
    assert len(lines(metrics, "openlfr_busy_seconds_total")) == 1


def get(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE_S) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_the_pages_report_liveness_and_readiness():
    why = {"stalled": "", "lacks": "The worker has no partitions yet."}
    pages = StatusPages(
        ("127.0.0.1", 0), metrics=lambda: b"a 1\n",
        liveness_problem=lambda: why["stalled"], readiness_problem=lambda: why["lacks"],
    )  # fmt: skip
    with closing(pages):
        assert get(pages.port, "/health/live") == (200, b'{"live": true}')
        status, body = get(pages.port, "/health/ready")
        assert (status, json.loads(body)) == (503, {"ready": False, "why": why["lacks"]})
        why |= {"stalled": "7 messages wait", "lacks": ""}
        assert get(pages.port, "/health/live")[0] == 503
        assert get(pages.port, "/health/ready") == (200, b'{"ready": true}')
        assert get(pages.port, "/metrics") == (200, b"a 1\n")
        assert get(pages.port, "/")[0] == 404
        with pytest.raises(Misconfigured, match=r"OPENLFR_HTTP: this service cannot listen on 127"):
            StatusPages(
                ("127.0.0.1", pages.port),
                **HEALTHY,
                metrics=bytes,
            )


def test_a_silent_connection_does_not_block_the_pages():
    """Connections beyond a few close the oldest; each is closed when it has been silent."""
    with (
        closing(StatusPages(("127.0.0.1", 0), **HEALTHY, metrics=bytes)) as pages,
        ExitStack() as silent,
    ):
        address = "127.0.0.1", pages.port
        first = silent.enter_context(socket.create_connection(address, timeout=PATIENCE_S))
        first.sendall(b"GET /health/li")
        for _ in range(40):
            silent.enter_context(socket.create_connection(address, timeout=PATIENCE_S))
        assert get(pages.port, "/health/live") == (200, b'{"live": true}')
        assert first.recv(1) == b""


def test_a_page_that_fails_is_logged_and_the_others_are_served(capsys):
    def fail():
        raise KeyError("odd")

    with closing(StatusPages(("127.0.0.1", 0), **HEALTHY, metrics=fail)) as pages:
        assert get(pages.port, "/metrics") == (500, b"The metrics cannot be read; see the log.\n")
        assert get(pages.port, "/health/live")[0] == 200
    assert "Traceback" not in capsys.readouterr().err
