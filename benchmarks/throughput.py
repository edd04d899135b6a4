"""Measures the cost of the Faust worker: frames per core-second without models, on real Kafka.

    .venv/bin/python -m benchmarks.throughput [--frames 6000] [--rounds 3] [--decode] [--json FILE]

Frames of 100 KB (real JPEGs of noise, 1280 x 720) wait on `frames.v1`. Two separate processes
read the same records alternately, three times each, and acknowledge them every half second:

1. a whole `openlfr service analysis` with a detector that finds nothing and costs nothing; pictures
   are decoded only with `--decode`;
2. bare aiokafka: a consumer that reads each record and commits.

The figures are CPU seconds of the process, not elapsed time, so other work on the machine changes
them little and their ratio less. The worker runs in lossless mode.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from benchmarks.acceptance.findings import Check, Findings, commit, machine, write_json
from benchmarks.city import DEPLOYMENT, Place, Servers, load

from openlfr.adapters.kafka.topics import FRAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BYTES = 100_000
WARM_UP = 0.15  # share of the frames that is not counted
CAMERAS = 8
_SIZE = (720, 1280, 3)


class Meter:
    """CPU and clock seconds between two numbers of frames."""

    def __init__(self, frames: int, out: Path) -> None:
        self._first, self._last = round(frames * WARM_UP), frames
        self._out = out
        self._seen = 0
        self._began: tuple[float, float, int] | None = None

    def add(self, frames: int) -> bool:
        """Count frames; return True after the last one, when the figures are written."""
        self._seen += frames
        if self._began is None and self._seen >= self._first:
            self._began = time.process_time(), time.monotonic(), self._seen
        if self._seen < self._last or self._began is None:
            return False
        cpu, clock, first = self._began
        found = {
            "frames": self._seen - first,
            "cpu_s": time.process_time() - cpu,
            "clock_s": time.monotonic() - clock,
        }
        waiting = self._out.with_suffix(".part")
        waiting.write_text(json.dumps(found))
        waiting.rename(self._out)
        return True


class FindsNothing:
    """A `FaceDetector` that costs nothing and counts its pictures."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def detect(self, images: Sequence[NDArray[np.uint8]], _: tuple[int, int]) -> list[list[Any]]:
        """Return no face for any picture."""
        self._meter.add(len(images))
        return [[] for _ in images]

    def detect_again(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Any]]:
        """Return no face in the second search either."""
        return [[] for _ in images]


def work(config: Path, frames: int, out: Path, *, decode: bool) -> None:
    """Run the analysis service with the detector replaced, as the work of a process."""
    from openlfr import bootstrap, settings
    from openlfr.observability import configure_logging
    from openlfr.settings.process import Process
    from openlfr_analysis import decoding, service

    meter = Meter(frames, out)
    bootstrap.load_detector = lambda *_: FindsNothing(meter)
    if not decode:
        picture = np.zeros(_SIZE, np.uint8)
        if "decode_picture" not in vars(decoding):
            raise RuntimeError("the analysis service decodes pictures in another way now")
        vars(decoding)["decode_picture"] = lambda _: picture
    configure_logging(as_json=True)
    service.run(settings.load(config), Process.read("analysis"))


async def read_bare(broker: str, frames: int, out: Path) -> None:
    """Read and commit every record with aiokafka alone, as the work of a process."""
    from aiokafka import AIOKafkaConsumer

    meter = Meter(frames, out)
    consumer = AIOKafkaConsumer(
        FRAMES.name, bootstrap_servers=broker, group_id=os.environ["OPENLFR_GROUP"],
        auto_offset_reset="earliest",
        enable_auto_commit=False, max_poll_records=64, max_partition_fetch_bytes=4 << 20,
    )  # fmt: skip
    await consumer.start()
    committed = time.monotonic()
    try:
        done = False
        while not done:
            batches = await consumer.getmany(timeout_ms=500, max_records=64)
            for messages in batches.values():
                for message in messages:
                    done = meter.add(1) or done
                    assert message.value is not None
            if done or time.monotonic() - committed > 0.5:
                await consumer.commit()
                committed = time.monotonic()
    finally:
        await consumer.stop()


def picture_of(size: int) -> bytes:
    """Return a 1280 x 720 JPEG of this size: soft noise, and zeros after the picture's end."""
    import cv2

    noise = np.random.default_rng(1).integers(0, 256, (90, 160, 3), np.uint8)
    picture = cv2.resize(noise, (1280, 720), interpolation=cv2.INTER_CUBIC)
    contents = (
        cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        for quality in range(95, 0, -1)
    )
    return next(content for content in contents if len(content) <= size).ljust(size, b"\0")


def fill(broker: str, frames: int, jpeg: bytes) -> float:
    """Publish the frames; return the mean size of a record's value, bytes."""
    from kafka import KafkaProducer

    from openlfr.domain.frames import EncodedFrame
    from openlfr.wire import codec

    producer = KafkaProducer(bootstrap_servers=broker, linger_ms=5, batch_size=1 << 19)
    begin = datetime.now(UTC)
    sizes = []
    first = EncodedFrame(DEPLOYMENT, "", 1, 0, 0, begin, _SIZE[1], _SIZE[0], jpeg)
    for number in range(frames):
        seq = number // CAMERAS
        frame = replace(
            first, camera=f"camera-{number % CAMERAS}", seq=seq, frame_index=seq,
            captured_at=begin + timedelta(seconds=seq / 10),
        )  # fmt: skip
        record = codec.encode_frame(frame)
        sizes.append(len(record.value or b""))
        producer.send(FRAMES.name, key=record.key, value=record.value, headers=record.headers)
        if number % 64 == 0:
            producer.flush()
    producer.flush()
    producer.close()
    return statistics.mean(sizes)


def acknowledged(broker: str, group: str) -> int:
    """Return the number of records that the group has committed."""
    from kafka import KafkaAdminClient

    admin = KafkaAdminClient(bootstrap_servers=broker)
    try:
        offsets: Any = admin.list_group_offsets([group])
    finally:
        admin.close()
    of = offsets.get(group, offsets)
    return sum(
        max(0, int(each.offset)) for partition, each in of.items() if partition.topic == FRAMES.name
    )


def has_all(broker: str, group: str, frames: int) -> bool:
    """Return whether the group has committed this number."""
    return acknowledged(broker, group) == frames


@dataclass(frozen=True, slots=True)
class Rate:
    """The speed of one reader."""

    frames: int
    cpu_s: float
    clock_s: float

    @property
    def ms(self) -> float:
        """CPU milliseconds per frame."""
        return 1000 * self.cpu_s / self.frames


def measure(
    place: Place, servers: Servers, frames: int, rounds: int, *, decode: bool
) -> tuple[list[Rate], list[Rate]]:
    """Measure the worker and bare aiokafka over the same records, alternately."""
    me = ("-m", "benchmarks.throughput", "--frames", frames)
    more = ["--decode"] if decode else []
    place.service("alerting")  # analysis waits for its heartbeat
    place.wait("readiness of alerting", lambda: place.ready("alerting"))
    found: dict[str, list[Rate]] = {"worker": [], "bare": []}
    for number in range(rounds):
        for name, words in (
            ("worker", ("--as-worker", place.config, *more)),
            ("bare", ("--as-bare", servers.broker)),
        ):
            group, out = f"{name}-{number}", place.folder / f"{name}-{number}.json"
            place.start(name, *me, *words, "--out", out, OPENLFR_GROUP=group)
            place.wait(f"end of the frames of {group}", out.exists, patience=600)
            place.wait("acknowledgement of them all",
                       partial(has_all, servers.broker, group, frames))  # fmt: skip
            place.stop(name)
            found[name].append(Rate(**json.loads(out.read_text())))
    return found["worker"], found["bare"]


def findings(
    worker: Sequence[Rate], bare: Sequence[Rate], size: float, *, decode: bool
) -> Findings:
    """Return the figures, medians over the rounds; none has a bar."""
    how = "decoded" if decode else "not decoded"
    ours, theirs = (statistics.median(each.ms for each in rates) for rates in (worker, bare))
    ratio = statistics.median(a.ms / b.ms for a, b in zip(worker, bare, strict=True))
    return Findings(
        (
            Check(f"frames a core-second, Faust worker, inference stubbed, pictures {how}",
                  round(1000 / ours)),
            Check("frames a core-second, bare aiokafka", round(1000 / theirs)),
            Check("the worker's CPU as a multiple of bare aiokafka's", round(ratio, 1)),
            Check("CPU of the worker a frame, ms", round(ours, 3)),
            Check("CPU of bare aiokafka a frame, ms", round(theirs, 3)),
            Check("bytes of a record", round(size)),
        ),
        {
            name: [asdict(rate) | {"ms": rate.ms} for rate in rates]
            for name, rates in (("worker", worker), ("bare", bare))
        },
    )  # fmt: skip


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="benchmarks.throughput")
    parser.add_argument("--frames", type=int, default=6000)
    parser.add_argument("--rounds", type=int, default=3, help="rounds; figures are medians")
    parser.add_argument("--decode", action="store_true", help="decode the pictures as well")
    parser.add_argument("--json", type=Path, help="file for the figures")
    for internal in ("--as-worker", "--as-bare", "--out"):
        parser.add_argument(internal, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.as_worker:
        work(Path(wanted.as_worker), wanted.frames, Path(wanted.out), decode=wanted.decode)
        return 0
    if wanted.as_bare:
        asyncio.run(read_bare(wanted.as_bare, wanted.frames, Path(wanted.out)))
        return 0

    folder = Path(tempfile.mkdtemp(prefix="openlfr-throughput-"))
    try:
        with (
            Servers(folder / "servers", ("kafka", "redis", "milvus")) as servers,
            Place(folder / "place") as place,
        ):
            cameras = (f"camera-{number}" for number in range(CAMERAS))
            place.configure(servers, dict.fromkeys(cameras, "{url: none.mp4}"))
            place.openlfr("topics", "apply", "--wait", "60")
            place.openlfr("records", "upgrade")
            size = fill(servers.broker, wanted.frames, picture_of(BYTES))
            worker, bare = measure(
                place, servers, wanted.frames, wanted.rounds, decode=wanted.decode
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    found = findings(worker, bare, size, decode=wanted.decode)
    found.print()
    print(f"load averages at the end: {load()} on {os.cpu_count()} cores", file=sys.stderr)
    result = {"commit": commit(), "machine": machine(), "load": load(), **found.as_json()}
    if wanted.json:
        write_json(wanted.json, result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
