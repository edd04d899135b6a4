"""Which deployments alerting raises alerts for: the records', and its configuration's own."""

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
"""After so many seconds the records are asked again, as for a removal."""
_MOST = 1000  # ids that are remembered: somebody may make up more


class DeploymentCache:
    """Deployments by id, as the records have them; one thread asks.

    Attributes:
        unanswered: How often the records did not answer.
    """

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
            configured: DeploymentCache also before anybody has recorded it.
            clock: Seconds.
        """
        self._records = records
        self._configured = configured
        self._clock = clock
        self.unanswered = 0
        self._asked: dict[str, tuple[float, Deployment | None]] = {}

    def get(self, deployment_id: str) -> Deployment | None:
        """The deployment of this id; None where nobody knows it, or which cameras it has.

        It is as it is recorded, as every other service follows it by control.v1. Where the records
        name no cameras, those of our own are the configuration's, any where that names none. No
        sighting waits for the records: where they do not answer, what they said last holds.
        """
        at, found = self._asked.get(deployment_id, (float("-inf"), None))
        if self._clock() - at < AGAIN_S:
            return found
        ours = deployment_id == self._configured.deployment_id
        try:
            recorded = self._records.get(deployment_id)
        except Unavailable:
            self.unanswered += 1
            found = found or (self._configured if ours else None)
            if found is None:
                raise  # whose sighting it is cannot be known: it comes again
        else:
            found = recorded
            if ours and found is None:
                found = self._configured
            elif found is not None and not found.cameras:
                found = replace(found, cameras=self._configured.cameras) if ours else None
        if len(self._asked) > _MOST:
            self._asked.clear()
        self._asked[deployment_id] = self._clock(), found
        return found
