"""Deployments, their baselines, and calibrations in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from openlfr.domain.deployment import DeploymentStatus
from openlfr.domain.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from openlfr.adapters.memory.state import Access
    from openlfr.domain.baseline_openings import Opening
    from openlfr.domain.calibrations import Calibration
    from openlfr.domain.deployment import Deployment

_MAX_IN_MESSAGE = 5  # maximum number of deployments in a message about several matches


class MemoryDeployments:
    """The `DeploymentChanges` port on a state."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def get(self, deployment_id: str) -> Deployment | None:
        """Return the deployment with this id; None if it is not recorded."""
        return self._access.reading().deployments.get(deployment_id)

    def find(self, id_or_name: str) -> Deployment:
        """Return the deployment with this id, or else the open deployment with this name.

        Without either, return the deployment with this name or with an id that begins so.
        """
        text = id_or_name.strip()
        all_deployments = list(reversed(self.list()))
        matches = [
            each
            for each in all_deployments
            if each.deployment_id == text
            or (each.name == text and each.status is not DeploymentStatus.CLOSED)
        ] or [
            each
            for each in all_deployments
            if each.deployment_id.startswith(text) or each.name == text
        ]
        if not text or not matches:
            raise BadInput(
                f"There is no deployment {id_or_name!r}: `openlfr deployment list` names all."
            )
        if len(matches) > 1:
            some = ", ".join(
                f"{each.deployment_id} ({each.name})" for each in matches[:_MAX_IN_MESSAGE]
            )
            more = " ..." if len(matches) > _MAX_IN_MESSAGE else ""
            raise BadInput(
                f"Several deployments are {id_or_name!r}, name one by its id: {some}{more}"
            )
        return matches[0]

    def list(self) -> Sequence[Deployment]:
        """Return all deployments, the latest start first."""
        deployments = self._access.reading().deployments
        by_id = sorted(deployments.values(), key=lambda each: each.deployment_id)
        return sorted(by_id, key=lambda each: each.authorisation.starts, reverse=True)

    def put(self, deployment: Deployment, at: datetime) -> None:
        """Insert or update a deployment."""
        with self._access.writing() as state:
            state.version += 1
            state.deployments[deployment.deployment_id] = replace(deployment, changed_at=at)


class MemoryBaselines:
    """The `BaselineChanges` port on a state."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def openings_of(self, deployment_id: str) -> list[Opening]:
        """Return the openings of a deployment's baselines, ordered by number."""
        rows = sorted(self._access.reading().baselines.items())
        return [opening for (deployment, _), opening in rows if deployment == deployment_id]

    def add(self, opening: Opening, at: datetime) -> bool:
        """Record the opening of a baseline; return False if its number is already in use."""
        key = opening.baseline.deployment, opening.number
        with self._access.writing() as state:
            if key in state.baselines:
                return False
            state.baselines[key] = opening
            state.recorded_at[key] = at
        return True


class MemoryCalibrations:
    """The `CalibrationChanges` port on a state."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def list(self) -> Sequence[Calibration]:
        """Return all calibrations, the newest first."""
        rows = self._access.reading().calibrations.values()
        return sorted(rows, key=lambda each: each.made_at, reverse=True)

    def add(self, calibration: Calibration) -> None:
        """Record a calibration."""
        with self._access.writing() as state:
            state.calibrations[calibration.calibration_id] = calibration
