"""`openlfr service`: the processes of the city-wide mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from openlfr.cli import INTERRUPTED, SOMETHING_FAILED, config_option

if TYPE_CHECKING:
    from pathlib import Path

    from openlfr.settings import Settings


@click.group(name="service")
def command() -> None:
    """Run one service of the city-wide mode; docs/architecture.md shows how they fit together."""


@command.command()
@config_option
@click.option(
    "--camera", "cameras", multiple=True, metavar="NAME", help="Film it alone; repeatable."
)
@click.option("--epoch", type=click.IntRange(0), help="That frames carry; the next one by default.")
@click.option(
    "--as-fast-as-possible", is_flag=True, help="Do not wait until a file's frames are due."
)
def ingest(
    config: Path, cameras: tuple[str, ...], epoch: int | None, as_fast_as_possible: bool
) -> int:
    """Send the cameras' frames to Kafka, until files end or it is stopped.

    Files are played as they were filmed. With `max_age: off` no frame of a file is dropped.
    """
    from openlfr.settings.process import Process
    from openlfr_ingest.service import Order, run

    settings = _begin(config)
    order = Order(cameras, epoch, as_fast_as_possible)
    filmed = run(settings, order, http=Process.read("ingest").http)
    for camera, counts in filmed.counts.items():
        said = ", ".join(
            f"{number} {what.replace('_', ' ')}" for what, number in counts.items() if number
        )
        click.echo(f"{camera}: {said or 'no frame'}")
    for problem in filmed.problems:
        click.echo(problem, err=True)
    if filmed.stopped:
        return INTERRUPTED
    return SOMETHING_FAILED if filmed.problems else 0


@command.command()
@config_option
def analysis(config: Path) -> None:
    """Look for listed people in frames from Kafka; a Faust worker.

    Exit code 3 where a needed service fails: what was not acknowledged is delivered again.
    """
    from openlfr.settings.process import Process
    from openlfr_analysis.service import run

    run(_begin(config), Process.read("analysis"))


@command.command()
@config_option
def alerting(config: Path) -> None:
    """Make alerts of sightings and record them; a Faust worker.

    Exit code 3 where a needed service fails: what was not acknowledged is delivered again.
    """
    from openlfr.settings.process import Process
    from openlfr_alerting.service import run

    run(_begin(config), Process.read("alerting"))


def _begin(config: Path) -> Settings:
    from openlfr import settings
    from openlfr.observability import configure_logging

    configure_logging(as_json=True)
    return settings.load(config)
