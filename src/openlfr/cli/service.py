"""`openlfr service`: run a process of the city-wide mode."""

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
    """Run one service of the city-wide mode (docs/architecture.md)."""


@command.command()
@config_option
@click.option(
    "--camera", "cameras", multiple=True, metavar="NAME", help="Read only this camera. Repeatable."
)
@click.option(
    "--epoch", type=click.IntRange(0), help="Epoch of the frames. Default: the next epoch."
)
@click.option(
    "--as-fast-as-possible", is_flag=True, help="Publish a file's frames without waiting."
)
def ingest(
    config: Path, cameras: tuple[str, ...], epoch: int | None, as_fast_as_possible: bool
) -> int:
    """Publish the cameras' frames to Kafka.

    The process runs until it is stopped or all files end. Files are read at their recorded speed.
    With `max_age: off` no frame of a file is dropped.
    """
    from openlfr.settings.process import Process
    from openlfr_ingest.service import IngestRequest, run

    settings = _load_settings(config)
    request = IngestRequest(cameras, epoch, as_fast_as_possible)
    result = run(settings, request, http=Process.read("ingest").http)
    for camera, counts in result.counts.items():
        text = ", ".join(
            f"{number} {name.replace('_', ' ')}" for name, number in counts.items() if number
        )
        say(f"{camera}: {text or 'no frame'}")
    for problem in result.problems:
        say(problem, err=True)
    if result.stopped:
        return INTERRUPTED
    return SOMETHING_FAILED if result.problems else 0


_leave_option = click.option(
    "--leave",
    is_flag=True,
    help="Stop the worker with the same OPENLFR_INSTANCE_ID. It finishes its work and leaves its"
    " consumer group.",
)
_removed_option = click.option(
    "--leave-if-removed",
    "statefulset",
    metavar="STATEFULSET",
    help="As --leave, but only if this pod will not return, because its StatefulSet was scaled "
    "down or deleted. If the API server does not answer, the worker is not stopped.",
)


@command.command()
@config_option
@_leave_option
@_removed_option
def analysis(config: Path, leave: bool, statefulset: str | None) -> None:
    """Search for listed people in frames from Kafka.

    The process is a Faust worker. Exit code 3 if a required service fails; unacknowledged messages
    are then delivered again.
    """
    from openlfr.settings.process import Process

    process = Process.read("analysis")
    if statefulset is not None and _may_return(process, statefulset):
        return
    settings = _load_settings(config)
    if leave or statefulset is not None:
        _leave_group(settings, process)
        return
    from openlfr_analysis.service import run

    run(settings, process)


@command.command()
@config_option
@_leave_option
@_removed_option
def alerting(config: Path, leave: bool, statefulset: str | None) -> None:
    """Raise alerts from sightings and record them.

    The process is a Faust worker. Exit code 3 if a required service fails; unacknowledged messages
    are then delivered again.
    """
    from openlfr.settings.process import Process

    process = Process.read("alerting")
    if statefulset is not None and _may_return(process, statefulset):
        return
    settings = _load_settings(config)
    if leave or statefulset is not None:
        _leave_group(settings, process)
        return
    from openlfr_alerting.service import run

    run(settings, process)


def _may_return(process: Process, statefulset: str) -> bool:
    """Return whether this pod returns or may return; if so, print that the worker is not stopped.

    True if the API server does not answer; False for a worker without an instance name.
    """
    from openlfr.adapters.kubernetes import ApiServer
    from openlfr.domain.errors import Unavailable

    if not process.instance:
        return False  # no static membership; `_leave_group` raises the error
    try:
        if not ApiServer.of_this_pod().will_come_back(process.instance, statefulset):
            return False
        reason = f"{statefulset} still includes {process.instance}."
    except Unavailable as error:
        reason = str(error)
    say(f"{reason} The worker stays a member of {process.group} until its session expires.")
    return True


def _leave_group(settings: Settings, process: Process) -> None:
    from datetime import timedelta

    from openlfr import bootstrap
    from openlfr.adapters.kafka.membership import leave
    from openlfr.domain.errors import Misconfigured

    file = process.worker_file(settings.data_dir)
    if file is None:
        raise Misconfigured(
            "OPENLFR_INSTANCE_ID is not set. A worker without this variable leaves its group when"
            " SIGTERM stops it, so --leave is not needed."
        )
    leave(
        bootstrap.require_kafka(settings),
        file,
        group=process.group,
        instance=process.instance,
        patience=timedelta(seconds=40),
        report=say,
    )


def _load_settings(config: Path) -> Settings:
    from openlfr import settings
    from openlfr.observability import configure_logging

    configure_logging(as_json=True)
    return settings.load(config)
