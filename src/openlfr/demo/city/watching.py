"""Watches the city while it films: asks every process, counts, and kills a worker when asked to."""

from __future__ import annotations

import socket
import time
from collections import Counter, deque
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openlfr.demo.city.measures import Said, ask, is_ready
from openlfr.demo.city.outcome import Outage, percentile
from openlfr.demo.city.view import CameraRow, Moment, ProcessRow
from openlfr.simulate.sent_log import SentLog

if TYPE_CHECKING:
    from pathlib import Path

    from openlfr.demo.city.alerts import AlertFollower
    from openlfr.demo.city.measures import Counted
    from openlfr.demo.city.processes import Kept, Supervisor
    from openlfr.demo.city.street import City
    from openlfr.demo.city.view import View

_EACH_S = 1.0
_FILMED = "openlfr_camera_frames_total"
_DROPPED = ("dropped", "overtaken", "unreadable")


class Workers:
    """The services' processes, each with a page of health and metrics on a port of its own.

    Attributes:
        ports: By name.
    """

    def __init__(self, supervisor: Supervisor, config: Path) -> None:
        self.ports: dict[str, int] = {}
        self._supervisor = supervisor
        self._config = config

    def start(self, service: str, number: int) -> None:
        """Start a replica; alerting has one, which goes by its service's name."""
        name = service if service == "alerting" else f"{service}-{number}"
        self.ports[name] = port = _free_port()
        self._supervisor.openlfr(
            name, "service", service, "--config", self._config,
            OPENLFR_INSTANCE_ID=name, OPENLFR_HTTP=f"127.0.0.1:{port}",
        )  # fmt: skip

    def is_ready(self, name: str) -> bool:
        """Whether it says that it is at work."""
        return is_ready(self.ports[name])


class Watching:
    """What is seen while the films run.

    Attributes:
        outage: Of the worker that was killed.
        waited: Frames that ingest had not read, or analysis not looked at, when the films ended.
        problems: A sentence each.
    """

    def __init__(
        self,
        city: City,
        workers: Workers,
        supervisor: Supervisor,
        counted: Counted,
        follower: AlertFollower,
        view: View,
    ) -> None:
        self.outage: Outage | None = None
        self.waited = 0
        self.problems: list[str] = []
        self._city, self._workers, self._supervisor = city, workers, supervisor
        self._counted, self._follower, self._view = counted, follower, view
        self._begun: float | None = None  # time.time() of the first frame sent
        self._sent: SentLog | None = None
        self._looked = 0.0
        self._said: dict[str, Said] = {}
        self._before: dict[str, tuple[float, float]] = {}  # when a process was asked, busy seconds
        self._busy: dict[str, float] = {}
        self._filmed: dict[tuple[str, int], Said] = {}  # by process and start: what ingest said
        self._ready: dict[str, int] = {}  # the start of each process that has been at work
        self._events: deque[tuple[float, str]] = deque(maxlen=50)
        supervisor.on_event = self.event

    @property
    def elapsed(self) -> float:
        """Seconds since the first frame was sent."""
        return 0.0 if self._begun is None else time.time() - self._begun

    def event(self, sentence: str) -> None:
        """Something happened."""
        self._events.appendleft((self.elapsed, sentence))
        self._view.event(self.elapsed, sentence)

    def kill(self, name: str) -> None:
        """Kill a worker; the supervisor starts it again."""
        self.outage = Outage(name, self.elapsed, datetime.now(UTC))
        self._supervisor.kill(name)

    def look(self) -> None:
        """Ask everybody, about once a second, and show what they say."""
        self._see_return()
        if time.monotonic() - self._looked < _EACH_S:
            return
        self._looked = time.monotonic()
        if self._city.sent.exists():
            self._sent = SentLog(self._city.sent)
            first = [sent[0].at for name in self._city.films if (sent := self._sent.of(name))]
            self._begun = min(first, default=None)
        self._counted.look()
        for name, port in self._workers.ports.items():
            kept = self._supervisor.kept[name]
            said = ask(port) if kept.lives else None
            if said is None:
                self._said.pop(name, None)
                continue
            self._said[name] = said
            if name.startswith("ingest"):
                self._filmed[name, kept.started] = said
            self._ready.setdefault(name, kept.started)
            self._measure(name, said)
        self._view.show(self._moment())

    def films_ended(self) -> bool:
        """Whether every camera has sent the last frame of its film."""
        if self._sent is None:
            return False
        last = self._city.frames - 1
        return all(
            any(each.loop or each.frame >= last for each in self._sent.of(name)[-1:])
            for name in self._city.films
        )

    def worker_is_back(self) -> bool:
        """Whether the killed worker is at work again. Until then the films go on, from anew."""
        return self.outage is not None and self.outage.ready_at is not None

    def end(self) -> None:
        """The films are over: note how much waits."""
        self._looked = 0.0
        self.look()
        analysis = [said for name, said in self._said.items() if name.startswith("analysis")]
        self.waited = round(sum(said.get("openlfr_lag") for said in analysis))
        if self._sent is not None:
            filmed = [(row.camera, row.filmed + row.dropped) for row in self._moment().cameras]
            self.waited += sum(max(0, len(self._sent.of(name)) - seen) for name, seen in filmed)
        if self.outage is not None and self.outage.ready_at is None:
            self.problems.append(f"{self.outage.name} was killed and did not come back in time.")

    def _see_return(self) -> None:
        """Notice when the killed worker is at work again."""
        outage = self.outage
        if outage is None or outage.ready_at is not None:
            return
        if self._supervisor.kept[outage.name].lives and self._workers.is_ready(outage.name):
            self.outage = replace(outage, ready_at=self.elapsed, back_at=datetime.now(UTC))
            away = self.elapsed - outage.killed_at
            self.event(f"{outage.name} is at work again, {away:.1f} s after it was killed")

    def _measure(self, name: str, said: Said) -> None:
        now, busy = time.monotonic(), said.get("openlfr_busy_seconds_total")
        at, before = self._before.get(name, (now, busy))
        if now > at:
            self._busy[name] = max(0.0, busy - before) / (now - at)
        self._before[name] = now, busy

    def _moment(self) -> Moment:
        latest = sorted(self._follower.events, key=lambda each: each[1], reverse=True)
        seconds = sorted((at - each.sighting.captured_at).total_seconds() for each, at in latest)
        return Moment(
            elapsed=self.elapsed,
            whole=self._city.seconds,
            cameras=tuple(self._camera(name) for name in self._city.films),
            processes=tuple(self._process(name) for name in self._workers.ports),
            latency=(percentile(seconds, 0.5), percentile(seconds, 0.95)) if seconds else None,
            alerts=tuple(event for event, _ in latest[:10]),
            events=tuple(self._events)[:10],
        )

    def _camera(self, camera: str) -> CameraRow:
        fates: Counter[str] = Counter()
        by = ""
        for (name, _), said in self._filmed.items():
            its = said.by(_FILMED, "fate", camera=camera)
            fates += its
            by = name if its["sent"] else by
        totals = self._counted.totals.get(camera)
        return CameraRow(
            camera=camera,
            by=by,
            filmed=fates["sent"],
            dropped=sum(fates[fate] for fate in _DROPPED),
            analysed=totals.frames_analysed if totals else None,
            faces=totals.tracks_begun if totals else None,
            sightings=self._counted.sightings[camera],
            opened=self._follower.by_camera[camera, "opened"],
            joined=self._follower.by_camera[camera, "joined"],
        )

    def _process(self, name: str) -> ProcessRow:
        kept, said = self._supervisor.kept[name], self._said.get(name)
        state = "at work" if said else "starting" if kept.lives else "dead"
        worker = said is not None and not name.startswith("ingest")
        return ProcessRow(
            name=name,
            pid=kept.pid,
            state=state,
            starts=kept.started,
            busy=self._busy.get(name) if worker else None,
            waiting=round(said.get("openlfr_lag")) if said and worker else None,
            did=_did(name, said) if said else _missing(kept),
        )


def _did(name: str, said: Said) -> str:
    """What a process has done, in words."""
    if name.startswith("ingest"):
        return f"{said.by(_FILMED, 'fate')['sent']} frames sent"
    if name.startswith("analysis"):
        what = said.by("openlfr_analysis_total", "what")
        return (
            f"{what['analysed']} frames, {what['tracks_begun']} faces,"
            f" {what['sightings']} sightings"
        )
    events = said.by("openlfr_alerts_total", "event")
    recorded = said.by("openlfr_records_total", "what")["recorded"]
    return f"{events['opened']} opened, {events['joined']} joined, {recorded} recorded"


def _missing(kept: Kept) -> str:
    return "" if kept.started == 1 else "started again by the demonstration"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
