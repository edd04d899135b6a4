"""`openlfr service`: the processes of the city-wide mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from openlfr.cli import INTERRUPTED, SOMETHING_FAILED, config_option
from openlfr.terminal import say

if TYPE_CHECKING:
    from pathlib import Path

    from openlfr.settings import Settings
    from openlfr.settings.process import Process


@click.group(name="service")
def command() -> None:
    """Run one service of the city-wide mode; docs/architecture.md shows how they work together."""


@command.command()
@config_option
@click.option(
    "--camera", "cameras", multiple=True, metavar="NAME", help="Read only this camera; repeatable."
)
@click.option(
    "--epoch", type=click.IntRange(0), help="Epoch of the frames; the next one by default."
)
@click.option(
    "--as-fast-as-possible", is_flag=True, help="Do not wait until a file's frames are due."
)
def ingest(
    config: Path, cameras: tuple[str, ...], epoch: int | None, as_fast_as_possible: bool
) -> int:
    """Publish the cameras' frames to Kafka, until files end or the process is stopped.

    Files play at their recorded speed. With `max_age: off` no frame of a file is dropped.
    """
    from openlfr.settings.process import Process
    from openlfr_ingest.service import IngestRequest, run

    settings = _begin(config)
    request = IngestRequest(cameras, epoch, as_fast_as_possible)
    result = run(settings, request, http=Process.read("ingest").http)
    for camera, counts in result.counts.items():
        said = ", ".join(
            f"{number} {what.replace('_', ' ')}" for what, number in counts.items() if number
        )
        say(f"{camera}: {said or 'no frame'}")
    for problem in result.problems:
        say(problem, err=True)
    if result.stopped:
        return INTERRUPTED
    return SOMETHING_FAILED if result.problems else 0


_leave_option = click.option(
    "--leave",
    is_flag=True,
    help="Stop the worker of the same OPENLFR_INSTANCE_ID; it finishes its work and leaves its"
    " group.",
)
_removed_option = click.option(
    "--leave-if-removed",
    "statefulset",
    metavar="STATEFULSET",
    help="As --leave, but only if this pod will not come back, since its StatefulSet was scaled "
    "down or deleted. If the API server does not answer, nothing is done.",
)


@command.command()
@config_option
@_leave_option
@_removed_option
def analysis(config: Path, leave: bool, statefulset: str | None) -> None:
    """Search for listed people in frames from Kafka; a Faust worker.

    Exit code 3 if a needed service fails: unacknowledged messages are delivered again.
    """
    from openlfr.settings.process import Process

    process = Process.read("analysis")
    if statefulset is not None and _comes_back(process, statefulset):
        return
    settings = _begin(config)
    if leave or statefulset is not None:
        _leave(settings, process)
        return
    from openlfr_analysis.service import run

    run(settings, process)


@command.command()
@config_option
@_leave_option
@_removed_option
def alerting(config: Path, leave: bool, statefulset: str | None) -> None:
    """Raise alerts from sightings and record them; a Faust worker.

    Exit code 3 if a needed service fails: unacknowledged messages are delivered again.
    """
    from openlfr.settings.process import Process

    process = Process.read("alerting")
    if statefulset is not None and _comes_back(process, statefulset):
        return
    settings = _begin(config)
    if leave or statefulset is not None:
        _leave(settings, process)
        return
    from openlfr_alerting.service import run

    run(settings, process)


def _comes_back(process: Process, statefulset: str) -> bool:
    """Whether this pod will come back, or may: it then stays a member of its group."""
    from openlfr.adapters.kubernetes import ApiServer
    from openlfr.domain.errors import Unavailable

    if not process.instance:
        return False  # it has no membership to leave, and `_leave` reports it
    try:
        if not ApiServer.of_this_pod().will_come_back(process.instance, statefulset):
            return False
        why = f"{statefulset} still includes {process.instance}."
    except Unavailable as error:
        why = str(error)
    say(f"{why} It stays a member of {process.group} until its session is over.")
    return True


def _leave(settings: Settings, process: Process) -> None:
    from datetime import timedelta

    from openlfr import bootstrap
    from openlfr.adapters.kafka.membership import leave
    from openlfr.domain.errors import Misconfigured

    file = process.worker_file(settings.data_dir)
    if file is None:
        raise Misconfigured(
            "OPENLFR_INSTANCE_ID is not set. A worker without it leaves its group when it is"
            " stopped by SIGTERM, so --leave is not needed."
        )
    leave(
        bootstrap.kafka_brokers(settings),
        file,
        group=process.group,
        instance=process.instance,
        patience=timedelta(seconds=40),
        say=say,
    )


def _begin(config: Path) -> Settings:
    from openlfr import settings
    from openlfr.observability import configure_logging

    configure_logging(as_json=True)
    return settings.load(config)
