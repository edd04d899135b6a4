"""Settings of one process of a service, read from its environment."""

from __future__ import annotations

import os
import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openlfr.domain.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from openlfr.adapters.kafka.membership import WorkerFile

_SESSION_S = range(6, 91)  # from the brokers' minimum to Faust's timeout for requests
_ADDRESS = re.compile(r"(?:\[([^\]]+)\]|([^:]+)):([0-9]{1,5})")  # IPv6 in brackets


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a service.

    Attributes:
        service: ingest, analysis or alerting.
        group: Consumer group of the service's replicas (OPENLFR_GROUP).
        instance: Permanent name of the process, such as its pod's name (OPENLFR_INSTANCE_ID).
            After a restart the process gets its partitions back, and no other partition moves. If
            empty, the process joins as a new member after each start.
        http: Host and port of the health page (OPENLFR_HTTP); None for no page.
        session_s: Seconds without a heartbeat after which the partitions are assigned to other
            workers (OPENLFR_SESSION_SECONDS). An instance that restarts sooner keeps its
            partitions.
    """

    service: str
    group: str
    instance: str
    http: tuple[str, int] | None
    session_s: int = 10

    @classmethod
    def read(cls, service: str, environment: Mapping[str, str] | None = None) -> Process:
        """Read the settings of a service's process from environment variables.

        Raises:
            Misconfigured: OPENLFR_HTTP is not HOST:PORT, or OPENLFR_SESSION_SECONDS is out of
                range.
        """
        variables = os.environ if environment is None else environment
        http = None
        if text := variables.get("OPENLFR_HTTP", ""):
            match = _ADDRESS.fullmatch(text)
            if not match or not 1 <= int(match[3]) <= 65535:
                raise Misconfigured(f"OPENLFR_HTTP must look like 127.0.0.1:6066, not {text!r}.")
            http = match[1] or match[2], int(match[3])
        session = variables.get("OPENLFR_SESSION_SECONDS") or "10"
        if not re.fullmatch("[0-9]{1,4}", session) or int(session) not in _SESSION_S:
            raise Misconfigured(
                f"OPENLFR_SESSION_SECONDS must be {_SESSION_S.start} to {_SESSION_S.stop - 1}, not"
                f" {session!r}."
            )
        return cls(
            service,
            variables.get("OPENLFR_GROUP") or f"openlfr-{service}",
            variables.get("OPENLFR_INSTANCE_ID", ""),
            http,
            int(session),
        )

    def worker_file(self, folder: Path) -> WorkerFile | None:
        """Return the PID file by which `--leave` finds this process; None without `instance`."""
        from openlfr.adapters.kafka.membership import WorkerFile

        return WorkerFile(folder, self.service, self.instance) if self.instance else None

    @property
    def client_id(self) -> str:
        """The client id for the brokers."""
        return f"openlfr-{self.service}-{self.instance or socket.gethostname()}"
