"""The city-wide mode on real servers gives the same alerts as one process, and survives kill -9."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import av
import pytest
from small_street import FILMED, Place, camera

from openlfr import bootstrap, settings
from openlfr.adapters.capture.jpeg import encode_jpeg
from openlfr.cli import main
from openlfr.operations.evidence import decode, evidence_name

pytestmark = [pytest.mark.service, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[2]
CONSUMER = ROOT / "examples/consume_alerts.py"
PATIENCE_S = 240.0  # this is no bar: a machine with one idle core needs 30 s for everything
LATER = FILMED + timedelta(minutes=30)  # outside every window that the first camera's alerts have


class Process:
    """A process of ours, its output in a file."""

    def __init__(self, folder: Path, name: str, *command: object, **environment: str) -> None:
        import os

        self.output = folder / f"{name}.txt"
        self.errors = folder / f"{name}-errors.txt"
        with self.output.open("w") as output, self.errors.open("w") as errors:
            self.popen = subprocess.Popen(
                [sys.executable, *map(str, command)],
                cwd=folder, stdout=output, stderr=errors, env={**os.environ, **environment},
            )  # fmt: skip

    def lines(self) -> list[dict[str, Any]]:
        """The JSON lines that it has printed so far."""
        whole, _, _ = self.output.read_text(encoding="utf-8").rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8") + self.errors.read_text(encoding="utf-8")


class City:
    """The three services over one place, and a consumer of their alerts."""

    def __init__(self, place: Place, broker: str) -> None:
        self.place, self.broker = place, broker
        self.running: dict[str, Process] = {}
        self._started = 0

    def start(self, name: str, *words: object) -> Process:
        """Start a service; after a kill the same again."""
        self._started += 1
        process = Process(
            self.place.folder, f"{name}-{self._started}",
            "-m", "openlfr", "service", name, "--config", self.place.config, *words,
            OPENLFR_INSTANCE_ID=f"{name}-0",
        )  # fmt: skip
        self.running[name] = process
        return process

    def consume(self) -> Process:
        self.running["consumer"] = Process(
            self.place.folder, "consumer",
            CONSUMER, "--bootstrap", self.broker, "--group", "test", "--from-beginning",
        )  # fmt: skip
        return self.running["consumer"]

    def wait_for(self, what: str, condition: Any, *, alive: tuple[str, ...] = ()) -> None:
        """Wait until a condition holds; a service that ends meanwhile fails the test at once."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            for name in ("analysis", "alerting", "consumer", *alive):
                process = self.running[name]
                assert process.popen.poll() is None, f"{name} ended: {process.said()}"
            assert time.monotonic() < deadline, "\n".join(
                (f"no {what}", *(f"{name}: {p.said()}" for name, p in self.running.items()))
            )
            time.sleep(0.1)

    def close(self) -> None:
        for process in self.running.values():
            if process.popen.poll() is None:
                process.popen.kill()
            process.popen.wait()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory, street) -> Path:
    """The street as a folder of JPEG files."""
    folder = tmp_path_factory.mktemp("pictures")
    with av.open(str(street.video)) as film:
        for number, frame in enumerate(film.decode(video=0)):
            content = encode_jpeg(frame.to_ndarray(format="bgr24"))
            (folder / f"{number:04d}.jpg").write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def expected(tmp_path_factory, street, enrolled, model_store, pictures) -> list[dict[str, Any]]:
    """The alerts that one process gives on the same JPEG files."""
    place = Place(tmp_path_factory.mktemp("embedded"), model_store.folder, street.video)
    shutil.copytree(enrolled, place.data)
    place.configure(**cameras(pictures))
    words = ["run", str(place.config), "--quiet", "--as-fast-as-possible"]
    assert main([*words, "--alerts", str(place.folder / "alerts.jsonl")]) == 0
    return place.lines()


def cameras(pictures: Path) -> dict[str, str]:
    return {
        "gate": camera(pictures, extra=", fps: 10"),
        "yard": camera(pictures, start=LATER, extra=", fps: 10"),
    }


@pytest.fixture
def city(tmp_path, street, model_store, pictures, servers):
    """Servers, topics and a watchlist; no service runs yet."""
    place = Place(tmp_path, model_store.folder, street.video)
    urls = {name: servers.url(name) for name in ("kafka", "redis", "milvus")}
    place.configure(
        "services:\n"
        + "".join(f"  {name}: {url}\n" for name, url in urls.items())
        # Frames wait for a worker that was killed as long as a slow machine needs.
        + "topics: {replication: 1, frames_retention: 30m, frames_transit: 1h}\n",
        **cameras(pictures),
    )
    assert main(["topics", "apply", "--config", str(place.config), "--wait", "60"]) == 0
    assert main(["watchlist", "import", str(street.manifest), "--config", str(place.config)]) == 0
    made = City(place, urls["kafka"].removeprefix("kafka://"))
    yield made
    made.close()


def seen(lines: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What must be the same, wherever it was made."""
    keys = ("event", "event_id", "alert_id", "subject", "camera", "frame_index", "captured_at")
    return sorted((*(line[key] for key in keys), *line["box"]) for line in lines)


def test_the_services_give_the_alerts_of_one_process_though_analysis_is_killed(
    city: City, expected: list[dict[str, Any]]
) -> None:
    assert {(line["camera"], line["event"]) for line in expected} >= {
        ("gate", "opened"), ("yard", "opened"),
    }  # fmt: skip
    of = {name: [line for line in expected if line["camera"] == name] for name in ("gate", "yard")}
    city.start("alerting")
    city.start("analysis")
    alerts = city.consume()

    filmed = city.start("ingest", "--camera", "gate", "--epoch", 1, "--as-fast-as-possible")
    assert filmed.popen.wait(PATIENCE_S) == 0, filmed.said()
    assert filmed.output.read_text() == "gate: 60 sent\n"
    city.wait_for("alerts of gate", lambda: len(alerts.lines()) >= len(of["gate"]))
    assert seen(alerts.lines()) == seen(of["gate"])

    # As it was filmed, so that frames are still to come when the first ones have given an alert.
    filming = city.start("ingest", "--camera", "yard", "--epoch", 1)
    city.wait_for("alert of yard", lambda: len(alerts.lines()) > len(of["gate"]))
    city.running["analysis"].popen.kill()
    city.running["analysis"].popen.wait()
    city.start("analysis")
    assert filming.popen.wait(PATIENCE_S) == 0, filming.said()
    assert filming.output.read_text() == "yard: 60 sent\n"
    city.wait_for("alerts of yard", lambda: len(alerts.lines()) >= len(expected))

    with closing(bootstrap.open_records(settings.load(city.place.config))) as records:
        known = records.alerts.knows
        city.wait_for("records", lambda: all(known(line["event_id"]) for line in expected))
    for name in ("analysis", "alerting"):
        city.running[name].popen.terminate()
        assert city.running[name].popen.wait(PATIENCE_S) == 0, city.running[name].said()

    given = alerts.lines()
    assert seen(given) == seen(expected)
    score = {line["event_id"]: line["score"] for line in given}
    assert score == pytest.approx({e["event_id"]: e["score"] for e in expected}, abs=1.5e-4)
    loaded = settings.load(city.place.config)
    with closing(bootstrap.open_alert_book(loaded)) as book:
        events = book.events("Market")
    vault = bootstrap.open_vault(loaded)
    assert {event.event_id for event in events} == {line["event_id"] for line in expected}
    for event in events:
        evidence = decode(vault.get(evidence_name(event.sighting.sighting_id)))
        assert evidence.face.size
