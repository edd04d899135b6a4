"""Leaving a consumer group for good, before a pod is removed.

A static member does not leave its group when it ends, so that after a restart it is the same member
and no partitions move. If it does not come back, nobody reads its partitions until the session
timeout, unless the member is removed. But a member that is removed while it still polls joins
again: so the worker must stop first, and is asked to by a signal to the process in its PID file.
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
_PATIENCE_S = 5.0  # until a broker accepts a connection


class WorkerFile:
    """A worker's PID file with its state, so that `--leave` finds the worker."""

    def __init__(self, folder: Path, service: str, instance: str) -> None:
        """The file of one instance of a service, in its data folder."""
        self._path = folder / f"{service}-{quote(instance, safe='')}.worker"

    def write(self, state: str) -> None:
        """Write this process and its state, `WORKING` or `STOPPED`."""
        pid = os.getpid()
        content = {"pid": pid, "born": psutil.Process(pid).create_time(), "state": state}
        unfinished = self._path.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(content), encoding="utf-8")
        unfinished.replace(self._path)

    def remove(self) -> None:
        """Remove the file, at the end of the process."""
        self._path.unlink(missing_ok=True)

    def process(self) -> psutil.Process | None:
        """The live worker; None if there is none."""
        content = self._read()
        try:
            found = psutil.Process(int(content["pid"])) if content else None
            alive = found and abs(found.create_time() - content["born"]) < 1
        except (psutil.NoSuchProcess, KeyError, ValueError):
            return None
        return found if alive else None

    def has_stopped(self) -> bool:
        """Whether the worker has stopped reading and finished its batch, or is not running."""
        return self.process() is None or self._read().get("state") == STOPPED

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
    say: Callable[[str], None],
) -> None:
    """Let a worker finish, remove it from its group, and end it.

    Args:
        kafka: Address and credentials of Kafka.
        worker: The worker's file on this machine.
        group: Name of the consumer group.
        instance: Name of the static member.
        patience: Longest time for the worker to finish its batch.
        say: Called with a sentence for each step done.

    Raises:
        Unavailable: The worker does not finish in time; or there is none, and Kafka does not
            answer.
        Misconfigured: The user lacks the right.
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
            time.sleep(_POLL_S)
        say(f"{instance} has finished its batch")
    try:
        was_member = _remove(kafka, group, instance)
    except Unavailable as error:
        # Its work is done, which is what matters. During an uninstall the network to Kafka may be
        # closed first: then the member expires with its session.
        if process is None:
            raise
        say(f"{error} Its partitions wait until its session is over.")
    else:
        left = f"has left {group}" if was_member else f"was no member of {group}"
        say(f"{instance} {left}")
    if process is not None and worker.process() is not None:
        process.terminate()


def _remove(kafka: KafkaAccess, group: str, instance: str) -> bool:
    """Remove a static member; False if there was none of this name."""
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
