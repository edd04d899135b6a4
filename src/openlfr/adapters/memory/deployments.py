"""Deployments and their baselines in memory."""

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
    from openlfr.domain.deployment import Deployment

_SHOWN = 5  # largest number of deployments in a message about several matches


class MemoryDeployments:
    """`DeploymentChanges` on a state."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def get(self, deployment_id: str) -> Deployment | None:
        """The deployment of this id; None if there is none."""
        return self._access.reading().deployments.get(deployment_id)

    def find(self, id_or_name: str) -> Deployment:
        """The deployment of this id, name or id prefix; closed ones come last."""
        text = id_or_name.strip()
        every = list(reversed(self.list()))
        alive = [each for each in every if each.status is not DeploymentStatus.CLOSED]
        found = (
            [each for each in every if each.deployment_id == text]
            or [each for each in alive if each.name == text]
            or [each for each in every if each.deployment_id.startswith(text) or each.name == text]
        )
        if not text or not found:
            raise BadInput(
                f"There is no deployment {id_or_name!r}: `openlfr deployment list` names all."
            )
        if len(found) > 1:
            some = ", ".join(each.deployment_id for each in found[:_SHOWN])
            more = " ..." if len(found) > _SHOWN else ""
            raise BadInput(
                f"Several deployments are {id_or_name!r}, name one by its id: {some}{more}"
            )
        return found[0]

    def list(self) -> Sequence[Deployment]:
        """All deployments, the latest start first."""
        known = self._access.reading().deployments
        by_id = sorted(known.values(), key=lambda each: each.deployment_id)
        return sorted(by_id, key=lambda each: each.authorisation.starts, reverse=True)

    def put(self, deployment: Deployment, at: datetime) -> None:
        """Insert or update a deployment."""
        with self._access.writing() as state:
            state.version += 1
            state.deployments[deployment.deployment_id] = replace(deployment, changed_at=at)


class MemoryBaselines:
    """`BaselineChanges` on a state."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def openings_of(self, deployment_id: str) -> list[Opening]:
        """The openings of a deployment, by number."""
        known = sorted(self._access.reading().baselines.items())
        return [opening for (deployment, _), opening in known if deployment == deployment_id]

    def add(self, opening: Opening, at: datetime) -> bool:
        """Record an opening; False if its number was used meanwhile."""
        key = opening.baseline.deployment, opening.number
        with self._access.writing() as state:
            if key in state.baselines:
                return False
            state.baselines[key] = opening
            state.recorded_at[key] = at
        return True
