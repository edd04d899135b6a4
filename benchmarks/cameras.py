"""Measures the load of shared cameras on Redis, and the CPU cost of a camera.

    .venv/bin/python -m benchmarks.cameras [--cameras 1000] [--members 17] [--json FILE]
    .venv/bin/python -m benchmarks.cameras --cost VIDEO [--seconds 40]

The first command shares cameras among the members of an ingest fleet on a real Redis. The members
run all of ingest, but their cameras send no frames. It prints the number of cameras of each member,
the commands a second that Redis receives and executes (with commands inside scripts), and the
number of series on all `/metrics` pages. Then one member stops without leaving, and the command
prints the time until other members have acquired its cameras.

The second command plays a video in one process as fast as possible, and prints the CPU time for
reading a frame and for sending a frame, from which `capacity.py` of ingest estimates.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.acceptance.findings import ROOT, Check, Findings, commit, machine, write_json
from benchmarks.city import Cost, Place, Servers, load

from openlfr.testing import FrameSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openlfr.domain.frames import Frame

_FATES = re.compile(
    r'^openlfr_camera_frames_total\{[^}]*fate="(\w+)"[^}]*\} ([0-9.e+]+)$', re.MULTILINE
)


class Process:
    """A process of ingest."""

    def __init__(self, place: Place, *words: str) -> None:
        from dev_servers.process import free_port

        self.port = free_port()
        with (place.folder / "ingest.log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "openlfr", "service", "ingest", "--config", place.config,
                 *words],
                stdout=log, stderr=log, cwd=place.folder,
                env={**os.environ, "OPENLFR_HTTP": f"127.0.0.1:{self.port}"},
            )  # fmt: skip

    def metrics(self) -> str:
        """Return the metrics page; empty if the process does not answer."""
        with suppress(OSError):
            url = f"http://127.0.0.1:{self.port}/metrics"
            with urllib.request.urlopen(url, timeout=30) as response:
                return str(response.read().decode())
        return ""


class IdleSource(FrameSource):
    """A live camera that sends no frame until it is closed."""

    def __init__(self) -> None:
        super().__init__(live=True)
        self._until_closed = threading.Event()

    def frames(self, *, first_seq: int = 0) -> Iterator[Frame]:
        """Wait until the source is closed."""
        self._until_closed.wait()
        return iter(())

    def close(self) -> None:
        """Close the source."""
        super().close()
        self._until_closed.set()


class AlwaysInForce:
    """A deployment that never skips a frame."""

    deployment_id = "Benchmark"

    def skip_reason(self, *_: object) -> None:
        """Return None: no frame is skipped."""

    def halt_reason(self, *_: object) -> None:
        """Return None: no camera is halted."""


class DiscardingSender:
    """A sender that accepts and discards every record."""

    def send(self, *_: object, **__: object) -> bool:
        """Accept a record."""
        return True

    def flush(self, _: object) -> None:
        """Return at once: no record is pending."""


class Member:
    """A member of the ingest fleet, in threads of this process."""

    def __init__(self, url: str, entries: dict[str, Any], room: int) -> None:
        from openlfr.adapters.redis.connection import connect
        from openlfr.adapters.redis.leases import CameraLeases
        from openlfr.adapters.telemetry.metrics import Metrics
        from openlfr_ingest import metrics as service_metrics
        from openlfr_ingest.camera_share import CameraShare
        from openlfr_ingest.capacity import estimate_cost
        from openlfr_ingest.context import IngestContext
        from openlfr_ingest.filming import Senders
        from openlfr_ingest.leases import LeaseKeeper

        leases = CameraLeases(connect(url), "Benchmark", ttl=timedelta(seconds=6))
        costs = {name: estimate_cost(entry) for name, entry in entries.items()}
        self.keeper = LeaseKeeper(
            leases, costs, room=room, on_lost=lambda name: self.sharing.lose_lease(name)
        )
        in_force: Any = AlwaysInForce()
        sender: Any = DiscardingSender()
        context = IngestContext(
            in_force,
            Senders(sender, sender),
            self.keeper,
            open_source=lambda *_, **__: IdleSource(),
        )
        self.sharing = CameraShare(entries, context)
        self.metrics = Metrics("ingest")
        service_metrics.register(self.metrics, self.sharing, self.keeper, room=room)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._update_regularly, daemon=True)

    def start(self) -> None:
        """Join the fleet."""
        self.keeper.start()
        self._thread.start()

    def vanish(self) -> None:
        """Stop the heartbeats without releasing any lease."""
        self.keeper._stop.set()
        self.keeper._wake.set()
        self._ended.set()

    def _update_regularly(self) -> None:
        while not self._ended.wait(0.1):
            self.sharing.update()


def measure_sharing(cameras: int, number: int, seconds: float) -> dict[str, Any]:
    """Measure the load on Redis of this number of members and cameras."""
    import redis

    from openlfr.settings.cameras import Camera

    entries = {
        f"camera-{n:04}": Camera.model_validate({"url": "rtsp://10.0.0.7/main", "fps": 5})
        for n in range(cameras)
    }
    with ExitStack() as closing:
        work = Path(closing.enter_context(tempfile.TemporaryDirectory()))
        url = closing.enter_context(Servers(work / "servers", ("redis",))).urls["redis"]
        client = closing.enter_context(redis.Redis.from_url(url))
        members = [Member(url, entries, 2 * cameras // number) for _ in range(number)]
        for each in members:
            each.start()
            closing.callback(each.vanish)
        _await(lambda: sum(len(each.keeper.held) for each in members) == cameras)
        time.sleep(10)  # until the last cameras have moved
        before, began = _count_commands(client), time.monotonic()
        time.sleep(seconds)
        after, took = _count_commands(client), time.monotonic() - began
        held = sorted(len(each.keeper.held) for each in members)
        texts = [each.metrics.text().decode() for each in members]
        dead, *living = members
        lost, died = dead.keeper.held, time.monotonic()
        dead.vanish()
        _await(lambda: lost <= frozenset().union(*(each.keeper.held for each in living)))
        return {
            "held by a member, least and most": f"{held[0]}, {held[-1]}",
            "commands sent to Redis, a second": round((after[0] - before[0]) / took, 1),
            "commands executed by Redis, a second": round((after[1] - before[1]) / took, 1),
            "series of all members together": sum(
                line[:1] not in ("#", "") for text in texts for line in text.splitlines()
            ),
            "cameras of a dead member held again after, s": round(time.monotonic() - died, 1),
        }


def _await(condition: Any) -> None:
    deadline = time.monotonic() + 300
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError("the members did not acquire all cameras within 300 s")
        time.sleep(0.05)


def _count_commands(client: Any) -> tuple[int, int]:
    """Return the number of calls of scripts, and of executed commands, since Redis started."""
    stats = client.info("commandstats")
    calls = {name: int(each["calls"]) for name, each in stats.items()}
    return sum(n for name, n in calls.items() if "eval" in name), sum(calls.values())


def measure_cost(video: Path, seconds: float) -> dict[str, float]:
    """Measure the CPU time of an ingest process for reading a frame and for sending a frame.

    The process plays the video repeatedly, as fast as possible. In the first run it sends every
    frame, in the second run one frame of 25. Other work on the machine changes the CPU time little.
    """
    from dev_servers.control_feed import ControlFeed

    fps, results = read_frame_rate(video), {}
    with ExitStack() as closing:
        work = Path(closing.enter_context(tempfile.TemporaryDirectory()))
        servers = closing.enter_context(Servers(work / "servers", ("kafka", "redis")))
        for every in (1, 25):
            place = closing.enter_context(Place(work / f"place-{every}"))
            rate = f", fps: {fps / every:g}" if every > 1 else ""
            place.configure(
                servers, {f"camera-{every}": f'{{url: "{video}", loop: true{rate}}}'},
                retention="1m",
            )  # fmt: skip
            place.openlfr("topics", "apply", "--wait", "120")
            closing.enter_context(ControlFeed(place.config))
            member = Process(place, "--as-fast-as-possible")
            closing.callback(member.process.wait)
            closing.callback(member.process.kill)

            def frames(member: Process = member) -> tuple[float, float]:
                counts = {fate: float(n) for fate, n in _FATES.findall(member.metrics())}
                sent = counts.get("sent", 0.0)
                return sent + counts.get("sampled_away", 0.0), sent

            place.wait("frames", lambda frames=frames: frames()[0] > 2 * fps)
            first, cpu, began = frames(), Cost.now(member.process.pid), time.monotonic()
            time.sleep(seconds)
            last, spent = frames(), Cost.now(member.process.pid).cpu - cpu.cpu
            took = time.monotonic() - began
            member.process.kill()
            read, sent = last[0] - first[0], last[1] - first[1]
            results[every] = (1000 * spent / read, sent / read, read / took)
    (all_ms, all_sent, _), (some_ms, some_sent, _) = results[1], results[25]
    send_ms = (all_ms - some_ms) / (all_sent - some_sent)
    return {"read_ms": some_ms - send_ms * some_sent, "send_ms": send_ms}


def read_frame_rate(video: Path) -> float:
    """Return the number of frames a second of a video."""
    import av

    with av.open(str(video)) as container:
        return float(container.streams.video[0].average_rate or 25)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark of the command line, print the results, and write them to a file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--cameras", type=int, default=1000)
    parser.add_argument("--members", type=int, default=17)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--cost", type=Path, metavar="VIDEO")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(argv)
    sys.path.append(str(ROOT / "scripts"))
    checks, detail = [], {"load": load(), "machine": machine(), "commit": commit()}
    if options.cost:
        cost = measure_cost(options.cost.resolve(), options.seconds)
        checks += [Check(f"CPU of a frame, {name}", round(ms, 2)) for name, ms in cost.items()]
        detail["cost"] = cost
    else:
        results = measure_sharing(options.cameras, options.members, options.seconds)
        checks += [Check(name, value) for name, value in results.items()]
        detail["sharing"] = results
    findings = Findings(tuple(checks), detail)
    findings.print()
    if options.json:
        write_json(options.json, findings.as_json())
    return 0


if __name__ == "__main__":
    sys.exit(main())
