"""The recorded deployment of a run: started with it, read again while it lasts, stopped with it."""

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
    "The deployment was paused: frames from then on count as paused, until it is resumed "
    "(openlfr deployment resume)."
)
_ALTERED = (
    "The deployment was altered in the database ({}), so nobody is searched for. See what was "
    "recorded with openlfr deployment show; a new start records the configuration's authorisation "
    "again."
)


class RecordedDeployment:
    """The deployment of a run as the records have it; one thread uses it.

    Attributes:
        now: The deployment as it was last read.
        ended_by_others: `stopped` or `closed` after a person ended the deployment; else empty.
    """

    def __init__(
        self, deployment: Deployment, *, records: Records, by: Principal, problems: list[str]
    ) -> None:
        """Begin with the configured deployment; nothing is recorded before `start`.

        Args:
            deployment: As configured.
            records: Where deployments are recorded.
            by: Who starts the run.
            problems: Problems of the run, to which a pause or an alteration is added.
        """
        self.now = deployment
        self.ended_by_others = ""
        self._records = records
        self._by = by
        self._problems = problems

    def start(self, start: deployments.Start) -> None:
        """Record the deployment as started.

        Raises:
            Misconfigured: It was closed.
            Unavailable: The records do not answer.
        """
        self.now = deployments.start(
            self.now, start, records=self._records, by=self._by, at=datetime.now(UTC)
        )

    def refresh(self) -> bool:
        """Read the deployment again; True if it was paused or altered, so live tracks must go.

        Records that do not answer change nothing: the watchlist updater limits how long that may
        last.
        """
        try:
            recorded = self._records.deployments.get(self.now.deployment_id)
        except Unavailable:
            return False
        if recorded is None or recorded == self.now:
            return False
        before, self.now = self.now, recorded
        if recorded.status in (DeploymentStatus.STOPPED, DeploymentStatus.CLOSED):
            self.ended_by_others = str(recorded.status)
        elif recorded.altered:
            self._problems.append(_ALTERED.format(recorded.altered))
            return True
        elif recorded.status is DeploymentStatus.PAUSED is not before.status:
            self._problems.append(_PAUSED)
            return True
        return False

    def record_stop(self, ended_how: str) -> None:
        """Record the stop, unless a person stopped, closed or paused the deployment before."""
        if self.ended_by_others or self.now.status is DeploymentStatus.PAUSED:
            return
        with suppress(OpenLFRError):  # the run's own end reports it, and the next start records it
            deployments.stop(
                self.now.deployment_id,
                ended_how,
                records=self._records,
                by=self._by,
                at=datetime.now(UTC),
            )
