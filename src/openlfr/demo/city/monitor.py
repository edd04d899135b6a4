"""Takes a snapshot of all processes and counts about once a second, and kills a worker."""

from __future__ import annotations

import socket
import time
from collections import Counter, deque
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openlfr.demo.city.outcome import Outage, percentile
from openlfr.demo.city.process_metrics import ProcessMetrics, fetch_metrics, is_ready
from openlfr.demo.city.view import CameraRow, ProcessRow, Snapshot
from openlfr.simulate.sent_log import SentLog

if TYPE_CHECKING:
    from pathlib import Path

    from openlfr.demo.city.alerts import AlertFollower
    from openlfr.demo.city.processes import SupervisedProcess, Supervisor
    from openlfr.demo.city.street import City
    from openlfr.demo.city.totals import CityTotals
    from openlfr.demo.city.view import View

_INTERVAL_S = 1.0
_CAMERA_FRAMES = "openlfr_camera_frames_total"
_DROPPED = ("dropped", "overtaken", "unreadable")


class Workers:
    """The services' processes, each with health and metrics pages on its own port.

    Attributes:
        ports: Port by process name.
    """

    def __init__(self, supervisor: Supervisor, config: Path) -> None:
        self.ports: dict[str, int] = {}
        self._supervisor = supervisor
        self._config = config

    def start(self, service: str, number: int) -> None:
        """Start a replica named SERVICE-NUMBER; the single replica of alerting has no number."""
        name = service if service == "alerting" else f"{service}-{number}"
        self.ports[name] = port = _free_port()
        self._supervisor.start_openlfr(
            name, "service", service, "--config", self._config,
            OPENLFR_INSTANCE_ID=name, OPENLFR_HTTP=f"127.0.0.1:{port}",
        )  # fmt: skip

    def is_ready(self, name: str) -> bool:
        """Return whether a process reports that it is ready."""
        return is_ready(self.ports[name])


class CityMonitor:
    """Monitors the city while the films run.

    Attributes:
        outage: Outage of the killed worker; None before the kill.
        waited: Number of frames that, at the films' end, ingest had not read or analysis had not
            analysed.
        problems: Problems, a sentence each.
    """

    def __init__(
        self,
        city: City,
        workers: Workers,
        supervisor: Supervisor,
        totals: CityTotals,
        follower: AlertFollower,
        view: View,
    ) -> None:
        self.outage: Outage | None = None
        self.waited = 0
        self.problems: list[str] = []
        self._city, self._workers, self._supervisor = city, workers, supervisor
        self._totals, self._follower, self._view = totals, follower, view
        self._started_at: float | None = None  # time.time() of the first sent frame
        self._sent: SentLog | None = None
        self._refreshed_at = 0.0
        self._metrics: dict[str, ProcessMetrics] = {}  # of the processes that answer
        self._previous: dict[str, tuple[float, float]] = {}  # previous time and busy seconds
        self._busy: dict[str, float] = {}  # share of time, by process
        # The key includes the number of starts, since a process counts from 0 after each start.
        self._ingest_metrics: dict[tuple[str, int], ProcessMetrics] = {}
        self._events: deque[tuple[float, str]] = deque(maxlen=50)
        supervisor.on_event = self.record_event

    @property
    def elapsed(self) -> float:
        """Seconds since the first frame was sent."""
        return 0.0 if self._started_at is None else time.time() - self._started_at

    def record_event(self, sentence: str) -> None:
        """Record an event and show it."""
        self._events.appendleft((self.elapsed, sentence))
        self._view.show_event(self.elapsed, sentence)

    def kill(self, name: str) -> None:
        """Kill a worker; the supervisor restarts it."""
        self.outage = Outage(name, self.elapsed, datetime.now(UTC))
        self._supervisor.kill(name)

    def refresh(self) -> None:
        """Fetch all metrics and counts, and show a snapshot, if the last is at least 1 s old."""
        self._check_return()
        if time.monotonic() - self._refreshed_at < _INTERVAL_S:
            return
        self._refreshed_at = time.monotonic()
        if self._city.sent.exists():
            self._sent = SentLog(self._city.sent)
            first = [sent[0].at for name in self._city.films if (sent := self._sent.frames(name))]
            self._started_at = min(first, default=None)
        self._totals.refresh()
        for name, port in self._workers.ports.items():
            process = self._supervisor.processes[name]
            metrics = fetch_metrics(port) if process.is_running else None
            if metrics is None:
                self._metrics.pop(name, None)
                continue
            self._metrics[name] = metrics
            if name.startswith("ingest"):
                self._ingest_metrics[name, process.starts] = metrics
            self._measure_load(name, metrics)
        self._view.show(self._snapshot())

    def have_films_ended(self) -> bool:
        """Return whether every camera has sent the last frame of its film."""
        if self._sent is None:
            return False
        last = self._city.frames - 1
        return all(
            any(each.loop or each.frame >= last for each in self._sent.frames(name)[-1:])
            for name in self._city.films
        )

    def is_worker_back(self) -> bool:
        """Return whether the killed worker is ready again; until then the films are repeated."""
        return self.outage is not None and self.outage.ready_at is not None

    def end(self) -> None:
        """Count the waiting frames at the films' end; report a killed worker that is not ready."""
        self._refreshed_at = 0.0
        self.refresh()
        analysis = [each for name, each in self._metrics.items() if name.startswith("analysis")]
        self.waited = round(sum(metrics.get("openlfr_lag") for metrics in analysis))
        if self._sent is not None:
            read = [(row.camera, row.filmed + row.dropped) for row in self._snapshot().cameras]
            self.waited += sum(max(0, len(self._sent.frames(name)) - count) for name, count in read)
        if self.outage is not None and self.outage.ready_at is None:
            self.problems.append(f"{self.outage.name} was killed and was not ready again in time.")

    def _check_return(self) -> None:
        """Record the time at which the killed worker is ready again."""
        outage = self.outage
        if outage is None or outage.ready_at is not None:
            return
        is_running = self._supervisor.processes[outage.name].is_running
        if is_running and self._workers.is_ready(outage.name):
            self.outage = replace(outage, ready_at=self.elapsed, back_at=datetime.now(UTC))
            away_s = self.elapsed - outage.killed_at
            self.record_event(f"{outage.name} is ready again, {away_s:.1f} s after it was killed")

    def _measure_load(self, name: str, metrics: ProcessMetrics) -> None:
        now, busy = time.monotonic(), metrics.get("openlfr_busy_seconds_total")
        previous_at, previous_busy = self._previous.get(name, (now, busy))
        if now > previous_at:
            self._busy[name] = max(0.0, busy - previous_busy) / (now - previous_at)
        self._previous[name] = now, busy

    def _snapshot(self) -> Snapshot:
        latest = sorted(self._follower.events, key=lambda each: each[1], reverse=True)
        seconds = sorted((at - each.sighting.captured_at).total_seconds() for each, at in latest)
        return Snapshot(
            elapsed=self.elapsed,
            whole=self._city.seconds,
            cameras=tuple(self._camera_row(name) for name in self._city.films),
            processes=tuple(self._process_row(name) for name in self._workers.ports),
            latency=(percentile(seconds, 0.5), percentile(seconds, 0.95)) if seconds else None,
            alerts=tuple(event for event, _ in latest[:10]),
            events=tuple(self._events)[:10],
        )

    def _camera_row(self, camera: str) -> CameraRow:
        fates: Counter[str] = Counter()
        filmed_by = ""
        for (name, _), metrics in self._ingest_metrics.items():
            counts = metrics.sum_by(_CAMERA_FRAMES, "fate", camera=camera)
            fates += counts
            filmed_by = name if counts["sent"] else filmed_by
        totals = self._totals.cameras.get(camera)
        return CameraRow(
            camera=camera,
            filmed_by=filmed_by,
            filmed=fates["sent"],
            dropped=sum(fates[fate] for fate in _DROPPED),
            analysed=totals.frames_analysed if totals else None,
            faces=totals.tracks_begun if totals else None,
            sightings=self._totals.sightings[camera],
            opened=self._follower.by_camera[camera, "opened"],
            joined=self._follower.by_camera[camera, "joined"],
        )

    def _process_row(self, name: str) -> ProcessRow:
        process, metrics = self._supervisor.processes[name], self._metrics.get(name)
        state = "running" if metrics else "starting" if process.is_running else "dead"
        is_worker = metrics is not None and not name.startswith("ingest")
        return ProcessRow(
            name=name,
            pid=process.pid,
            state=state,
            starts=process.starts,
            busy=self._busy.get(name) if is_worker else None,
            waiting=round(metrics.get("openlfr_lag")) if metrics and is_worker else None,
            work_done=_describe_work(name, metrics) if metrics else _describe_start(process),
        )


def _describe_work(name: str, metrics: ProcessMetrics) -> str:
    if name.startswith("ingest"):
        return f"{metrics.sum_by(_CAMERA_FRAMES, 'fate')['sent']} frames sent"
    if name.startswith("analysis"):
        counts = metrics.sum_by("openlfr_analysis_total", "what")
        return (
            f"{counts['analysed']} frames, {counts['tracks_begun']} faces,"
            f" {counts['sightings']} sightings"
        )
    events = metrics.sum_by("openlfr_alerts_total", "event")
    recorded = metrics.sum_by("openlfr_records_total", "what")["recorded"]
    return f"{events['opened']} opened, {events['joined']} joined, {recorded} recorded"


def _describe_start(process: SupervisedProcess) -> str:
    return "" if process.starts == 1 else "restarted by the demonstration"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
