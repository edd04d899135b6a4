"""Responses of the API server, and its silence, decide whether a pod returns."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from openlfr.adapters import kubernetes
from openlfr.adapters.kubernetes import ApiServer
from openlfr.cli import main
from openlfr.domain.errors import Unavailable
from secured_servers import Authority

POD, OWN = "openlfr-analysis-2", "openlfr-analysis"
PATH = f"/apis/apps/v1/namespaces/lfr/statefulsets/{OWN}"


def statefulset(*, spec: dict[str, Any] | None = None, **metadata: Any) -> tuple[int, Any]:
    found = {"kind": "StatefulSet", "metadata": {"name": OWN, **metadata}}
    return 200, found | {"spec": {"replicas": 3, "selector": {}} | (spec or {})}


def refusal(code: int) -> tuple[int, Any]:
    return code, {"kind": "Status", "status": "Failure", "code": code}


class Api:
    """An API server that gives one response, and records its requests."""

    def __init__(self, folder):
        self.answer: tuple[int, Any] = statefulset()
        self.asked: list[tuple[str, str | None]] = []
        authority = Authority(folder)
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                api.asked.append((self.path, self.headers["Authorization"]))
                status, content = api.answer
                body = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.issue("api"))
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        self.account = folder / "account"
        self.account.mkdir()
        (self.account / "token").write_text("t0ken\n")
        (self.account / "namespace").write_text("lfr")
        (self.account / "ca.crt").write_bytes(authority.file.read_bytes())

    @property
    def environment(self) -> dict[str, str]:
        port = self.server.server_address[1]
        return {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(port)}

    def comes_back(self, pod: str = POD, own: str = OWN) -> bool:
        return ApiServer.of_this_pod(self.environment, self.account).will_come_back(pod, own)


@pytest.fixture
def api(tmp_path):
    server = Api(tmp_path)
    yield server
    server.server.shutdown()
    server.thread.join()
    server.server.server_close()


@pytest.mark.parametrize(
    ("answer", "comes_back"),
    [
        (statefulset(), True),
        (statefulset(spec={"replicas": 2}), False),
        (statefulset(spec={"replicas": 0}), False),
        (statefulset(spec={"replicas": 2, "ordinals": {"start": 1}}), True),
        (statefulset(spec={"replicas": 3, "ordinals": {"start": 3}}), False),
        (statefulset(deletionTimestamp="2026-11-28T10:00:00Z"), False),
        (refusal(404), False),
    ],
)
def test_a_pod_that_no_workload_requires_does_not_return(api, answer, comes_back):
    api.answer = answer
    assert api.comes_back() is comes_back
    assert api.asked == [(PATH, "Bearer t0ken")]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (refusal(401), "answers 401"),
        (refusal(403), "answers 403"),
        (refusal(500), "answers 500"),
        ((404, b"404 page not found"), "answers 404"),  # of a proxy, which knows nothing
        ((200, b"<html>"), "answers 200"),
        ((200, {"kind": "StatefulSet"}), "answers 200"),
        ((200, []), "answers 200"),
        (statefulset(spec={"replicas": "two"}), "answers 200"),
    ],
)
def test_an_unexpected_response_is_no_evidence(api, answer, message):
    api.answer = answer
    with pytest.raises(Unavailable, match=message):
        api.comes_back()


def test_an_api_server_of_another_authority_is_not_believed(api, tmp_path):
    (tmp_path / "other").mkdir()
    (api.account / "ca.crt").write_bytes(Authority(tmp_path / "other", "other").file.read_bytes())
    with pytest.raises(Unavailable, match="SSLCertVerificationError"):
        api.comes_back()
    assert api.asked == []


def test_a_silent_api_server_is_not_awaited(api, monkeypatch):
    monkeypatch.setattr(kubernetes, "TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(Unavailable, match="TimeoutError"):
            ApiServer("127.0.0.1", port, api.account).will_come_back(POD, OWN)


@pytest.mark.parametrize("missing", ["token", "namespace", "ca.crt"])
def test_without_a_service_account_no_fact_is_known(api, missing):
    (api.account / missing).unlink()
    with pytest.raises(Unavailable, match="FileNotFoundError"):
        api.comes_back()


@pytest.mark.parametrize("pod", ["openlfr-alerting-2", "openlfr-analysis", "openlfr-analysis-x"])
def test_a_pod_of_another_is_not_looked_for(api, pod):
    with pytest.raises(Unavailable, match=f"{pod} is no pod of the StatefulSet {OWN}"):
        api.comes_back(pod)
    assert api.asked == []


def test_outside_a_pod_no_api_server_is_asked():
    with pytest.raises(Unavailable, match="runs in no pod"):
        ApiServer.of_this_pod({})


@pytest.fixture
def hook(api, tmp_path, monkeypatch, capsys):
    """The preStop hook of a pod; its exit code, what it printed, and who was asked to leave."""
    left: list[tuple[str, str]] = []
    for name, value in (api.environment | {"OPENLFR_INSTANCE_ID": POD}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(kubernetes, "ACCOUNT", api.account)
    monkeypatch.setattr("openlfr.observability.configure_logging", lambda **_: None)
    monkeypatch.setattr(
        "openlfr.adapters.kafka.membership.leave",
        lambda kafka, worker, *, group, instance, patience, report: left.append((group, instance)),
    )
    config = tmp_path / "CONFIG.yaml"
    config.write_text(f"data_dir: {tmp_path}\nservices: {{kafka: 'kafka://127.0.0.1:9'}}\n")

    def run(service="analysis"):
        code = main(["service", service, "--leave-if-removed", OWN, "--config", str(config)])
        return code, capsys.readouterr().out.strip(), left

    return run


def test_the_hook_of_a_pod_that_was_scaled_away_leaves_the_group(api, hook):
    api.answer = statefulset(spec={"replicas": 2})
    assert hook() == (0, "", [("openlfr-analysis", POD)])


def test_the_hook_of_a_returning_pod_does_nothing(api, hook):
    stays = "The worker stays a member of openlfr-analysis until its session expires."
    assert hook() == (0, f"{OWN} still includes {POD}. {stays}", [])
    api.answer = refusal(403)
    answered = f"The API server answers 403 for the StatefulSet {OWN}."
    assert hook() == (0, f"{answered} {stays}", [])


def test_an_idle_hook_reads_no_configuration(api, hook, tmp_path):
    """A wrong one is rolled out: the hook of the pod before it must not fail because of it."""
    (tmp_path / "CONFIG.yaml").write_text("camras: {}\n")
    assert hook()[0] == 0
    assert hook("alerting")[0] == 0


def test_a_hook_without_a_name_has_nothing_to_leave(hook, monkeypatch):
    monkeypatch.delenv("OPENLFR_INSTANCE_ID")
    assert hook()[0] == 2
