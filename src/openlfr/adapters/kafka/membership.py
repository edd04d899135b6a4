"""Leaving a consumer group for good: what a pod does before it is taken away.

A static member says nothing to the broker when it ends, so that after a restart it is the same
member and nobody else's partitions move. When it does not come back its partitions stand still for
the session timeout, unless it is removed. But a member that is removed while it still polls joins
again: so the worker is asked to stop first, by a signal to the process whose number it wrote down.
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
"""What asks a worker to stop reading, and to wait until it is told to end."""
WORKING, STOPPED = "working", "stopped"
_LOOK_S = 0.05
_PATIENCE_S = 5.0  # until a broker takes a connection


class WorkerFile:
    """Where a worker says which process it is, and how far it has come with leaving."""

    def __init__(self, folder: Path, service: str, instance: str) -> None:
        """Of one instance of a service, in its data folder."""
        self._path = folder / f"{service}-{quote(instance, safe='')}.worker"

    def note(self, state: str) -> None:
        """Write down that this process is `WORKING`, or has `STOPPED` reading."""
        pid = os.getpid()
        said = {"pid": pid, "born": psutil.Process(pid).create_time(), "state": state}
        unfinished = self._path.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(said), encoding="utf-8")
        unfinished.replace(self._path)

    def remove(self) -> None:
        """The process ends."""
        self._path.unlink(missing_ok=True)

    def process(self) -> psutil.Process | None:
        """The live worker; None where there is none."""
        said = self._read()
        try:
            found = psutil.Process(int(said["pid"])) if said else None
            alive = found and abs(found.create_time() - said["born"]) < 1
        except (psutil.NoSuchProcess, KeyError, ValueError):
            return None
        return found if alive else None

    def has_stopped(self) -> bool:
        """Whether the worker reads nothing any more and holds nothing."""
        return self.process() is None or self._read().get("state") == STOPPED

    def _read(self) -> dict[str, Any]:
        try:
            said = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return said if isinstance(said, dict) else {}


def leave(
    kafka: KafkaAccess,
    worker: WorkerFile,
    *,
    group: str,
    instance: str,
    patience: timedelta,
    tell: Callable[[str], None],
) -> None:
    """Let a worker finish, remove it from its group, and end it.

    Args:
        kafka: How Kafka is reached.
        worker: Of this instance, on this machine.
        group: Consumer group.
        instance: The static member's name.
        patience: How long the worker may take to finish what it holds.
        tell: Told what was done, a sentence each.

    Raises:
        Unavailable: The worker does not finish in time; or there is none, and Kafka does not
            answer.
        Misconfigured: Kafka does not let us.
    """
    process = worker.process()
    if process is not None:
        process.send_signal(LEAVE)
        until = time.monotonic() + patience.total_seconds()
        while not worker.has_stopped():
            if time.monotonic() > until:
                raise Unavailable(
                    f"The worker {instance} (process {process.pid}) did not finish within"
                    f" {patience.total_seconds():g} s: it stays a member of {group}."
                )
            time.sleep(_LOOK_S)
        tell(f"{instance} has finished what it held")
    try:
        was_member = _remove(kafka, group, instance)
    except Unavailable as error:
        # All that it held is done, which is what matters. On an uninstall its way to Kafka may be
        # closed before it: then it is taken for gone when its session is over.
        if process is None:
            raise
        tell(f"{error} Its partitions wait until its session is over.")
    else:
        left = f"has left {group}" if was_member else f"was no member of {group}"
        tell(f"{instance} {left}")
    if process is not None and worker.process() is not None:
        process.terminate()


def _remove(kafka: KafkaAccess, group: str, instance: str) -> bool:
    """Remove a static member; whether it was one."""
    from kafka import KafkaAdminClient, errors
    from kafka.admin import MemberToRemove

    try:
        await_listener(kafka, time.monotonic() + _PATIENCE_S)
        admin = KafkaAdminClient(**kafka.client_arguments(), client_id="openlfr-leave")
        try:
            member = MemberToRemove(group_instance_id=instance, reason="it is taken away")
            answers = admin.remove_group_members(group, [member])
        finally:
            admin.close()
    except (errors.AuthorizationError, errors.SaslAuthenticationFailedError) as error:
        raise Misconfigured(
            f"Kafka does not let us leave {group} ({type(error).__name__}): check the user and its"
            " rights."
        ) from error
    except (errors.KafkaError, OSError) as error:
        raise Unavailable(
            f"{instance} could not be removed from {group} ({type(error).__name__}: {error})."
        ) from error
    refused = {answer for answer in answers.values() if answer is not errors.NoError}
    if refused - {errors.UnknownMemberIdError}:
        names = ", ".join(sorted(each.__name__ for each in refused))
        raise Unavailable(f"{instance} could not be removed from {group} ({names}).")
    return not refused
