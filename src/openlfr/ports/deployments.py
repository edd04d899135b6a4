"""Ports of the records of deployments, their baselines, and calibrations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from openlfr.domain.baseline_openings import Opening
    from openlfr.domain.calibrations import Calibration
    from openlfr.domain.deployment import Deployment


class DeploymentRecords(Protocol):
    """Deployments and their states, to read."""

    def get(self, deployment_id: str) -> Deployment | None:
        """Return the deployment with this id; None if it is not recorded."""
        ...

    def find(self, id_or_name: str) -> Deployment:
        """Return the deployment with this name, or whose id begins with this text.

        A closed deployment matches by name only if no other deployment has the name.

        Raises:
            BadInput: No deployment matches, or several match.
        """
        ...

    def list(self) -> Sequence[Deployment]:
        """Return all deployments, the latest start first."""
        ...


class DeploymentChanges(DeploymentRecords, Protocol):
    """Changes of deployments, in one transaction."""

    def put(self, deployment: Deployment, at: datetime) -> None:
        """Insert or update a deployment."""
        ...


class BaselineRecords(Protocol):
    """The baselines of deployments, to read."""

    def openings_of(self, deployment_id: str) -> Sequence[Opening]:
        """Return the openings of a deployment's baselines, ordered by number."""
        ...


class BaselineChanges(BaselineRecords, Protocol):
    """Changes of baselines, in one transaction."""

    def add(self, opening: Opening, at: datetime) -> bool:
        """Record the opening of a baseline; return False if its number is already in use."""
        ...


class CalibrationRecords(Protocol):
    """Calibrations, to read."""

    def list(self) -> Sequence[Calibration]:
        """Return all unaltered calibrations, the newest first.

        A row is altered if its id is not the hash of its content, or if no act has its id.
        """
        ...


class CalibrationChanges(CalibrationRecords, Protocol):
    """New calibrations, in one transaction."""

    def add(self, calibration: Calibration) -> None:
        """Record a calibration; its act must be recorded in the same transaction."""
        ...
