"""Caches the deployments for which alerting raises alerts: the recorded and the configured ones."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from openlfr.domain.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from openlfr.domain.deployment import Deployment
    from openlfr.ports import DeploymentRecords

REREAD_S = 2.0
"""Seconds after which a deployment is read from the records again, so that a removal takes
effect."""
_MAX_IDS = 1000  # forged sightings may name any number of ids


class DeploymentCache:
    """A cache of deployments by id, read from the records; for one thread.

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
        """Start with an empty cache.

        Args:
            records: The records of deployments.
            configured: The configured deployment, which is accepted even before it is recorded.
            clock: Returns seconds.
        """
        self._records = records
        self._configured = configured
        self._clock = clock
        self.unanswered = 0
        self._cached: dict[str, tuple[float, Deployment | None]] = {}

    def get(self, deployment_id: str) -> Deployment | None:
        """Return the deployment of an id; None if the deployment or its cameras are unknown.

        The deployment is read from the records; other services receive the recorded state on
        control.v1. If the records name no cameras, the configured deployment has the cameras of the
        configuration, and any other deployment is unknown. If the configuration names no cameras
        either, every camera is accepted. If the records do not answer, the last answer is used, so
        that no sighting waits.

        Raises:
            Unavailable: The records do not answer, and the deployment was never read.
        """
        read_at, deployment = self._cached.get(deployment_id, (float("-inf"), None))
        if self._clock() - read_at < REREAD_S:
            return deployment
        is_configured = deployment_id == self._configured.deployment_id
        try:
            recorded = self._records.get(deployment_id)
        except Unavailable:
            self.unanswered += 1
            deployment = deployment or (self._configured if is_configured else None)
            if deployment is None:
                raise  # Kafka delivers the sighting again
        else:
            deployment = recorded
            if deployment is None:
                deployment = self._configured if is_configured else None
            elif not deployment.cameras:
                cameras = self._configured.cameras
                deployment = replace(deployment, cameras=cameras) if is_configured else None
        if len(self._cached) > _MAX_IDS:
            self._cached.clear()
        self._cached[deployment_id] = self._clock(), deployment
        return deployment
