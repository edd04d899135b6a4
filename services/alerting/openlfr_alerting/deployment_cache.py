"""The deployments for which alerting raises alerts: the recorded ones, and the configured one."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from openlfr.domain.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from openlfr.domain.deployment import Deployment
    from openlfr.ports import DeploymentRecords

AGAIN_S = 2.0
"""The records are read again after this long, so that a removal takes effect."""
_MAX_IDS = 1000  # a forger could make up any number of ids


class DeploymentCache:
    """Deployments by id, read from the records and cached; one thread calls it.

    Attributes:
        unanswered: Number of reads that the records did not answer.
    """

    def __init__(
        self,
        records: DeploymentRecords,
        configured: Deployment,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with an empty cache.

        Args:
            records: The records of deployments.
            configured: The configured deployment, known even before it is recorded.
            clock: Returns seconds.
        """
        self._records = records
        self._configured = configured
        self._clock = clock
        self.unanswered = 0
        self._cached: dict[str, tuple[float, Deployment | None]] = {}

    def get(self, deployment_id: str) -> Deployment | None:
        """The deployment of an id; None where it is unknown, or its cameras are.

        It is read from the records, as every other service receives it on control.v1. Where the
        records name no cameras, the configured deployment has those of the configuration (any
        camera where that names none). No sighting waits for records that do not answer: the last
        answer is used.
        """
        read_at, found = self._cached.get(deployment_id, (float("-inf"), None))
        if self._clock() - read_at < AGAIN_S:
            return found
        is_configured = deployment_id == self._configured.deployment_id
        try:
            recorded = self._records.get(deployment_id)
        except Unavailable:
            self.unanswered += 1
            found = found or (self._configured if is_configured else None)
            if found is None:
                raise  # the deployment is unknown: Kafka delivers the sighting again
        else:
            found = recorded
            if is_configured and found is None:
                found = self._configured
            elif found is not None and not found.cameras:
                found = replace(found, cameras=self._configured.cameras) if is_configured else None
        if len(self._cached) > _MAX_IDS:
            self._cached.clear()
        self._cached[deployment_id] = self._clock(), found
        return found
