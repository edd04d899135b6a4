"""Ports of the records of deployments and their baselines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from openlfr.domain.baseline_openings import Opening
    from openlfr.domain.deployment import Deployment


class DeploymentRecords(Protocol):
    """Deployments and their states, to read."""

    def get(self, deployment_id: str) -> Deployment | None:
        """The deployment with this id; None if none is recorded."""
        ...

    def find(self, named: str) -> Deployment:
        """The deployment whose id begins with `named`, or the only one of this name.

        Raises:
            BadInput: There is none, or several.
        """
        ...

    def list(self) -> Sequence[Deployment]:
        """All deployments, the latest start first."""
        ...


class DeploymentChanges(DeploymentRecords, Protocol):
    """Changes of deployments, in one transaction."""

    def put(self, deployment: Deployment, at: datetime) -> None:
        """Record the state of a deployment, new or known."""
        ...


class BaselineRecords(Protocol):
    """The baselines of deployments."""

    def of(self, deployment_id: str) -> Sequence[Opening]:
        """The openings of a deployment's baselines, by number."""
        ...


class BaselineChanges(BaselineRecords, Protocol):
    """Changes of baselines, in one transaction."""

    def add(self, opening: Opening, at: datetime) -> bool:
        """Record the opening of a baseline; False if its number was given to another meanwhile."""
        ...
