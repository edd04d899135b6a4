"""Two analysis workers share the cameras: nothing is lost or doubled when the second one joins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import uuid
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from awaiting import PATIENCE_S, await_that
from openlfr.adapters.capture.jpeg import decode_picture, encode_jpeg
from openlfr.adapters.kafka.access import KafkaAccess
from openlfr.adapters.kafka.control import ControlWriter
from openlfr.adapters.kafka.topics import CONTROL, FRAMES, SIGHTINGS, TALLIES
from openlfr.adapters.milvus.template_store import MilvusTemplateStore
from openlfr.adapters.vault.files import FileVault
from openlfr.cli import main
from openlfr.domain.control import DeploymentState, Heartbeat, ManifestChange
from openlfr.domain.deployment import DeploymentStatus
from openlfr.domain.frames import EncodedFrame, Frame
from openlfr.domain.ids import Ids
from openlfr.domain.templates import StoredTemplate, hash_template
from openlfr.domain.watchlist import EntryStatus, ManifestEntry
from openlfr.pipeline import Analyser
from openlfr.stages.align import align
from openlfr.stages.search import ExactIndex
from openlfr.wire import codec, seal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from openlfr.domain.tallies import Tally

pytestmark = [pytest.mark.service, pytest.mark.timeout(600)]

FILMED = datetime(2026, 11, 23, 9, tzinfo=UTC)
LATER = datetime(2199, 1, 1, tzinfo=UTC)
COUNT, HALF = 30, 15  # frames per camera; number of frames before the second worker joins
CAMERAS = [f"camera-{number}" for number in range(12)]  # one per partition
LISTED = "workers"  # a watchlist of this test only
# The service, without ends of tracks while the second worker starts.
WORKER = """
import sys
from openlfr.cli import main
from openlfr_analysis import frame_batches
frame_batches.SILENCE_LOSSLESS_S = 3600.0
sys.exit(main(sys.argv[1:]))
"""
CONFIG = """\
data_dir: data
watchlists: [workers]
deployment:
  {{id: {name}, name: {name}, purpose: p, place: p, legal_basis: l, authorised_by: Ann,
    starts: 2020-01-01T00:00Z, ends: 2199-01-01T00:00Z}}
cameras:
{cameras}
models: {{folder: {models}}}
max_age: off
services:
  kafka: {kafka}
  milvus: {milvus}
topics: {{replication: 1, frames_retention: 30m, frames_transit: 1h}}
"""


@pytest.fixture(scope="module")
def film(astronaut) -> list[bytes]:
    """Write JPEG files in which one person walks through the picture."""
    face = cv2.resize(astronaut[20:270, 120:370], (150, 150), interpolation=cv2.INTER_AREA)
    frames = []
    for number in range(COUNT):
        picture = np.full((320, 480, 3), 90, np.uint8)
        if 4 <= number < 24:
            x = 12 * number
            picture[80:230, x : x + 150] = face
        frames.append(encode_jpeg(picture))
    return frames


@pytest.fixture(scope="module")
def enrolled(astronaut, yunet, sface) -> StoredTemplate:
    (detection,) = yunet.detect([astronaut], (512, 512))[0]
    (vector,) = sface.embed(align(astronaut, detection.landmarks[None]))
    return StoredTemplate(str(uuid.uuid4()), LISTED, "Eileen", hash_template(vector), vector)


@pytest.fixture(scope="module")
def expected(film, enrolled, yunet, sface) -> set[tuple[str, int, str]]:
    """Return camera, frame and subject of one process's sightings."""
    entry = ManifestEntry(LISTED, "wanted", enrolled.template_hash, enrolled.entry_hash, LATER)
    index = ExactIndex({enrolled.reference_id: entry}, [enrolled])
    analyser = Analyser(
        ids=Ids("Workers", bytes(32)), detector=yunet, embedder=sface, index=index, threshold=0.4,
        input_sizes={"camera-0": (480, 480)},
    )  # fmt: skip
    frames = [
        Frame("camera-0", 1, number, at(number), decode_picture(content))
        for number, content in enumerate(film)
    ]
    sighted = [each for frame in frames for each in analyser.analyse([frame]).sightings]
    sighted += analyser.close_camera("camera-0").sightings
    assert sighted
    return {
        (name, each.sighting.seq, each.sighting.subject) for each in sighted for name in CAMERAS
    }


def at(number: int) -> datetime:
    return FILMED + timedelta(seconds=number / 10)


class Workers:
    """Analysis workers of one group, and their input."""

    def __init__(self, folder: Path, broker: str, enrolled: StoredTemplate) -> None:
        self.folder, self.broker, self.enrolled = folder, broker, enrolled
        self.running: list[subprocess.Popen[bytes]] = []
        self.stop = threading.Event()
        self.relay = threading.Thread(target=self._relay)
        self.relay.start()
        self.producer = KafkaProducer(bootstrap_servers=broker)
        self.readers = {name: self._reader(name) for name in (SIGHTINGS.name, TALLIES.name)}
        self.given: dict[str, list[Any]] = {SIGHTINGS.name: [], TALLIES.name: []}

    def start(self) -> None:
        number = len(self.running)
        with self._log(number).open("wb") as log:
            self.running.append(
                subprocess.Popen(
                    [sys.executable, "-c", WORKER, "service", "analysis",
                     "--config", str(self.folder / "CONFIG.yaml")],
                    cwd=self.folder, stdout=log, stderr=log,
                    env={**os.environ, "OPENLFR_GROUP": f"workers-{self.folder.name}"},
                )
            )  # fmt: skip

    def events(self, number: int, name: str) -> list[dict[str, Any]]:
        """Return a worker's log records of this event name."""
        log_lines = self._log(number).read_text(encoding="utf-8").splitlines()
        # Faust hides the terminal's cursor with its first line, even where there is none.
        lines = [json.loads(line[line.index("{") :]) for line in log_lines if line.endswith("}")]
        return [line for line in lines if line.get("event") == name]

    def send(self, film: list[bytes], numbers: range) -> None:
        for number in numbers:
            for partition, camera in enumerate(CAMERAS):
                self._send(partition, frame_of(camera, number, film[number]))
        self.producer.flush(timeout=PATIENCE_S)

    def end(self) -> None:
        for partition, camera in enumerate(CAMERAS):
            self._send(partition, replace(frame_of(camera, COUNT - 1, b""), seq=COUNT, ended=True))
        self.producer.flush(timeout=PATIENCE_S)

    def wait_for(self, what: str, condition: Callable[[], bool]) -> None:
        def holds() -> bool:
            self._collect()
            return condition()

        def log_lines() -> list[str]:
            return [self._log(number).read_text()[-3000:] for number in range(len(self.running))]

        await_that(what, holds, seen=log_lines, alive=self.running)

    def close(self) -> None:
        self.stop.set()
        self.relay.join()
        for process in self.running:
            process.kill()
            process.wait()
        for reader in self.readers.values():
            reader.close()
        self.producer.close()

    def _log(self, number: int) -> Path:
        return self.folder / f"worker-{number}.txt"

    def _send(self, partition: int, frame: EncodedFrame) -> None:
        record = codec.encode_frame(frame)
        self.producer.send(
            FRAMES.name, partition=partition, key=record.key, value=record.value,
            headers=record.headers,
        )  # fmt: skip

    def _relay(self) -> None:
        """Publish one listed reference and heartbeats, as the alerting service does."""
        vault = FileVault(self.folder / "data" / "vault", self.folder / "data" / "vault.key")
        writer = ControlWriter(
            KafkaAccess((self.broker,)),
            patience=timedelta(seconds=PATIENCE_S),
            key=vault.derive(seal.purpose_of(CONTROL.name)),
        )
        entry = ManifestChange(
            self.enrolled.reference_id, LISTED, self.enrolled.template_hash, LATER,
            EntryStatus.ACTIVE, 1, FILMED, "wanted", self.enrolled.entry_hash,
        )  # fmt: skip
        state = DeploymentState(
            "Workers", "Workers", DeploymentStatus.STARTED, 1, FILMED, LATER, (), (), 1, FILMED
        )
        writer.write([state, entry])
        while not self.stop.wait(1.0):
            writer.write([Heartbeat(datetime.now(UTC), 1)])
        writer.close()

    def _reader(self, topic: str) -> KafkaConsumer:
        reader = KafkaConsumer(bootstrap_servers=self.broker, group_id=None)
        numbers = reader.partitions_for_topic(topic)
        reader.assign([TopicPartition(topic, number) for number in numbers])
        for partition, end in reader.end_offsets(reader.assignment()).items():
            reader.seek(partition, end)
        return reader

    def _collect(self) -> None:
        for name, reader in self.readers.items():
            for records in reader.poll(timeout_ms=100).values():
                if name == SIGHTINGS.name:
                    self.given[name] += [codec.decode_sighting(r.value)[0] for r in records]
                else:
                    self.given[name] += [codec.decode_tally(r.value) for r in records]


def frame_of(camera: str, number: int, content: bytes) -> EncodedFrame:
    return EncodedFrame("Workers", camera, 1, number, number, at(number), 480, 320, content)


@pytest.fixture
def workers(tmp_path, servers, model_store, enrolled, sface) -> Iterator[Workers]:
    urls = {name: servers.url(name) for name in ("kafka", "milvus")}
    cameras = "\n".join(f"  {name}: {{url: nowhere, input_size: 480}}" for name in CAMERAS)
    text = CONFIG.format(name="Workers", cameras=cameras, models=model_store.folder, **urls)
    (tmp_path / "CONFIG.yaml").write_text(text)
    config = str(tmp_path / "CONFIG.yaml")
    assert main(["topics", "apply", "--config", config, "--wait", "240"]) == 0
    store = MilvusTemplateStore(urls["milvus"], sface.facts)
    store.put([enrolled])
    made = Workers(tmp_path, urls["kafka"].removeprefix("kafka://"), enrolled)
    yield made
    made.close()
    store.remove([enrolled.reference_id])
    store.close()


def test_nothing_is_lost_or_doubled_when_a_second_worker_joins(
    workers: Workers, film: list[bytes], expected: set[tuple[str, int, str]]
) -> None:
    workers.start()
    workers.send(film, range(HALF))
    sighted = workers.given[SIGHTINGS.name]
    workers.wait_for("first sightings", lambda: len({s.camera for s in sighted}) == len(CAMERAS))
    workers.start()
    workers.wait_for(
        "balance", lambda: any(each["partitions"] for each in workers.events(1, "ready"))
    )
    workers.send(film, range(HALF, COUNT))
    workers.end()

    def read_tallies() -> list[Tally]:
        return list({each.tally_id: each for each in workers.given[TALLIES.name]}.values())

    # A slow machine cuts a camera's tally in two where its frames paused.
    every = COUNT * len(CAMERAS)
    workers.wait_for(
        "tallies", lambda: sum(each.frames_analysed for each in read_tallies()) >= every
    )

    assert {(each.camera, each.seq, each.subject) for each in sighted} == expected
    assert len({each.sighting_id for each in sighted}) == len(expected)
    counted: Counter[str] = Counter()
    for tally in read_tallies():
        counted["frames"] += tally.frames_analysed
        counted["passes"] += tally.tracks_closed
        counted["sightings"] += tally.sightings
    assert counted == {
        "frames": every, "passes": len(CAMERAS), "sightings": len(expected),
    }  # fmt: skip
    of = [{each["camera"] for each in workers.events(n, "sighting")} for n in (0, 1)]
    assert of[0] == set(CAMERAS)  # alone at first
    assert of[1]
    assert of[1] < set(CAMERAS)
