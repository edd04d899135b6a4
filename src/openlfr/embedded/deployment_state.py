"""The recorded deployment of a run: the run starts it, reads it again and again, and stops it."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openlfr.domain.deployment import DeploymentStatus
from openlfr.domain.errors import OpenLFRError, Unavailable
from openlfr.operations import deployments

if TYPE_CHECKING:
    from openlfr.domain.deployment import Deployment
    from openlfr.domain.principals import Principal
    from openlfr.ports import Records

_PAUSED = (
    "The deployment was paused. Later frames count as paused, until the deployment is resumed "
    "(openlfr deployment resume)."
)
_ALTERED = (
    "The deployment was altered in the database ({}), so nobody is searched for. See the recorded "
    "acts with openlfr deployment show. A new start records the authorisation of the configuration "
    "again."
)


class RecordedDeployment:
    """The deployment of a run, as it is recorded; only one thread may use it.

    Attributes:
        current: The deployment as it was read last.
        ended_by_others: `stopped` or `closed` after a person ended the deployment; else empty.
    """

    def __init__(
        self, deployment: Deployment, *, records: Records, by: Principal, problems: list[str]
    ) -> None:
        """Begin with the configured deployment; nothing is recorded before `start`.

        Args:
            deployment: The configured deployment.
            records: Records of the deployments.
            by: The person who starts the run.
            problems: Problems of the run, to which a pause or an alteration is added.
        """
        self.current = deployment
        self.ended_by_others = ""
        self._records = records
        self._by = by
        self._problems = problems

    def start(self, start: deployments.Start) -> None:
        """Record the deployment as started.

        Raises:
            Misconfigured: The deployment was closed.
            Unavailable: The records do not answer.
        """
        self.current = deployments.start(
            self.current, start, records=self._records, by=self._by, at=datetime.now(UTC)
        )

    def refresh(self) -> bool:
        """Read the deployment again.

        If a person stopped or closed the deployment, `ended_by_others` is set. If the records do
        not answer, nothing changes here; the watchlist updater stops the run after `SILENCE_S`
        without an answer.

        Returns:
            Whether the deployment was paused or altered; then the caller drops all live tracks.
        """
        try:
            recorded = self._records.deployments.get(self.current.deployment_id)
        except Unavailable:
            return False
        if recorded is None or recorded == self.current:
            return False
        before, self.current = self.current, recorded
        if recorded.status in (DeploymentStatus.STOPPED, DeploymentStatus.CLOSED):
            self.ended_by_others = str(recorded.status)
        elif recorded.alteration:
            self._problems.append(_ALTERED.format(recorded.alteration))
            return True
        elif recorded.status is DeploymentStatus.PAUSED is not before.status:
            self._problems.append(_PAUSED)
            return True
        return False

    def record_stop(self, ended_how: str) -> None:
        """Record the stop, unless a person stopped, closed or paused the deployment before."""
        if self.ended_by_others or self.current.status is DeploymentStatus.PAUSED:
            return
        # Suppressed: the end of the run reports the error, and the next start records the stop.
        with suppress(OpenLFRError):
            deployments.stop(
                self.current.deployment_id,
                ended_how,
                records=self._records,
                by=self._by,
                at=datetime.now(UTC),
            )
