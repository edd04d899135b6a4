"""Deployments: authorised operations, whose ids never change."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING

from openlfr.domain.errors import BadInput

if TYPE_CHECKING:
    from datetime import datetime

_NAMESPACE = uuid.UUID("9a1d7c52-38a4-5f0e-8d0b-0a6f6c667272")  # never changes: ids depend on it


class DeploymentStatus(StrEnum):
    """Status of a deployment. Faces are searched only in the status `STARTED`."""

    DRAFT = "draft"
    AUTHORISED = "authorised"
    STARTED = "started"
    PAUSED = "paused"
    STOPPED = "stopped"
    CLOSED = "closed"  # cannot be started again


_NEXT = {
    DeploymentStatus.DRAFT: {DeploymentStatus.AUTHORISED, DeploymentStatus.CLOSED},
    DeploymentStatus.AUTHORISED: {DeploymentStatus.STARTED, DeploymentStatus.CLOSED},
    DeploymentStatus.STARTED: {
        DeploymentStatus.STARTED,  # each run starts the deployment, even if it is started
        DeploymentStatus.PAUSED,
        DeploymentStatus.STOPPED,
        DeploymentStatus.CLOSED,
    },
    DeploymentStatus.PAUSED: {
        DeploymentStatus.STARTED,
        DeploymentStatus.STOPPED,
        DeploymentStatus.CLOSED,
    },
    DeploymentStatus.STOPPED: {DeploymentStatus.STARTED, DeploymentStatus.CLOSED},
    DeploymentStatus.CLOSED: set(),
}


@dataclass(frozen=True, slots=True)
class Authorisation:
    """Who authorised a deployment, for what purpose, where, when and on which legal basis.

    Attributes:
        name: A label; several deployments may have the same label.
        starts, ends: The authorised hours, UTC; `starts` is included, `ends` is not.
    """

    name: str
    purpose: str
    place: str
    legal_basis: str
    authorised_by: str
    starts: datetime
    ends: datetime

    def covers(self, at: datetime) -> bool:
        """Return whether a capture time lies within the authorised hours."""
        return is_within_hours(at, self.starts, self.ends)

    def differences(self, other: Authorisation) -> dict[str, object]:
        """Return {field: [own value, other value]} for every differing field, as JSON values."""
        pairs = ((f.name, getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return {name: [str(one), str(two)] for name, one, two in pairs if one != two}


@dataclass(frozen=True, slots=True)
class Deployment:
    """An authorised operation.

    Attributes:
        deployment_id: Immutable id, which all data of the deployment contains.
        authorisation: The current authorisation.
        status: The current status.
        cameras: Names; empty in records of versions that did not record cameras.
        watchlists: Names of the lists that are searched.
        revision: Number of the revision, from 1 for the draft.
        alteration: Difference between the row and the audit log, as the end of a sentence; empty
            without one. Nobody is searched for under an altered deployment.
        changed_at: Time of the last recorded change, UTC; None if the deployment is not recorded.
            Comparisons ignore this field.
    """

    deployment_id: str
    authorisation: Authorisation
    status: DeploymentStatus
    cameras: tuple[str, ...] = ()
    watchlists: tuple[str, ...] = ()
    revision: int = 1
    alteration: str = ""
    changed_at: datetime | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """The deployment's label."""
        return self.authorisation.name

    def differences(self, other: Deployment) -> dict[str, object]:
        """Return the differing fields of another deployment, except status and revision.

        Returns:
            JSON values by field: [this, other].
        """
        lists = {
            name: [list(getattr(self, name)), list(getattr(other, name))]
            for name in ("cameras", "watchlists")
            if getattr(self, name) != getattr(other, name)
        }
        return self.authorisation.differences(other.authorisation) | lists

    @property
    def is_in_force(self) -> bool:
        """True if started and not altered, so that faces may be searched in authorised hours."""
        return self.status is DeploymentStatus.STARTED and not self.alteration

    def covers(self, at: datetime) -> bool:
        """Return whether faces captured at a time may be searched now."""
        return self.is_in_force and self.authorisation.covers(at)


def is_within_hours(at: datetime, starts: datetime, ends: datetime) -> bool:
    """Return whether a capture time lies within the authorised hours."""
    return starts <= at < ends


def deployment_id_of(name: str, starts: datetime) -> str:
    """Return the id of a deployment without a configured id: UUIDv5 of its name and start.

    So repeated and resumed runs, and all services of a city, belong to the same deployment. A
    deployment with the same name and another start has another id.
    """
    return str(uuid.uuid5(_NAMESPACE, f"{name}\x1f{starts.timestamp():.6f}"))


def require_next(deployment: Deployment, to: DeploymentStatus) -> None:
    """Check that a deployment may change to a status.

    Raises:
        BadInput: The change is not allowed.
    """
    if to not in _NEXT[deployment.status]:
        verbs = {
            DeploymentStatus.AUTHORISED: "authorised",
            DeploymentStatus.STARTED: "started",
            DeploymentStatus.PAUSED: "paused",
            DeploymentStatus.STOPPED: "stopped",
            DeploymentStatus.CLOSED: "closed",
        }
        raise BadInput(
            f"The deployment {deployment.name!r} ({deployment.deployment_id}) is "
            f"{deployment.status}, so it cannot be {verbs[to]}."
        )
