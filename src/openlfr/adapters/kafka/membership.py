"""Removal of a worker from its consumer group, before a pod is removed.

A static member does not leave its group when its process ends. After a restart the process is the
same member, and no partitions move. If the process does not restart, nobody reads its partitions
until the session timeout, unless the member is removed from the group. A member that is removed
while it still polls joins again, so the worker must stop first. A signal to the process in the
worker's PID file requests the stop.
"""

from __future__ import annotations

import json
import os
import signal
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psutil

from openlfr.adapters.kafka.reachable import await_listener
from openlfr.domain.errors import Misconfigured, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta
    from pathlib import Path

    from openlfr.adapters.kafka.access import KafkaAccess

LEAVE = getattr(signal, "SIGHUP", signal.SIGTERM)
"""Signal on which a worker stops reading, finishes its batch, and waits for SIGTERM."""
WORKING, STOPPED = "working", "stopped"
_POLL_S = 0.05
_CONNECT_TIMEOUT_S = 5.0


class WorkerFile:
    """A worker's PID file with the worker's state, which `--leave` reads."""

    def __init__(self, folder: Path, service: str, instance: str) -> None:
        """Use the file of one instance of a service, in its data folder."""
        self._path = folder / f"{service}-{quote(instance, safe='')}.worker"

    def write(self, state: str) -> None:
        """Write the id of this process and the worker's state, `WORKING` or `STOPPED`."""
        pid = os.getpid()
        content = {"pid": pid, "born": psutil.Process(pid).create_time(), "state": state}
        unfinished = self._path.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(content), encoding="utf-8")
        unfinished.replace(self._path)

    def remove(self) -> None:
        """Remove the file; called when the process ends."""
        self._path.unlink(missing_ok=True)

    def find_process(self) -> psutil.Process | None:
        """Return the worker's process; None if it is not running."""
        content = self._read()
        try:
            process = psutil.Process(int(content["pid"])) if content else None
            is_same = process and abs(process.create_time() - content["born"]) < 1
        except (psutil.NoSuchProcess, KeyError, ValueError):
            return None
        return process if is_same else None

    def has_stopped(self) -> bool:
        """Return whether the worker has finished its last batch, or is not running."""
        return self.find_process() is None or self._read().get("state") == STOPPED

    def _read(self) -> dict[str, Any]:
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}


def leave(
    kafka: KafkaAccess,
    worker: WorkerFile,
    *,
    group: str,
    instance: str,
    patience: timedelta,
    report: Callable[[str], None],
) -> None:
    """Make a worker finish its batch, remove it from its group, and end its process.

    Args:
        kafka: Address and credentials of Kafka.
        worker: The worker's file on this machine.
        group: Name of the consumer group.
        instance: Name of the static member.
        patience: Maximum time for the worker to finish its batch.
        report: Called with a sentence after each step.

    Raises:
        Unavailable: The worker does not finish in time, or no worker runs and Kafka does not
            answer.
        Misconfigured: The user lacks the right.
    """
    process = worker.find_process()
    if process is not None:
        process.send_signal(LEAVE)
        until = time.monotonic() + patience.total_seconds()
        while not worker.has_stopped():
            if time.monotonic() > until:
                raise Unavailable(
                    f"The worker {instance} (process {process.pid}) did not finish within"
                    f" {patience.total_seconds():g} s, and remains a member of {group}."
                )
            time.sleep(_POLL_S)
        report(f"{instance} has finished its batch")
    try:
        was_member = _remove(kafka, group, instance)
    except Unavailable as error:
        # The worker has finished, so this is no failure. During an uninstall the network to Kafka
        # may be closed first. Then the member expires with its session.
        if process is None:
            raise
        report(f"{error} Its partitions have no reader until its session expires.")
    else:
        outcome = f"has left {group}" if was_member else f"was not a member of {group}"
        report(f"{instance} {outcome}")
    if process is not None and worker.find_process() is not None:
        process.terminate()


def _remove(kafka: KafkaAccess, group: str, instance: str) -> bool:
    """Remove a static member; return False if the group has no member of this name."""
    from kafka import KafkaAdminClient, errors
    from kafka.admin import MemberToRemove

    try:
        await_listener(kafka, time.monotonic() + _CONNECT_TIMEOUT_S)
        admin = KafkaAdminClient(**kafka.client_arguments(), client_id="openlfr-leave")
        try:
            member = MemberToRemove(group_instance_id=instance, reason="its pod is removed")
            results = admin.remove_group_members(group, [member])
        finally:
            admin.close()
    except (errors.AuthorizationError, errors.SaslAuthenticationFailedError) as error:
        raise Misconfigured(
            f"Kafka does not permit us to leave {group} ({type(error).__name__}): check the"
            " user and its rights."
        ) from error
    except (errors.KafkaError, OSError) as error:
        raise Unavailable(
            f"{instance} could not be removed from {group} ({type(error).__name__}: {error})."
        ) from error
    failures = {result for result in results.values() if result is not errors.NoError}
    if failures - {errors.UnknownMemberIdError}:
        names = ", ".join(sorted(each.__name__ for each in failures))
        raise Unavailable(f"{instance} could not be removed from {group} ({names}).")
    return not failures
