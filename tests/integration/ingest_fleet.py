"""Several ingest processes over the same cameras, and their frames on Kafka."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dev_servers.control_feed import ControlFeed
from dev_servers.process import free_port
from kafka import KafkaConsumer

from openlfr.wire import codec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

CONFIG = """\
data_dir: data
deployment:
  name: {name}
  purpose: test
  place: here
  legal_basis: none needed
  authorised_by: a test
  starts: 2020-01-01T00:00Z
  ends: 2199-01-01T00:00Z
cameras:
{cameras}
topics: {{replication: 1}}
services:
{services}
ingest: {{max_cameras: {most}}}
"""
_PAUSE_S = 0.2  # pause before each page, so that the process can do its work
_GAUGE = re.compile(r'^openlfr_cameras\{which="(\w+)"\} ([0-9.e+]+)$', re.MULTILINE)
_HELD = re.compile(r'^openlfr_camera_frames_total\{camera="([^"]+)",fate="sent"\}', re.MULTILINE)


def write_config(
    path: Path, cameras: Iterable[str], *, name: str, services: Mapping[str, str], most: int = 1000
) -> Path:
    """Write a configuration with these lines of `cameras`."""
    lines = "\n".join(f"  {each}" for each in cameras)
    urls = "\n".join(f"  {server}: {url}" for server, url in services.items())
    path.write_text(CONFIG.format(cameras=lines, services=urls, name=name, most=most))
    return path


class Ingest:
    """A process of ingest."""

    def __init__(self, config: Path, number: int) -> None:
        self.port = free_port()
        self.errors = config.with_name(f"ingest-{number}.txt")
        with self.errors.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "openlfr", "service", "ingest", "--config", str(config)],
                stdout=out, stderr=out,
                env={**os.environ, "OPENLFR_HTTP": f"127.0.0.1:{self.port}"},
            )  # fmt: skip

    def page(self, path: str) -> str:
        """Return a page of the process; empty if it does not answer."""
        time.sleep(_PAUSE_S)
        with suppress(OSError):
            url = f"http://127.0.0.1:{self.port}{path}"
            with urllib.request.urlopen(url, timeout=10) as got:
                text: str = got.read().decode()
                return text
        return ""

    @property
    def cameras(self) -> dict[str, int]:
        """Return the values of its metric `openlfr_cameras`."""
        return {which: int(float(n)) for which, n in _GAUGE.findall(self.page("/metrics"))}

    @property
    def films(self) -> set[str]:
        """Return the cameras on its health page."""
        return set(_HELD.findall(self.page("/metrics")))

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self, number: int = signal.SIGKILL) -> int:
        self.send(number)
        return self.process.wait()


class Fleet:
    """Processes of a started deployment; all end with the block."""

    def __init__(self) -> None:
        self.all: list[Ingest] = []
        self._control = ExitStack()  # by the first configuration

    def start(self, config: Path) -> Ingest:
        if not self.all:
            self._control.enter_context(ControlFeed(config))
        self.all.append(Ingest(config, len(self.all)))
        return self.all[-1]

    @property
    def running(self) -> list[Ingest]:
        return [each for each in self.all if each.process.poll() is None]

    def held(self) -> list[int]:
        """Return the number of leases of each process."""
        return [each.cameras.get("held", 0) for each in self.running]

    def was_calm(self) -> bool:
        """Return whether no heartbeat was so late that others may have taken cameras.

        On a busy machine that happens, and then more cameras move than necessary.
        """
        return not any("leases_renewed_late" in each.errors.read_text() for each in self.all)

    def story(self) -> str:
        return "\n".join(f"{each.cameras} {each.errors.read_text()[-3000:]}" for each in self.all)

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, *_: object) -> None:
        for each in self.running:
            with suppress(ProcessLookupError):
                each.send(signal.SIGCONT)
            each.end()
        self._control.close()


@dataclass(frozen=True, slots=True)
class Seen:
    """A frame on Kafka; `at` is when the broker took it, seconds since 1970."""

    camera: str
    epoch: int
    seq: int
    at: float


class Frames:
    """Reads some cameras' frames from frames.v1 in a thread."""

    def __init__(self, broker: str, cameras: Iterable[str]) -> None:
        self.seen: list[Seen] = []
        self.last: dict[str, float] = {}  # arrival of each camera's newest frame
        self._cameras = frozenset(cameras)
        self._stop = threading.Event()
        self._broker = broker
        self._thread = threading.Thread(target=self._read)

    def epochs(
        self, cameras: Iterable[str], *, since: float = 0.0, until: float = 1e12
    ) -> dict[str, set[int]]:
        """Return the epochs of each camera's frames between two times."""
        found: dict[str, set[int]] = {name: set() for name in cameras}
        for each in self.seen:
            if each.camera in found and since <= each.at <= until:
                found[each.camera].add(each.epoch)
        return found

    def moved(self, *, since: float) -> set[str]:
        """Return the cameras with frames of several epochs since a time."""
        found = self.epochs(self._cameras, since=since)
        return {name for name, epochs in found.items() if len(epochs) > 1}

    def longest_gap(self, cameras: Iterable[str], *, since: float) -> float:
        """Return the longest time without a frame of one of these cameras, in seconds."""
        times: dict[str, list[float]] = {camera: [since] for camera in cameras}
        end = max(each.at for each in self.seen)
        for each in self.seen:
            if each.at >= since and each.camera in times:
                times[each.camera].append(each.at)
        return max(
            b - a for each in times.values() for a, b in zip(each, [*each[1:], end], strict=True)
        )

    def twice(self) -> list[tuple[str, int, int]]:
        """Return the frames with the camera, epoch and number of another frame."""
        known: set[tuple[str, int, int]] = set()
        found = []
        for each in self.seen:
            place = each.camera, each.epoch, each.seq
            if place in known:
                found.append(place)
            known.add(place)
        return found

    def __enter__(self) -> Frames:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _read(self) -> None:
        consumer = KafkaConsumer(
            "frames.v1", bootstrap_servers=self._broker, auto_offset_reset="latest",
            metadata_max_age_ms=1000,
        )  # fmt: skip
        with closing(consumer):
            while not self._stop.is_set():
                for records in consumer.poll(timeout_ms=200).values():
                    for record in records:
                        frame = codec.decode_frame(record.value)
                        if frame.camera in self._cameras and not frame.ended:
                            at = record.timestamp / 1000
                            self.seen.append(Seen(frame.camera, frame.epoch, frame.seq, at))
                            self.last[frame.camera] = at
