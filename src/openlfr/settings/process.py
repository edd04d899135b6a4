"""What differs from one process of a service to the next: read from its environment."""

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

_SESSION_S = range(6, 91)  # from what brokers take to what Faust waits for an answer
_ADDRESS = re.compile(r"(?:\[([^\]]+)\]|([^:]+)):([0-9]{1,5})")  # IPv6 in brackets


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a service.

    Attributes:
        service: ingest, analysis or alerting.
        group: Consumer group that its replicas share (OPENLFR_GROUP).
        instance: Name that it keeps over a restart, such as its pod's (OPENLFR_INSTANCE_ID): it
            then gets its partitions back without anybody else's having to move. Empty: it joins
            as a new member each time.
        http: Host and port of its health page (OPENLFR_HTTP); None: no page.
        session_s: Seconds without a sign of life after which its partitions go to others
            (OPENLFR_SESSION_SECONDS). An instance that is back before that is the same member.
    """

    service: str
    group: str
    instance: str
    http: tuple[str, int] | None
    session_s: int = 10

    @classmethod
    def read(cls, service: str, environment: Mapping[str, str] | None = None) -> Process:
        """What the environment says.

        Raises:
            Misconfigured: OPENLFR_HTTP is no HOST:PORT, or no port has that number; or
                OPENLFR_SESSION_SECONDS is out of range.
        """
        said = os.environ if environment is None else environment
        http = None
        if text := said.get("OPENLFR_HTTP", ""):
            found = _ADDRESS.fullmatch(text)
            if not found or not 1 <= int(found[3]) <= 65535:
                raise Misconfigured(f"OPENLFR_HTTP must be such as 127.0.0.1:6066, not {text!r}.")
            http = found[1] or found[2], int(found[3])
        session = said.get("OPENLFR_SESSION_SECONDS") or "10"
        if not re.fullmatch("[0-9]{1,4}", session) or int(session) not in _SESSION_S:
            raise Misconfigured(
                f"OPENLFR_SESSION_SECONDS must be {_SESSION_S.start} to {_SESSION_S.stop - 1}, not"
                f" {session!r}."
            )
        return cls(
            service,
            said.get("OPENLFR_GROUP") or f"openlfr-{service}",
            said.get("OPENLFR_INSTANCE_ID", ""),
            http,
            int(session),
        )

    def file(self, folder: Path) -> WorkerFile | None:
        """Where an instance says which process it is; None where it has no name to keep."""
        from openlfr.adapters.kafka.membership import WorkerFile

        return WorkerFile(folder, self.service, self.instance) if self.instance else None

    @property
    def client_id(self) -> str:
        """How it calls itself to the brokers."""
        return f"openlfr-{self.service}-{self.instance or socket.gethostname()}"
