"""Shows the running demonstration: live tables on a terminal, lines on a pipe."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from openlfr.domain.text import escape_line
from openlfr.terminal import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openlfr.domain.alerts import AlertEvent

MAX_EVENTS, MAX_ALERTS = 5, 6
_LINE_INTERVAL_S = 10.0  # on a pipe


@dataclass(frozen=True, slots=True)
class CameraRow:
    """Counts of one camera so far.

    Attributes:
        filmed_by: Name of the process that films the camera; empty before the first frame.
        filmed: Frames sent to Kafka.
        dropped: Frames that were not sent.
        analysed, faces: Counts in the records; None before the first tally. Analysis sends a
            tally every 250 frames.
        opened, joined: Number of alert events.
    """

    camera: str
    filmed_by: str
    filmed: int
    dropped: int
    analysed: int | None
    faces: int | None
    sightings: int
    opened: int
    joined: int


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """State and load of one process.

    Attributes:
        state: "running", "starting" or "dead".
        busy: Share of time in which the process was busy; None if not reported.
        waiting: Number of messages that wait for the process; None if not reported.
        work_done: Description of the work since the latest start.
    """

    name: str
    pid: int
    state: str
    starts: int
    busy: float | None
    waiting: int | None
    work_done: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """State of the demonstration at one moment.

    Attributes:
        elapsed, whole: Elapsed and total time of the films, seconds.
        latency: (p50, p95) of the alerts so far, seconds; None before the first alert.
        alerts: Alerts, newest first.
        events: Events with their times in seconds of the films, newest first.
    """

    elapsed: float
    whole: float
    cameras: tuple[CameraRow, ...]
    processes: tuple[ProcessRow, ...]
    latency: tuple[float, float] | None
    alerts: tuple[AlertEvent, ...]
    events: tuple[tuple[float, str], ...]


class View:
    """Shows snapshots and events.

    Attributes:
        snapshots: All snapshots so far, about one per second, for a recording.
    """

    def __init__(self, live: Live | None) -> None:
        """Show snapshots on the live display; if it is None, print lines."""
        self.snapshots: list[Snapshot] = []
        self._live = live
        self._line_at = 0.0

    def show(self, snapshot: Snapshot) -> None:
        """Show a snapshot; on a pipe, print a line every ten seconds."""
        self.snapshots.append(snapshot)
        if self._live is not None:
            self._live.update(draw(snapshot))
            return
        if snapshot.elapsed >= self._line_at:
            self._line_at = snapshot.elapsed + _LINE_INTERVAL_S
            say("  " + summary_line(snapshot))

    def show_event(self, at: float, sentence: str) -> None:
        """Print an event on a pipe; a live display shows events with the next snapshot."""
        if self._live is None:
            say(f"  {clock(at)} {sentence}")


@contextmanager
def live_view() -> Iterator[View]:
    """Yield a view: a live display on a terminal, removed at the end, or lines on a pipe."""
    console = Console()
    if console.is_terminal:
        with Live(console=console, refresh_per_second=4, transient=True) as live:
            yield View(live)
    else:
        yield View(None)


def draw(snapshot: Snapshot) -> Group:
    """Draw header, cameras, processes, alerts and events."""
    latency = "no alert yet"
    if snapshot.latency is not None:
        latency = "captured to alert: p50 {:.2f} s, p95 {:.2f} s".format(*snapshot.latency)
    header = Table.grid(padding=(0, 2))
    header.add_row(
        Text(" OpenLFR: a city on this machine ", "bold reverse"),
        Text(f"{clock(snapshot.elapsed)} of {clock(snapshot.whole)}"),
        ProgressBar(
            total=snapshot.whole, completed=min(snapshot.elapsed, snapshot.whole), width=24
        ),
        Text(latency, "cyan"),
    )
    parts: list[RenderableType] = [
        header,
        Text(),
        _camera_table(snapshot.cameras),
        Text(),
        _process_table(snapshot.processes),
        Text(),
    ]
    alerts = [_alert_line(event) for event in snapshot.alerts[:MAX_ALERTS]]
    parts += alerts or [Text(" no alert so far", "dim")]
    parts += [Text()] * (1 + MAX_ALERTS - max(len(alerts), 1))
    parts += [
        Text(f" {clock(at)} {escape_line(sentence)}", "yellow" if "kill" in sentence else "")
        for at, sentence in snapshot.events[:MAX_EVENTS]
    ]
    return Group(*parts)


def summary_line(snapshot: Snapshot) -> str:
    """Return the snapshot as one line."""
    cameras = ", ".join(
        f"{each.camera} {each.filmed} frames {each.sightings} sightings"
        for each in snapshot.cameras
    )
    waiting = sum(each.waiting or 0 for each in snapshot.processes)
    return f"{clock(snapshot.elapsed)} {cameras}; {waiting} messages wait"


def clock(seconds: float) -> str:
    """Format seconds as M:SS."""
    minutes, rest = divmod(int(max(seconds, 0)), 60)
    return f"{minutes}:{rest:02}"


def _camera_table(rows: Sequence[CameraRow]) -> Table:
    table = Table(box=None, padding=(0, 2), header_style="dim")
    table.add_column("camera")
    table.add_column("filmed by")
    names = ("frames", "dropped", "analysed", "faces", "sightings", "alerts opened", "joined")
    for name in names:
        table.add_column(name, justify="right")
    for each in rows:
        table.add_row(
            each.camera,
            Text(each.filmed_by or "not yet", "" if each.filmed_by else "dim"),
            str(each.filmed),
            Text(str(each.dropped), "red" if each.dropped else "dim"),
            _count(each.analysed),
            _count(each.faces),
            str(each.sightings),
            Text(str(each.opened), "bold yellow" if each.opened else "dim"),
            str(each.joined),
        )
    columns = ("filmed", "dropped", "analysed", "faces", "sightings", "opened", "joined")
    sums = (str(sum(getattr(each, name) or 0 for each in rows)) for name in columns)
    table.add_row("all", "", *sums, style="dim")
    return table


def _count(number: int | None) -> Text:
    return Text("...", "dim") if number is None else Text(str(number))


def _process_table(rows: Sequence[ProcessRow]) -> Table:
    table = Table(box=None, padding=(0, 2), header_style="dim")
    table.add_column("process")
    table.add_column("pid", justify="right")
    table.add_column("state")
    for name in ("starts", "busy", "waiting"):
        table.add_column(name, justify="right")
    table.add_column("since its start")
    styles = {"running": "green", "starting": "yellow", "dead": "bold red"}
    for each in rows:
        table.add_row(
            each.name,
            str(each.pid),
            Text(each.state, styles.get(each.state, "")),
            Text(str(each.starts), "bold yellow" if each.starts > 1 else ""),
            "" if each.busy is None else f"{100 * each.busy:.0f}%",
            "" if each.waiting is None else str(each.waiting),
            each.work_done,
        )
    return table


def _alert_line(event: AlertEvent) -> Text:
    sighting = event.sighting
    return Text.assemble(
        (f" {event.event.upper():7}", "bold yellow" if event.event == "opened" else "dim"),
        f" {sighting.captured_at:%H:%M:%S}  {escape_line(sighting.camera):6} ",
        (f"{escape_line(sighting.subject):10}", "bold"),
        f" {sighting.score:.3f} (threshold {sighting.threshold:.2f})  alert {event.alert_id[:8]}",
    )
