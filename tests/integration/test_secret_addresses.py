"""No command writes more of an address than scheme and host, wherever its password is.

Every command that reads a configuration is run with secrets in the addresses of its cameras and
services. Nothing answers there. All that it writes is looked through: stdout, stderr (of libraries
too) and every file but the configuration itself.
"""

from __future__ import annotations

import http.server
import os
import signal
import threading
from datetime import UTC, datetime, timedelta

import pytest

from openlfr.cli import INTERRUPTED, main

SECRET, PIECES = "hunter2", ("hun", "ter2", "annabel")
NOWHERE = "127.0.0.1:9"  # the discard service, which listens nowhere

CAMERAS = {
    "userinfo": f"rtsp://annabel:{SECRET}@{NOWHERE}/main",
    "at": f"rtsp://annabel:hun@ter2@{NOWHERE}/main",
    "space": f"rtsp://annabel:hun ter2@{NOWHERE}/main",
    "percent": f"rtsp://annabel:hun%ter2@{NOWHERE}/main",
    "encoded": f"rtsp://annabel:hun%2Fter2@{NOWHERE}/main",
    "token": f"http://{SECRET}@{NOWHERE}/",
    "query": f"http://{NOWHERE}/video?user=annabel&password={SECRET}",
    "query_at": f"http://{NOWHERE}/video?user=annabel&password=hun@ter2",
    "query_space": f"http://{NOWHERE}/video?password=hun ter2",
    "path": f"rtsp://{NOWHERE}/user=annabel&password={SECRET}",
    "path_slash": f"rtsp://{NOWHERE}/user=annabel&password=hun/ter2",
    "hls": f"https://annabel:{SECRET}@{NOWHERE}/live.m3u8?token={SECRET}",
    "no_scheme": f"annabel:{SECRET}@{NOWHERE}/main",
    "one_slash": f"rtsp:/annabel:{SECRET}@{NOWHERE}/main",
    "no_colon": f"rtsp//{NOWHERE}/user=annabel&password={SECRET}",
    "fragment": f"http://{NOWHERE}/#{SECRET}",
    "refusing": "http://annabel:hunter2@{server}/video?password=hunter2",
}
UNREADABLE = {
    "slash": f"rtsp://annabel:hun/ter2@{NOWHERE}/main",
    "question": f"rtsp://annabel:hun?ter2@{NOWHERE}/main",
    "hash": f"rtsp://annabel:hun#ter2@{NOWHERE}/main",
    "no_host": f"rtsp://annabel:{SECRET}",
    "unicode": f"rtsp://annabel:hun\u2100/ter2@{NOWHERE}",
}
SERVERS = {
    "redis": f"redis://annabel:{SECRET}@{NOWHERE}/0?password={SECRET}",
    "milvus": f"http://annabel:{SECRET}@{NOWHERE}",
    "sql": f"postgresql+psycopg://annabel:{SECRET}@{NOWHERE}/records?sslpassword={SECRET}",
}
DEPLOYMENT = """
deployment:
  name: trial
  purpose: test
  place: here
  legal_basis: none
  authorised_by: somebody
  starts: {starts:%Y-%m-%dT%H:%M:%SZ}
  ends: {ends:%Y-%m-%dT%H:%M:%SZ}
"""


@pytest.fixture
def refusing():
    """An HTTP server that rejects everybody and repeats the request."""

    class Refusing(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(401, explain=self.path)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def place(tmp_path, capfd, monkeypatch, refusing):
    """Return a function that runs a command, and searches all its output for secrets."""
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "CONFIG.yaml"

    def run(*command, cameras=(), services=(), seconds=8.0, debug=False):
        monkeypatch.setenv("OPENLFR_DEBUG", "1" if debug else "0")
        now = datetime.now(UTC)
        text = "data_dir: data\n" + DEPLOYMENT.format(
            starts=now - timedelta(hours=1), ends=now + timedelta(seconds=seconds)
        )
        text += "cameras:\n" if cameras else "cameras: {}\n"
        for name, url in dict(cameras).items():
            shown = url.replace("{server}", refusing).replace("'", "''")
            text += f"  {name}: {{url: '{shown}', fps: 2}}\n"
        if services:
            text += "services:\n" + "".join(f"  {n}: '{u}'\n" for n, u in dict(services).items())
        config.write_text(text, "utf-8")
        capfd.readouterr()
        code = main(list(command))
        output = capfd.readouterr()
        text = output.out + output.err
        found = [piece for piece in PIECES if piece in text]
        assert not found, text
        for path in tmp_path.rglob("*"):
            if path.is_file() and path != config:
                content = path.read_bytes()
                assert not [piece for piece in PIECES if piece.encode() in content], path
        return code, text

    return run


def test_no_secret_is_in_a_run_and_its_report(place, tmp_path):
    """A run reconnects to live cameras until it is stopped; the report lists the failures."""

    def stop():
        while not ended.wait(0.2):
            if (tmp_path / "alerts.jsonl").exists():  # after that time a run handles the signal
                if not ended.wait(8):  # for every camera to have failed
                    os.kill(os.getpid(), signal.SIGINT)
                return

    ended = threading.Event()
    stopping = threading.Thread(target=stop)
    stopping.start()
    command = ("run", "CONFIG.yaml", "--alerts", "alerts.jsonl", "--report", "report")
    try:
        code, output = place(*command, cameras=CAMERAS, seconds=3600)
    finally:
        ended.set()
        stopping.join()
    assert code == INTERRUPTED, output
    assert "no_scheme" in output
    assert "camera userinfo" in (tmp_path / "report" / "report.html").read_text("utf-8")


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_no_secret_is_in_a_camera_check(place, more):
    code, output = place("camera", "check", "--frames", "1", *more, cameras=CAMERAS, seconds=99)
    assert code == 1
    assert "camera userinfo: rtsp://127.0.0.1 does not answer" in output
    assert "camera percent: rtsp://127.0.0.1 does not answer" in output
    assert "%2F" in output
    assert "camera no_scheme: (not shown) does not exist; an address begins with" in output


@pytest.mark.parametrize("name", UNREADABLE)
@pytest.mark.parametrize(
    "command",
    [("run", "CONFIG.yaml"), ("camera", "check"), ("doctor",), ("doctor", "--json"), ("purge",)],
)
def test_an_unreadable_camera_address_yields_a_hint(place, name, command):
    code, output = place(*command, cameras={name: UNREADABLE[name]})
    assert code in (1, 2)
    assert "percent-encode" in output
    assert f"cameras.{name}" in output


@pytest.mark.parametrize(
    "command",
    [
        ("doctor",),
        ("watchlist", "list"),
        ("watchlist", "check"),
        ("alerts", "list"),
        ("counts",),
        ("purge", "--dry-run"),
        ("records", "upgrade"),
        ("topics", "check"),
        ("models", "list", "--config", "CONFIG.yaml"),
        ("run", "CONFIG.yaml"),
    ],
)
@pytest.mark.parametrize("debug", [False, True])
def test_no_secret_is_in_errors_about_absent_servers(place, command, debug):
    place(*command, cameras={"a": CAMERAS["userinfo"]}, services=SERVERS, debug=debug)


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.parametrize(
    "password",
    [
        "hun/ter2",
        "hun?ter2",
        "hun#ter2",
        "hun\u2100/ter2",
        "hun\u2100ter2",
        "hun\uff0fter2",
        "hun[ter2",
    ],
)
def test_an_unreadable_service_address_yields_a_hint(place, name, password):
    url = SERVERS[name].replace(SECRET, password, 1)
    code, output = place("alerts", "list", services={name: url})
    assert code == 2
    assert "percent-encode" in output
    assert f"services.{name}" in output


@pytest.mark.parametrize(
    "written",
    [
        "cameras: 'rtsp://annabel:hunter2@host/main'\n",
        "cameras: ['rtsp://annabel:hunter2@host/main']\n",
        "cameras: {gate: 'rtsp://annabel:hunter2@host/main'}\n",
        "cameras: {'rtsp://annabel:hunter2@host/main': {url: a.mp4}}\n",
        "cameras: {'rtsp://annabel:hunter2@host/main': }\n",
        "cameras: {gate: {'rtsp://annabel:hunter2@host/main': }}\n",
        "cameras: {gate: {url: a.mp4, fps: 'rtsp://annabel:hunter2@host/main'}}\n",
        "cameras: {gate: {url: {a: 'http://host/?password=hunter2'}}}\n",
        "cameras: {gate: {url: a.mp4, start: 'http://host/?user=annabel&password=hun ter2'}}\n",
        "cameras: {gate: {url: [rtsp://annabel:hunter2@host]}}\n",
        "cameras: {gate: {url: *hunter2}}\n",
        "cameras: {gate: {url: !hunter2!annabel host}}\n",
        "cameras: {gate: {url: rtsp://annabel:%hunter2@host, fps: @hunter2}}\n",
        "rtsp://annabel:hunter2@host/main: 1\n",
        "services: 'redis://annabel:hunter2@host'\n",
        "services: {redis: ['redis://annabel:hunter2@host']}\n",
        "services: {redis: {url: 'http://annabel:hunter2@host'}}\n",
        "services: {kafka: 'kafka://annabel:hunter2@host:9092'}\n",
        "services: {sql: 'mysql://annabel:hunter2@host/x'}\n",
        "services: {'redis://annabel:hunter2@host': 1}\n",
        "models: {folder: 3, threads: 'http://annabel:hunter2@host'}\n",
    ],
)
def test_no_secret_is_in_errors_about_a_misplaced_address(place, tmp_path, capfd, written):
    (tmp_path / "CONFIG.yaml").write_text("data_dir: data\n" + written)
    for command in (["run", "CONFIG.yaml"], ["doctor"]):
        assert main(command) in (1, 2)
        output = "".join(capfd.readouterr())
        assert not [piece for piece in PIECES if piece in output], output


@pytest.mark.parametrize(
    "command",
    [
        ["run", "rtsp://annabel:hunter2@host/main"],
        ["run", "CONFIG.yaml", "rtsp://annabel:hunter2@host/main"],
        ["camera", "check", "rtsp://annabel:hunter2@host/main"],
        ["evaluate", "http://host/?user=annabel&password=hunter2"],
        ["simulate", "cameras", "gate=rtsp://annabel:hunter2@host/main"],
        ["doctor", "--config", "rtsp://annabel:hunter2@host/main"],
        ["rtsp://annabel:hunter2@host/main"],
    ],
)
def test_an_address_on_the_command_line_is_not_repeated(place, tmp_path, capfd, command):
    (tmp_path / "CONFIG.yaml").write_text("data_dir: data\n")
    main(command)
    output = "".join(capfd.readouterr())
    assert not [piece for piece in PIECES if piece in output], output
