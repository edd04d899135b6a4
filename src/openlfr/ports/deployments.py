"""Deployments and their baselines, on record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from openlfr.domain.baseline_openings import Opening
    from openlfr.domain.deployment import Deployment


class DeploymentRecords(Protocol):
    """Deployments, and where each stands."""

    def get(self, deployment_id: str) -> Deployment | None:
        """The deployment of this id; None where none is recorded."""
        ...

    def find(self, named: str) -> Deployment:
        """The deployment whose id begins so, or that is the only one of this name.

        Raises:
            BadInput: None, or several.
        """
        ...

    def list(self) -> Sequence[Deployment]:
        """All of them, the latest start first."""
        ...


class DeploymentChanges(DeploymentRecords, Protocol):
    """Changes of deployments, in a transaction."""

    def put(self, deployment: Deployment, at: datetime) -> None:
        """Record where a deployment stands now, a new one too."""
        ...


class BaselineRecords(Protocol):
    """The baselines of deployments."""

    def of(self, deployment_id: str) -> Sequence[Opening]:
        """Those of a deployment, by number."""
        ...


class BaselineChanges(BaselineRecords, Protocol):
    """Baselines, in a transaction."""

    def add(self, opening: Opening, at: datetime) -> bool:
        """Record that one opened; False where its number has been given meanwhile."""
        ...
