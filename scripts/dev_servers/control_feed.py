"""Writes the state of a deployment on control.v1, as alerting's relay does, where no alerting runs.

For tests and measurements of ingest and analysis alone.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from openlfr import bootstrap, settings
from openlfr.adapters.kafka.control import ControlWriter
from openlfr.domain.control import DeploymentState, Heartbeat

if TYPE_CHECKING:
    from pathlib import Path

    from openlfr.domain.control import ControlMessage

_BEAT_S = 0.5


class ControlFeed:
    """Publishes a deployment's state and heartbeats until its `with` block ends."""

    def __init__(self, config: Path, **changes: Any) -> None:
        """Connect; nothing is written yet.

        Args:
            config: A CONFIG.yaml with the address of Kafka and the path of the vault's key.
            changes: Fields of the state that differ from the configuration's, started.
        """
        loaded = settings.load(config)
        deployment = settings.require_authorisation(loaded)
        hours = deployment.authorisation
        self.key = bootstrap.open_control_key(loaded)
        self.state = replace(
            DeploymentState(
                deployment.deployment_id, deployment.name, deployment.status, 1, hours.starts,
                hours.ends, (), (), 1, datetime.now(UTC),
            ),
            **changes,
        )  # fmt: skip
        self._writer = ControlWriter(
            bootstrap.require_kafka(loaded), patience=timedelta(seconds=60), key=self.key
        )
        self._lock = threading.Lock()  # a writer belongs to one thread at a time
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def put(self, **changes: Any) -> DeploymentState:
        """Write the state with these changes as the next version."""
        more = {"version": self.state.version + 1, "changed_at": datetime.now(UTC)}
        self.state = replace(self.state, **(more | changes))
        self.write(self.state)
        return self.state

    def write(self, *messages: ControlMessage) -> None:
        """Write messages unchanged."""
        with self._lock:
            self._writer.write(messages)

    def __enter__(self) -> Self:
        self.write(self.state)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._writer.close()

    def _beat(self) -> None:
        while not self._stop.wait(_BEAT_S):
            self.write(Heartbeat(datetime.now(UTC), self.state.version))
