"""Measures the time from camera to alert, its parts, and the largest number of cameras.

    .venv/bin/python -m benchmarks.latency [--minutes 10] [--cameras 4] [--ladder 6 8] [--json FILE]

Streets of 1280 x 720 at 5 frames a second are simulated once from photos of `--faces DIR` (a folder
per person), and served as real RTSP cameras on loopback (`openlfr simulate cameras`). Without
--faces the faces are those of OPENLFR_TEST_DATA, or the few in installed packages. The three
services run over real Kafka, Redis, Milvus and PostgreSQL, all on this machine, with default
settings.

Each picture contains its number, and the cameras log when each was sent. A pass of a listed person
begins when its first eligible frame leaves the camera: by the street's truth the face is at least
48 pixels wide, 70% visible and wholly inside. It ends when a consumer of `alerts.v1` has the event.
The legs in between:

    rule        until the frame after which the track was worth a search (`stages/probe.py`);
                negative where the face was good enough before it was eligible
    camera      that frame: sent -> received and decoded by ingest
    ingest      -> encoded as JPEG, on frames.v1
    analysis    -> fetched, decoded, processed, the sighting on sightings.v1
    alerting    -> fetched, folded, the event on alerts.v1
    consumer    -> received

`--ladder` then finds the largest number of cameras without overload, a minute for each number: at
most one frame in a hundred is dropped, and no more frames wait at the end than at the beginning.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.acceptance.findings import Check, Findings, commit, machine, write_json
from benchmarks.city import Cost, Place, Servers, load
from benchmarks.taps import Lag, Taps
from benchmarks.walks import FILMS, FPS, street, walks_of

from openlfr.simulate.sent_log import SentLog

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

GOAL_P50_S, GOAL_P95_S = 1.0, 2.0
WARM_UP_S = 15.0
MOST_DROPPED = 0.01  # share of the frames that a camera sends
LEGS = ("rule", "camera", "ingest", "analysis", "alerting", "consumer")
SERVICES = ("ingest", "analysis", "alerting")
_SENT = re.compile(r"(\d+) (sent|dropped|overtaken|unreadable)")


@dataclass(frozen=True, slots=True)
class Alerted:
    """A pass and the duration of each leg, seconds."""

    camera: str
    person: str
    began: float
    legs: dict[str, float]

    @property
    def total(self) -> float:
        """Seconds from the first eligible frame to the consumer."""
        return sum(self.legs.values())


class Run:
    """A run of the services over a number of cameras."""

    def __init__(
        self, folder: Path, servers: Servers, made: Path, cameras: int, workers: int
    ) -> None:
        self.films = {f"{FILMS[n % 4]}-{n // 4 + 1}": made / FILMS[n % 4] for n in range(cameras)}
        self._made, self._workers = made, workers
        self._servers = servers
        self.place = Place(folder)
        self.costs: dict[str, float] = {}
        self.lags: list[tuple[float, int]] = []
        self.began = self.ended = 0.0

    def go(self, minutes: float) -> Taps:
        """Start everything, run for this time, stop it; return the taps."""
        with ExitStack() as closing, self.place:
            place = self.place
            sent = place.folder / "sent.jsonl"
            place.folder.mkdir(parents=True)
            videos = [f"{name}={film / 'video.mp4'}" for name, film in self.films.items()]
            place.start("cameras", "-m", "openlfr", "simulate", "cameras", *videos,
                        "--port", 0, "--log", sent)  # fmt: skip
            out = place.folder / "cameras.out"
            said = place.wait("cameras", lambda: out.read_text().count("rtsp://") == len(videos)
                              and out.read_text())  # fmt: skip
            urls = dict(re.findall(r'^  (\S+): \{url: "(\S+)"\}', said, re.MULTILINE))
            place.configure(
                self._servers, {name: f'{{url: "{url}"}}' for name, url in urls.items()},
                max_age="2s", retention="10m",
            )  # fmt: skip
            place.openlfr("topics", "apply", "--wait", "60")
            place.openlfr("records", "upgrade")
            place.service("alerting")
            place.openlfr("watchlist", "import", self._made / "manifest.csv")
            workers = [f"analysis-{n}" if n else "analysis" for n in range(self._workers)]
            for number in range(self._workers):
                place.service("analysis", instance=number)
            for name in ("alerting", *workers):
                place.wait(f"readiness of {name}", partial(place.ready, name))
            lag = Lag(self._servers.broker, "openlfr-analysis")
            closing.callback(lag.close)
            taps = Taps(self._servers.broker)
            closing.callback(taps.close)
            place.service("ingest")
            place.wait("frames", lambda: len({key[0] for key in taps.frames}) == len(urls))
            time.sleep(WARM_UP_S)
            self._watch(minutes, lag, workers)
            time.sleep(3)  # the last frames are still in transit
            place.stop("ingest")
            if taps.ended:
                raise RuntimeError("; ".join(taps.ended))
            return taps

    def _watch(self, minutes: float, lag: Lag, workers: Sequence[str]) -> None:
        """Record lag and cost while the services run."""
        pids = {name: process.pid for name, process in self.place.running.items()}
        pids |= self._servers.processes()
        pids["measuring"] = os.getpid()
        before = {name: Cost.now(pid) for name, pid in pids.items()}
        self.began = time.time()
        while (left := self.began + minutes * 60 - time.time()) > 0:
            time.sleep(min(2.0, left))
            self.lags.append((time.time() - self.began, lag.now()))
            self.place.wait("", lambda: True)  # raises if a process has failed
        self.ended = time.time()
        own = {n: before[n].cores_until(Cost.now(pid)) for n, pid in pids.items()}
        # Not this process's children: the services are measured separately.
        children = sum(own[name] for name in self.place.running)
        own["measuring"] = max(0.0, own["measuring"] - children)
        own["analysis"] = sum(own.pop(name) for name in workers)
        self.costs = own

    def sent(self) -> dict[str, int]:
        """Return ingest's counts of the frames by fate."""
        total: dict[str, int] = defaultdict(int)
        for number, what in _SENT.findall((self.place.folder / "ingest.out").read_text()):
            total[what] += int(number)
        return dict(total)

    def searched_after(self) -> dict[str, int]:
        """Return the frame after which each sighting was searched, from the log of analysis."""
        found = {}
        for number in range(self._workers):
            name = f"analysis-{number}" if number else "analysis"
            for line in self.place.log(name).splitlines():
                if '"event": "sighting"' in line:
                    entry = json.loads(line)
                    found[entry["sighting"]] = entry["searched_after"]
        return found

    def alerted(self, taps: Taps) -> tuple[list[Alerted], int]:
        """Return the passes with an event, and the number of all passes."""
        log = SentLog(self.place.folder / "sent.jsonl")
        after = self.searched_after()
        seen: dict[str, list[tuple[float, int, str, str]]] = defaultdict(list)
        for sighting_id, each in taps.sightings.items():
            s = each.sighting
            frame = taps.frames.get((s.camera, s.epoch, s.seq))
            if frame is not None and frame.number is not None:
                seen[s.camera].append((frame.captured, frame.number, s.subject, sighting_id))
        found: list[Alerted] = []
        expected = 0
        for camera, film in self.films.items():
            for walk in walks_of(film):
                for began in log.list_sending_times(camera, walk.eligible):
                    if not self.began <= began <= self.ended - 10:
                        continue
                    expected += 1
                    longest = (walk.last - walk.first + 1) / FPS
                    mine = sorted(
                        (captured, sighting_id)
                        for captured, number, subject, sighting_id in seen[camera]
                        if subject == walk.person
                        and walk.first <= number <= walk.last
                        and abs(captured - began) <= longest + 2
                    )
                    if mine and (legs := self._legs(taps, log, began, mine[0][1], after)):
                        found.append(Alerted(camera, walk.person, began, legs))
        return found, expected

    @staticmethod
    def _legs(
        taps: Taps, log: SentLog, began: float, sighting_id: str, after: dict[str, int]
    ) -> dict[str, float] | None:
        sighting, alert = taps.sightings[sighting_id], taps.alerts.get(sighting_id)
        s = sighting.sighting
        frame = taps.frames.get((s.camera, s.epoch, after.get(sighting_id, s.seq)))
        if alert is None or frame is None or frame.number is None:
            return None
        sent = log.find_last_sending(s.camera, frame.number, frame.captured)
        if sent is None:
            return None
        moments = (began, sent, frame.captured, frame.appended, sighting.appended, alert.appended,
                   alert.received)  # fmt: skip
        steps = (later - earlier for earlier, later in pairwise(moments))
        return dict(zip(LEGS, steps, strict=True))


def percentile(values: Iterable[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(share * 1000) // 1000) - 1)]


def growth(lags: Sequence[tuple[float, int]]) -> float:
    """Return the mean lag of the last third minus that of the first, records."""
    third = max(1, len(lags) // 3)
    return statistics.mean(lag for _, lag in lags[-third:]) - statistics.mean(
        lag for _, lag in lags[:third]
    )


def holds(run: Run, taps: Taps) -> tuple[bool, dict[str, Any]]:
    """Return whether the machine keeps up: few dropped frames, and little growth of the lag."""
    cameras = len(run.films)
    within = [f for f in taps.frames.values() if run.began <= f.captured <= run.ended]
    due = cameras * FPS * (run.ended - run.began)
    facts = {
        "cameras": cameras,
        "frames_on_topic": len(within),
        "share_of_those_filmed": round(len(within) / due, 4),
        "dropped_by_ingest": sum(run.sent().get(what, 0) for what in ("dropped", "overtaken")),
        "dropped_late_by_analysis": taps.dropped_late,
        "lag_growth": round(growth(run.lags), 1),
        "lag_most": max(lag for _, lag in run.lags),
        "cores": {name: round(cores, 3) for name, cores in run.costs.items()},
        "load": load(),
    }
    dropped = taps.dropped_late + facts["dropped_by_ingest"]
    facts["share_dropped"] = round(dropped / due, 4)
    held = (
        dropped <= MOST_DROPPED * due
        and len(within) >= 0.98 * due
        and growth(run.lags) < cameras * FPS
    )
    return held, facts


def judge(run: Run, taps: Taps) -> Findings:
    """Return the figures with their goals."""
    alerted, expected = run.alerted(taps)
    if not alerted:
        raise RuntimeError(f"none of {expected} passes gave an alert that could be followed")
    _, facts = holds(run, taps)
    cameras = len(run.films)
    minutes = (run.ended - run.began) / 60
    totals = [each.total for each in alerted]
    p50, p95 = percentile(totals, 0.5), percentile(totals, 0.95)
    sizes = [f.size for f in taps.frames.values() if run.began <= f.captured <= run.ended]
    unread = sum(frame.number is None for frame in taps.frames.values())
    checks = [
        Check("first eligible frame to alert, p50, s", round(p50, 3), f"< {GOAL_P50_S:g}",
              p50 < GOAL_P50_S),
        Check("first eligible frame to alert, p95, s", round(p95, 3), f"< {GOAL_P95_S:g}",
              p95 < GOAL_P95_S),
        Check(f"lag on frames.v1, last third over first third of {minutes:.1f} min, records",
              facts["lag_growth"], f"< {cameras * FPS}", facts["lag_growth"] < cameras * FPS),
        Check("frames dropped, of those that the cameras sent", facts["share_dropped"]),
        Check("passes with an alert, of those with three eligible frames",
              f"{len(alerted)} of {expected}"),
    ]  # fmt: skip
    without = [each.total - each.legs["rule"] for each in alerted]
    checks.append(
        Check("of it the way of the deciding frame (all but the rule), p50 and p95, s",
              f"{percentile(without, 0.5):.3f} and {percentile(without, 0.95):.3f}")
    )  # fmt: skip
    for leg in LEGS:
        taken = [each.legs[leg] for each in alerted]
        checks.append(
            Check(f"  {leg}, p50 and p95, s",
                  f"{percentile(taken, 0.5):.3f} and {percentile(taken, 0.95):.3f}")
        )  # fmt: skip
    checks.append(Check("bytes a second of each camera on Kafka",
                        round(sum(sizes) / (run.ended - run.began) / cameras)))  # fmt: skip
    checks.append(Check("bytes of a frame", round(statistics.mean(sizes))))
    checks += [
        Check(f"CPU of {name} for each camera, cores", round(run.costs[name] / cameras, 4))
        for name in SERVICES
    ]
    checks += [
        Check(f"CPU of {name} in all, cores", round(cores, 3))
        for name, cores in run.costs.items()
        if name not in SERVICES
    ]
    return Findings(
        tuple(checks),
        {**facts, "numbers_unread": unread, "lags": run.lags,
         "passes": [{**asdict(each), "total": each.total} for each in alerted]},
    )  # fmt: skip


def climb(servers: Servers, folder: Path, made: Path, rungs: Sequence[int], workers: int) -> Any:
    """Return the largest number of cameras without overload; each rung runs a minute."""
    most, tried = 0, []
    for cameras in rungs:
        run = Run(folder / f"rung-{cameras}", servers, made, cameras, workers)
        held, facts = holds(run, run.go(1.0))
        tried.append({"holds": held, **facts})
        print(f"{cameras} cameras {'hold' if held else 'do NOT hold'}: {facts}", file=sys.stderr)
        if not held:
            break
        most = cameras
    return most, tried


def main() -> int:
    """Print the figures; return 1 if a goal is not met."""
    parser = argparse.ArgumentParser(prog="benchmarks.latency")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    parser.add_argument("--minutes", type=float, default=10, help="0: only the ladder")
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument(
        "--workers",
        type=int,
        default=min(len(FILMS), os.cpu_count() or 1),
        help="processes of analysis; default: one per core, at most four",
    )
    parser.add_argument("--ladder", type=int, nargs="*", default=[], metavar="CAMERAS")
    parser.add_argument("--faces", type=Path, metavar="DIR", help="photos, a folder per person")
    parser.add_argument("--work", type=Path, default=cache / "openlfr" / "latency")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--keep", action="store_true", help="keep the logs and print their folder")
    wanted = parser.parse_args()
    if wanted.faces is None and (test_data := os.environ.get("OPENLFR_TEST_DATA")):
        wanted.faces = Path(test_data) / "testdata/lfw/images"
    print(f"faces: {wanted.faces or 'of photos that installed packages carry'}")
    made = street(wanted.work, wanted.faces and wanted.faces.resolve())
    folder = Path(tempfile.mkdtemp(prefix="openlfr-latency-"))
    before = load()
    try:
        with Servers(folder / "servers", ("kafka", "redis", "milvus", "sql")) as servers:
            found = Findings(())
            if wanted.minutes:
                run = Run(folder / "run", servers, made, wanted.cameras, wanted.workers)
                found = judge(run, run.go(wanted.minutes))
                found.print()
            most, tried = climb(servers, folder, made, wanted.ladder, wanted.workers)
    finally:
        if wanted.keep:
            print(f"logs: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    if wanted.ladder:
        print(f"figure   cameras that hold, of the rungs tried: {most or 'none'}")
    print(f"load averages before {before} and at the end {load()}, {os.cpu_count()} cores")
    result = {
        "commit": commit(), "machine": machine(), "load_before": before, "load": load(),
        "minutes": wanted.minutes, "cameras": wanted.cameras, "workers": wanted.workers,
        "cameras_that_hold": most, "ladder": tried, **found.as_json(),
    }  # fmt: skip
    if wanted.json:
        write_json(wanted.json, result)
    return 0 if found.passed else 1


if __name__ == "__main__":
    sys.exit(main())
