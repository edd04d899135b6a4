"""What the demonstration shows while it lasts: a picture on a terminal, lines on a pipe."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from openlfr.domain.text import one_line
from openlfr.terminal import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openlfr.domain.alerts import AlertEvent

EVENTS_SHOWN, ALERTS_SHOWN = 5, 6
_LINE_EACH_S = 10.0  # on a pipe


@dataclass(frozen=True, slots=True)
class CameraRow:
    """One camera: what was counted so far.

    Attributes:
        by: The process that films it.
        filmed: Frames that Kafka has.
        analysed, faces: As the records have them, None before the first: analysis counts in
            stretches of 250 frames, each when it ends.
        opened, joined: Alert events.
    """

    camera: str
    by: str
    filmed: int
    dropped: int
    analysed: int | None
    faces: int | None
    sightings: int
    opened: int
    joined: int


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """One process.

    Attributes:
        state: at work, starting or killed.
        busy: Share of the time in which it worked; None where it does not say.
        waiting: Messages that wait for it; None where it does not say.
        did: What it has done since its latest start, in words.
    """

    name: str
    pid: int
    state: str
    starts: int
    busy: float | None
    waiting: int | None
    did: str


@dataclass(frozen=True, slots=True)
class Moment:
    """All that is shown at one moment.

    Attributes:
        elapsed, whole: Seconds of the films.
        latency: (p50, p95) in seconds of the alerts so far; None before the first.
        alerts, events: The newest first; events with the second at which they happened.
    """

    elapsed: float
    whole: float
    cameras: tuple[CameraRow, ...]
    processes: tuple[ProcessRow, ...]
    latency: tuple[float, float] | None
    alerts: tuple[AlertEvent, ...]
    events: tuple[tuple[float, str], ...]


class View:
    """Shows moments and sentences.

    Attributes:
        moments: What was shown, for a recording: about one a second.
    """

    def __init__(self, live: Live | None) -> None:
        self.moments: list[Moment] = []
        self._live = live
        self._line_at = 0.0
        self._said = 0

    def show(self, moment: Moment) -> None:
        """Show it; on a pipe what is new in it, and a line now and then."""
        self.moments.append(moment)
        if self._live is not None:
            self._live.update(picture(moment))
            return
        if moment.elapsed >= self._line_at:
            self._line_at = moment.elapsed + _LINE_EACH_S
            say("  " + line(moment))

    def event(self, at: float, sentence: str) -> None:
        """Something happened."""
        if self._live is None:
            say(f"  {clock(at)} {sentence}")


@contextmanager
def live_view() -> Iterator[View]:
    """A picture that renews itself and vanishes at the end; on a pipe lines."""
    console = Console()
    if console.is_terminal:
        with Live(console=console, refresh_per_second=4, transient=True) as live:
            yield View(live)
    else:
        yield View(None)


def picture(moment: Moment) -> Group:
    """Header, cameras, processes, alerts and what happened."""
    latency = "no alert yet"
    if moment.latency is not None:
        latency = "captured to alert: p50 {:.2f} s, p95 {:.2f} s".format(*moment.latency)
    header = Table.grid(padding=(0, 2))
    header.add_row(
        Text(" OpenLFR: a city on this machine ", "bold reverse"),
        Text(f"{clock(moment.elapsed)} of {clock(moment.whole)}"),
        ProgressBar(total=moment.whole, completed=min(moment.elapsed, moment.whole), width=24),
        Text(latency, "cyan"),
    )
    parts: list[RenderableType] = [
        header,
        Text(),
        _cameras(moment.cameras),
        Text(),
        _processes(moment.processes),
        Text(),
    ]
    alerts = [_alert(event) for event in moment.alerts[:ALERTS_SHOWN]]
    parts += alerts or [Text(" no alert so far", "dim")]
    parts += [Text()] * (1 + ALERTS_SHOWN - max(len(alerts), 1))
    parts += [
        Text(f" {clock(at)} {one_line(sentence)}", "yellow" if "kill" in sentence else "")
        for at, sentence in moment.events[:EVENTS_SHOWN]
    ]
    return Group(*parts)


def line(moment: Moment) -> str:
    """The moment in one line."""
    cameras = ", ".join(
        f"{each.camera} {each.filmed} frames {each.sightings} sightings" for each in moment.cameras
    )
    waiting = sum(each.waiting or 0 for each in moment.processes)
    return f"{clock(moment.elapsed)} {cameras}; {waiting} messages wait"


def clock(seconds: float) -> str:
    """Minutes and seconds."""
    minutes, rest = divmod(int(max(seconds, 0)), 60)
    return f"{minutes}:{rest:02}"


def _cameras(rows: Sequence[CameraRow]) -> Table:
    table = Table(box=None, padding=(0, 2), header_style="dim")
    table.add_column("camera")
    table.add_column("filmed by")
    names = ("frames", "dropped", "analysed", "faces", "sightings", "alerts opened", "joined")
    for name in names:
        table.add_column(name, justify="right")
    for each in rows:
        table.add_row(
            each.camera,
            Text(each.by or "nobody yet", "" if each.by else "dim"),
            str(each.filmed),
            Text(str(each.dropped), "red" if each.dropped else "dim"),
            _counted(each.analysed),
            _counted(each.faces),
            str(each.sightings),
            Text(str(each.opened), "bold yellow" if each.opened else "dim"),
            str(each.joined),
        )
    columns = ("filmed", "dropped", "analysed", "faces", "sightings", "opened", "joined")
    sums = (str(sum(getattr(each, name) or 0 for each in rows)) for name in columns)
    table.add_row("all", "", *sums, style="dim")
    return table


def _counted(number: int | None) -> Text:
    return Text("...", "dim") if number is None else Text(str(number))


def _processes(rows: Sequence[ProcessRow]) -> Table:
    table = Table(box=None, padding=(0, 2), header_style="dim")
    table.add_column("process")
    table.add_column("pid", justify="right")
    table.add_column("state")
    for name in ("starts", "busy", "waiting"):
        table.add_column(name, justify="right")
    table.add_column("since its start")
    styles = {"at work": "green", "starting": "yellow", "dead": "bold red"}
    for each in rows:
        table.add_row(
            each.name,
            str(each.pid),
            Text(each.state, styles.get(each.state, "")),
            Text(str(each.starts), "bold yellow" if each.starts > 1 else ""),
            "" if each.busy is None else f"{100 * each.busy:.0f}%",
            "" if each.waiting is None else str(each.waiting),
            each.did,
        )
    return table


def _alert(event: AlertEvent) -> Text:
    seen = event.sighting
    return Text.assemble(
        (f" {event.event.upper():7}", "bold yellow" if event.event == "opened" else "dim"),
        f" {seen.captured_at:%H:%M:%S}  {one_line(seen.camera):6} ",
        (f"{one_line(seen.subject):10}", "bold"),
        f" {seen.score:.3f} (threshold {seen.threshold:.2f})  alert {event.alert_id[:8]}",
    )
