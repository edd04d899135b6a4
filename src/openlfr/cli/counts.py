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

    from openlfr.operations.counting import DeploymentCounts, HourCounts
    from openlfr.settings import Settings

_WATCH_INTERVAL_S = 2.0
_HEAD: tuple[str, ...] = (
    "CAMERA", "HOUR (UTC)", "FRAMES", "DROPPED", "FACES", "TRACKS", "SIGHTINGS", "JOINED", "ALERTS",
)  # fmt: skip
_TEXT_COLUMNS = 2


@click.command(name="counts")
@config_option
@click.option("--watch", is_flag=True, help="Repeat every two seconds, until Ctrl-C.")
@click.option(
    "--camera", "cameras", multiple=True, metavar="NAME", help="Only this camera. Repeatable."
)
@click.option(
    "--hours", type=click.IntRange(1), metavar="N", help="Only the latest N hours that have counts."
)
@click.option("--total", is_flag=True, help="Print one line per camera: the sum of its hours.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print a JSON object; with --watch, one per line."
)
def command(
    config: Path, watch: bool, cameras: tuple[str, ...], hours: int | None, total: bool,
    as_json: bool,
) -> int:  # fmt: skip
    """Print the counts by camera and hour, of one process or city-wide.

    FRAMES were analysed. DROPPED frames were late, unreadable or of an ended epoch. A TRACK is one
    pass of a face, so a person may have several. FACES, tracks and SIGHTINGS come from tallies in
    the records. Redis counts ALERTS opened and sightings JOINED to an earlier alert.

    A tally covers up to ten seconds and counts for the hour in which it began. The latest ten
    seconds of a run are in no tally yet.
    """
    from openlfr import settings

    loaded = settings.load(config)
    deployment = _deployment_id(loaded)
    if unknown := [name for name in cameras if name not in loaded.cameras]:
        raise BadInput(f"{loaded.path} has no camera {', '.join(map(escape_line, unknown))}.")
    with ExitStack() as stack:
        read = _open_reader(loaded, deployment, stack)

        def read_selected() -> DeploymentCounts:
            counting = read()
            counting = counting.select_cameras(cameras) if cameras else counting
            return counting.select_newest(hours) if hours else counting

        def read_as_text() -> str:
            counting = read_selected()
            if as_json:
                return _as_json(deployment, counting, total=total)
            return "\n".join(_format_lines(counting, total=total))

        if watch:
            _watch(read_as_text, is_table=not as_json)
        else:
            say(read_as_text())
    return DONE


def _deployment_id(settings: Settings) -> str:
    """Return the id of the configured deployment.

    Raises:
        Misconfigured: The configuration has neither the deployment's id nor its name and start.
    """
    if not (identity := settings.deployment_entry.identity):
        raise Misconfigured(
            f"{settings.path}: deployment.name or deployment.starts is empty, so the deployment "
            "has no id. Set both keys, or deployment.id."
        )
    return identity


def _open_reader(
    settings: Settings, deployment: str, stack: ExitStack
) -> Callable[[], DeploymentCounts]:
    """Return a function that reads the counts from the servers or the data folder.

    If the data folder has no records yet, the function returns empty counts.
    """
    from openlfr import bootstrap
    from openlfr.operations.counting import DeploymentCounts, combine_counts

    if settings.services.sql is None and not bootstrap.find_records_file(settings).exists():
        return DeploymentCounts  # no run yet, and reading must not create a database
    records = stack.enter_context(bootstrap.open_records(settings))
    book = stack.enter_context(closing(bootstrap.open_alert_book(settings)))

    def read() -> DeploymentCounts:
        # Read opened alerts before events, so that each opened alert is also among the events.
        opened_alerts = book.opened_alert_counts(deployment)
        return combine_counts(
            records.tallies.by_hour(deployment), book.event_counts(deployment), opened_alerts
        )

    return read


def _watch(read_as_text: Callable[[], str], *, is_table: bool) -> None:
    """Print the counts after each change, until Ctrl-C.

    If a service is unavailable, print the error, and read the counts again after the interval.
    """
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from openlfr.domain.text import escape_text

    def read_or_explain() -> str:
        try:
            return read_as_text()
        except Unavailable as error:
            return escape_line(str(error))

    with ExitStack() as stack:
        live = None
        if is_table and sys.stdout.isatty():
            live = stack.enter_context(Live(console=Console(), auto_refresh=False))
        previous = ""
        try:
            while True:
                if (text := read_or_explain()) != previous:
                    previous = text
                    if live is None:
                        say(text)
                    else:
                        lines = "\n".join(escape_text(line) for line in text.split("\n"))
                        live.update(Text(lines), refresh=True)
                time.sleep(_WATCH_INTERVAL_S)
        except KeyboardInterrupt:
            return


def _format_lines(counting: DeploymentCounts, *, total: bool) -> Iterator[str]:
    if not counting.hours:
        yield "There are no counts yet."
        return
    rows = [_HEAD]
    if total:
        rows += [_format_row(camera, "", each) for camera, each in counting.cameras.items()]
    else:
        rows += [_format_row(camera, hour, each) for (camera, hour), each in counting.hours.items()]
    rows.append(_format_row("all", "", counting.total))
    widths = [max(len(row[n]) for row in rows) for n in range(len(_HEAD))]
    for row in rows:
        cells = zip(row, widths, strict=True)
        yield "  ".join(
            cell.ljust(width) if n < _TEXT_COLUMNS else cell.rjust(width)
            for n, (cell, width) in enumerate(cells)
        ).rstrip()
    totals = counting.total
    if difference := totals.sightings - totals.events:
        yield (
            f"{difference} published sightings are in no alert yet, or are dead letters."
            if difference > 0
            else f"{-difference} sightings of alerts are in no tally yet."
        )


def _format_row(camera: str, hour: str, each: HourCounts) -> tuple[str, ...]:
    numbers = (each.frames, each.dropped, each.faces, each.tracks, each.sightings,
               each.events - each.alerts, each.alerts)  # fmt: skip
    return (escape_line(camera), f"{hour}:00" if hour else "", *map(str, numbers))


def _as_json(deployment: str, counting: DeploymentCounts, *, total: bool) -> str:
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
