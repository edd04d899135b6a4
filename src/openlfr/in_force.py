"""The deployment that a process works for, as it stands now."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from openlfr.domain.deployment import Deployment


class DeploymentInForce:
    """One deployment, followed while others pause, revise or stop it; any thread may ask.

    Attributes:
        deployment_id: Never changes.
    """

    def __init__(self, deployment: Deployment) -> None:
        """Begin with what the configuration says."""
        self.deployment_id = deployment.deployment_id
        self._now = deployment

    @property
    def now(self) -> Deployment:
        """As it stands now."""
        return self._now

    def covers(self, at: datetime) -> bool:
        """Whether faces captured at a moment may be searched now."""
        return self._now.covers(at)

    def follow(self, deployment: Deployment) -> None:
        """Work under what was decided since; another deployment changes nothing."""
        if deployment.deployment_id == self.deployment_id:
            self._now = deployment
