"""`openlfr counts`: the counts by camera and hour, of one process or city-wide."""

from __future__ import annotations

import json
import sys
import time
from contextlib import ExitStack, closing
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from openlfr.cli import DONE, config_option
from openlfr.domain.errors import BadInput, Misconfigured, Unavailable
from openlfr.domain.text import escape_line
from openlfr.terminal import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from openlfr.operations.counting import Counted, Counting
    from openlfr.settings import Settings

_INTERVAL_S = 2.0
_HEAD: tuple[str, ...] = (
    "CAMERA", "HOUR (UTC)", "FRAMES", "DROPPED", "FACES", "TRACKS", "SIGHTINGS", "JOINED", "ALERTS",
)  # fmt: skip
_TEXT_COLUMNS = 2


@click.command(name="counts")
@config_option
@click.option("--watch", is_flag=True, help="Print again every two seconds, until Ctrl-C.")
@click.option(
    "--camera", "cameras", multiple=True, metavar="NAME", help="Only this camera; repeatable."
)
@click.option(
    "--hours", type=click.IntRange(1), metavar="N", help="Only the newest N hours that have counts."
)
@click.option("--total", is_flag=True, help="One line per camera, all hours together.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object; with --watch one per line."
)
def command(
    config: Path, watch: bool, cameras: tuple[str, ...], hours: int | None, total: bool,
    as_json: bool,
) -> int:  # fmt: skip
    """Print the counts by camera and hour, of one process or city-wide.

    FRAMES were analysed. DROPPED frames were late, unreadable, or of an epoch that was over. FACES,
    TRACKS (passes, not people) and SIGHTINGS come from the tallies in the records. JOINED sightings
    and opened ALERTS are counted by Redis when a sighting is folded. A tally of up to ten seconds
    counts for the hour in which it began; the last ten seconds of a run are in no tally yet.
    """
    from openlfr import settings

    loaded = settings.load(config)
    deployment = _deployment(loaded)
    if unknown := [name for name in cameras if name not in loaded.cameras]:
        raise BadInput(f"{loaded.path} has no camera {', '.join(map(escape_line, unknown))}.")
    with ExitStack() as stack:
        read = _reader(loaded, deployment, stack)

        def look() -> Counting:
            found = read()
            found = found.of(cameras) if cameras else found
            return found.newest(hours) if hours else found

        def text_of(counting: Counting) -> str:
            if as_json:
                return _as_json(deployment, counting, total=total)
            return "\n".join(_lines(counting, total=total))

        if watch:
            _watch(lambda: text_of(look()), renewed=not as_json)
        else:
            say(text_of(look()))
    return DONE


def _deployment(settings: Settings) -> str:
    """The id of the deployment.

    Raises:
        Misconfigured: The configuration has neither its id nor its name and start.
    """
    if not (identity := settings.deployment_entry.identity):
        raise Misconfigured(
            f"{settings.path}: deployment.name or deployment.starts is empty, so the deployment is "
            "unknown. Set both, or deployment.id."
        )
    return identity


def _reader(settings: Settings, deployment: str, stack: ExitStack) -> Callable[[], Counting]:
    """A function that reads the counts; those of one process come from its data folder."""
    from openlfr import bootstrap
    from openlfr.operations.counting import Counting, count_up

    if settings.services.sql is None and not bootstrap.records_file(settings).exists():
        return Counting  # no run yet: reading must not create a database
    records = stack.enter_context(bootstrap.open_records(settings))
    book = stack.enter_context(closing(bootstrap.open_alert_book(settings)))

    def read() -> Counting:
        # Opened alerts first, so that each of them is also among the events read next.
        opened = book.opened(deployment)
        return count_up(records.tallies.by_hour(deployment), book.counts(deployment), opened)

    return read


def _watch(look: Callable[[], str], *, renewed: bool) -> None:
    """Print the counts repeatedly; print an error too, and try again."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from openlfr.domain.text import escape_text

    def text() -> str:
        try:
            return look()
        except Unavailable as error:
            return escape_line(str(error))

    with ExitStack() as stack:
        live = None
        if renewed and sys.stdout.isatty():
            live = stack.enter_context(Live(console=Console(), auto_refresh=False))
        before = ""
        try:
            while True:
                if (now := text()) != before:
                    before = now
                    if live is None:
                        say(now)
                    else:
                        lines = "\n".join(escape_text(line) for line in now.split("\n"))
                        live.update(Text(lines), refresh=True)
                time.sleep(_INTERVAL_S)
        except KeyboardInterrupt:
            return


def _lines(counting: Counting, *, total: bool) -> Iterator[str]:
    if not counting.hours:
        yield "There are no counts yet."
        return
    rows = [_HEAD]
    if total:
        rows += [_row(camera, "", each) for camera, each in counting.cameras.items()]
    else:
        rows += [_row(camera, hour, each) for (camera, hour), each in counting.hours.items()]
    rows.append(_row("all", "", counting.total))
    widths = [max(len(row[n]) for row in rows) for n in range(len(_HEAD))]
    for row in rows:
        cells = zip(row, widths, strict=True)
        yield "  ".join(
            cell.ljust(width) if n < _TEXT_COLUMNS else cell.rjust(width)
            for n, (cell, width) in enumerate(cells)
        ).rstrip()
    everything = counting.total
    if on_way := everything.sightings - everything.events:
        yield (
            f"{on_way} sightings are published and not folded yet, or are dead letters."
            if on_way > 0
            else f"{-on_way} folded sightings are in no tally yet."
        )


def _row(camera: str, hour: str, each: Counted) -> tuple[str, ...]:
    numbers = (each.frames, each.dropped, each.faces, each.tracks, each.sightings,
               each.events - each.alerts, each.alerts)  # fmt: skip
    return (escape_line(camera), f"{hour}:00" if hour else "", *map(str, numbers))


def _as_json(deployment: str, counting: Counting, *, total: bool) -> str:
    hours = [
        {"camera": camera, "hour": f"{hour}:00Z", **asdict(each)}
        for (camera, hour), each in counting.hours.items()
    ]
    return json.dumps(
        {
            "deployment": deployment,
            "at": datetime.now(UTC).isoformat(),
            **({} if total else {"hours": hours}),
            "cameras": [{"camera": name, **asdict(c)} for name, c in counting.cameras.items()],
            "total": asdict(counting.total),
        },
        ensure_ascii=False,
    )
