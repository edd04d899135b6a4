"""Which deployments alerting raises alerts for: the records', and its configuration's own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from openlfr.domain.deployment import Deployment
    from openlfr.ports import DeploymentRecords

AGAIN_S = 2.0
"""After so many seconds the records are asked again, as for a removal."""


class Known:
    """Deployments by id, as the records have them; one thread asks."""

    def __init__(
        self,
        records: DeploymentRecords,
        configured: Deployment,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask nothing yet.

        Args:
            records: Where deployments are recorded.
            configured: Known also before anybody has recorded it.
            clock: Seconds.
        """
        self._records = records
        self._configured = configured
        self._clock = clock
        self._asked: dict[str, tuple[float, Deployment | None]] = {}

    def get(self, deployment_id: str) -> Deployment | None:
        """The deployment of this id; None where nobody knows it.

        Raises:
            Unavailable: The records do not answer.
        """
        at, found = self._asked.get(deployment_id, (float("-inf"), None))
        if self._clock() - at < AGAIN_S:
            return found
        found = self._records.get(deployment_id)
        if found is None and deployment_id == self._configured.deployment_id:
            found = self._configured
        if len(self._asked) > 1000:  # ids that somebody makes up
            self._asked.clear()
        self._asked[deployment_id] = self._clock(), found
        return found
