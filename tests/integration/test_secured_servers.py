"""TLS and passwords on real servers: the adapters follow the settings."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
from dev_servers.process import end, folder_apart

from awaiting import PATIENCE_S, await_that
from openlfr import bootstrap, settings
from openlfr.adapters.kafka.producer import RecordSender
from openlfr.adapters.kafka.topics import FRAMES
from openlfr.cli import main
from openlfr.domain.errors import Misconfigured, Unavailable
from openlfr.domain.frames import EncodedFrame
from openlfr.domain.templates import GalleryFacts
from openlfr.wire import codec
from secured_servers import (
    PASSWORD,
    USER,
    Authority,
    start_kafka,
    start_milvus,
    start_postgresql,
    start_redis,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.service, pytest.mark.timeout(600)]

# A Faust worker that prints the camera of each frame, and acknowledges the frame.
WORKER = """
import sys
from pathlib import Path
from openlfr import bootstrap, settings
from openlfr.adapters.faust import agents as faust_agents
from openlfr.adapters.faust import app as faust_app
from openlfr.adapters.faust import worker as faust_worker
from openlfr.wire import codec
app, progress = faust_app.make_app(
    group="test-" + sys.argv[2], instance="", from_beginning=True, max_bytes=1 << 20,
    brokers=bootstrap.require_kafka(settings.load(Path(sys.argv[1]))),
)
@app.agent(faust_app.raw_topic(app, "frames.v1"), concurrency=1, name="frames")
async def frames(stream):
    async for messages in faust_agents.read_batches(stream, 16, 0.05):
        for each in messages:
            await stream.ack(each.event)
            print(f" got {codec.decode_frame(each.value).camera}", flush=True)
faust_worker.run_worker(app, progress)
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with an authority's certificates and a user's secret files."""
    folder = tmp_path_factory.mktemp("secured")
    (folder / "username").write_text(USER)
    (folder / "password").write_text(f"{PASSWORD}\n")
    return folder


@pytest.fixture(scope="module")
def authority(place) -> Authority:
    return Authority(place)


@pytest.fixture(scope="module")
def start(place):
    """Return a function that starts a server in its own folder; all end with the module."""
    with ExitStack() as closing_all:

        def begin(starter: Any, authority: Authority) -> tuple[str, ...]:
            # Not below pytest's folder: PostgreSQL runs as another user where we are root.
            folder = folder_apart("openlfr-secured-")
            closing_all.callback(shutil.rmtree, folder, ignore_errors=True)
            server, *addresses = starter(folder, authority)
            closing_all.callback(server.wait)
            closing_all.callback(end, server.pid)
            return tuple(addresses)

        yield begin


@pytest.fixture(scope="module")
def kafka(start, authority) -> dict[str, str]:
    scram, mutual = start(start_kafka, authority)
    authority.issue("user")
    return {
        "scram": f"url: kafka://{scram}, tls: true, auth: scram-sha-512, username_file: username,"
        " password_file: password, ca_file: ca.crt",
        "tls": f"url: kafka://{mutual}, tls: true, auth: tls, cert_file: user.crt,"
        " key_file: user.key, ca_file: ca.crt",
    }  # fmt: skip


def configuration(place: Path, name: str, text: str) -> Path:
    path = place / f"{name}.yaml"
    # Frames stay until a worker has started, however long that takes.
    topics = "{replication: 1, frames_retention: 30m, frames_transit: 1h}"
    path.write_text(f"data_dir: {name}\ntopics: {topics}\nservices: {{{text}}}\n")
    return path


@pytest.mark.parametrize("way", ["scram", "tls"])
def test_a_frame_passes_a_broker_with_authentication(place, kafka, capsys, way):
    path = configuration(place, way, f"kafka: {{{kafka[way]}}}")
    assert main(["topics", "apply", "--config", str(path), "--wait", "240"]) == 0, (
        capsys.readouterr()
    )
    access = bootstrap.require_kafka(settings.load(path))
    sender = RecordSender(
        access,
        FRAMES.name,
        max_in_flight=1,
        delivery_timeout=timedelta(seconds=PATIENCE_S),
        max_bytes=1 << 20,
    )
    frame = EncodedFrame("d", way, 1, 0, 0, datetime.now(UTC), 8, 8, b"jpeg")
    with closing(sender):
        assert sender.send(codec.encode_frame(frame), wait=True, stop=Event())
        sender.flush(timedelta(seconds=PATIENCE_S))
        assert sender.last_failure == ""
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(path), way],
        cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert worker.stdout is not None
        while f" got {way}\n" not in (line := worker.stdout.readline()):
            assert line, worker.communicate()
    finally:
        worker.terminate()
        output = worker.communicate(timeout=PATIENCE_S)
    assert worker.returncode == 0, output
    assert PASSWORD not in "".join(output)


def test_a_wrong_password_certificate_or_authority_is_a_sentence(place, kafka, capsys, tmp_path):
    (place / "wrong").write_text("wrong")
    Authority(place, "stranger").issue("impostor")
    for name, changed, patience, code, sentence in (
        ("wrong-password", ("password_file: password", "password_file: wrong"), 5, 3,
         "does not answer, or refuses our user, password or certificate: check that"),
        ("wrong-authority", ("ca_file: ca.crt", "ca_file: stranger.crt"), 240, 2,
         "is not trusted (unable to get local issuer certificate): check the"),
    ):  # fmt: skip
        path = configuration(place, name, f"kafka: {{{kafka['scram'].replace(*changed)}}}")
        command = ["topics", "check", "--config", str(path), "--wait", str(patience)]
        assert main(command) == code
        output = capsys.readouterr().err
        assert sentence in output
        assert "wrong\n" not in output
        assert PASSWORD not in output


def test_redis_over_tls_with_a_password(place, start, authority):
    (address,) = start(start_redis, authority)
    block = f"redis: {{url: 'rediss://{address}/0', password_file: %s, ca_file: %s}}"
    loaded = settings.load(configuration(place, "redis", block % ("password", "ca.crt")))
    with closing(bootstrap.open_alert_book(loaded)) as book:
        assert book.events("d") == []
    (place / "wrong").write_text("wrong")
    loaded = settings.load(configuration(place, "redis", block % ("wrong", "ca.crt")))
    with (
        closing(bootstrap.open_alert_book(loaded)) as book,
        pytest.raises(Misconfigured, match=r"Redis refuses the user or password in services.redis"),
    ):
        book.events("d")
    Authority(place, "other").issue("nobody")
    loaded = settings.load(configuration(place, "redis", block % ("password", "other.crt")))
    with (
        closing(bootstrap.open_alert_book(loaded)) as book,
        pytest.raises(Unavailable, match=r"certificate verify failed"),
    ):
        book.events("d")


def test_milvus_over_tls_with_a_password(place, start, authority):
    (address,) = start(start_milvus, authority)
    (place / "token").write_text("root:Milvus")
    block = f"milvus: {{url: 'https://{address}', password_file: %s, ca_file: %s}}"
    facts = GalleryFacts("m", "a" * 64, 4, "arcface-112", 0.4)
    loaded = settings.load(configuration(place, "milvus", block % ("token", "ca.crt")))
    refusals: list[Unavailable] = []

    def is_ready() -> bool:
        try:
            with closing(bootstrap.open_templates(loaded, facts)) as templates:
                return templates.all(["default"]) == []
        except Unavailable as error:
            refusals.append(error)
            return False

    await_that("Milvus", is_ready, seen=lambda: refusals[-1:])
    (place / "wrong").write_text("root:wrong")
    Authority(place, "another")
    by_name = block.replace("127.0.0.1", "localhost")  # pymilvus keeps a connection by its address
    for text in (block % ("wrong", "ca.crt"), by_name % ("token", "another.crt")):
        loaded = settings.load(configuration(place, "milvus", text))
        with pytest.raises(Unavailable, match=r"Milvus at https://.* does not answer"):
            bootstrap.open_templates(loaded, facts)
    loaded = settings.load(configuration(place, "milvus", by_name % ("token", "ca.crt")))
    bootstrap.open_templates(loaded, facts).close()


def test_postgresql_over_tls_with_a_password(place, start, authority):
    (address,) = start(start_postgresql, authority)
    block = f"sql: {{url: 'postgresql+psycopg://{USER}@{address}/postgres', password_file: %s"
    block += ", ca_file: ca.crt}"
    path = configuration(place, "sql", block % "password")
    assert main(["records", "upgrade", "--config", str(path)]) == 0
    loaded = settings.load(path)
    with closing(bootstrap.open_records(loaded)) as records:
        assert records.watchlist.version() >= 0
    (place / "wrong").write_text("wrong")
    loaded = settings.load(configuration(place, "sql", block % "wrong"))
    with pytest.raises(Unavailable, match="password authentication failed") as caught:
        bootstrap.open_records(loaded)
    assert PASSWORD not in str(caught.value)
