"""Deployments: authorised operations, each with an identity that never changes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING

from openlfr.domain.errors import BadInput

if TYPE_CHECKING:
    from datetime import datetime

_NAMESPACE = uuid.UUID("9a1d7c52-38a4-5f0e-8d0b-0a6f6c667272")  # fixed for ever: ids hang on it


class DeploymentStatus(StrEnum):
    """Where a deployment stands. Faces are searched only while it is `STARTED`."""

    DRAFT = "draft"
    AUTHORISED = "authorised"
    STARTED = "started"
    PAUSED = "paused"
    STOPPED = "stopped"
    CLOSED = "closed"  # for good


_NEXT = {
    DeploymentStatus.DRAFT: {DeploymentStatus.AUTHORISED, DeploymentStatus.CLOSED},
    DeploymentStatus.AUTHORISED: {DeploymentStatus.STARTED, DeploymentStatus.CLOSED},
    DeploymentStatus.STARTED: {
        DeploymentStatus.STARTED,  # again, by another run
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
    """What was authorised, where, by whom and for when.

    Attributes:
        name: A label; another deployment may have the same.
        starts, ends: The hours: faces may be searched from the first moment until before the
            second, UTC.
    """

    name: str
    purpose: str
    place: str
    legal_basis: str
    authorised_by: str
    starts: datetime
    ends: datetime

    def covers(self, at: datetime) -> bool:
        """Whether a moment of capture lies within the authorised hours."""
        return self.starts <= at < self.ends

    def differences(self, other: Authorisation) -> dict[str, object]:
        """The fields in which another one differs, JSON values: [here, there]."""
        pairs = ((f.name, getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return {name: [str(one), str(two)] for name, one, two in pairs if one != two}


@dataclass(frozen=True, slots=True)
class Deployment:
    """An authorised operation.

    Attributes:
        deployment_id: Immutable; everything that a deployment leaves behind carries it.
        authorisation: As it stands now.
        status: Where it stands.
        cameras: Their names; none: not recorded (before they were).
        watchlists: Which lists are searched.
        revision: How often it was changed since it was drafted, from 1.
        altered: What of it is not as the audit log says, the end of a sentence; empty where
            nothing. Nobody is searched for under one that was altered.
        changed_at: When it was last recorded, UTC; None where it is not. It tells none apart.
    """

    deployment_id: str
    authorisation: Authorisation
    status: DeploymentStatus
    cameras: tuple[str, ...] = ()
    watchlists: tuple[str, ...] = ()
    revision: int = 1
    altered: str = ""
    changed_at: datetime | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """Its label."""
        return self.authorisation.name

    def differences(self, other: Deployment) -> dict[str, object]:
        """In what another one differs, but for status and revision, JSON values: [here, there]."""
        lists = {
            name: [list(getattr(self, name)), list(getattr(other, name))]
            for name in ("cameras", "watchlists")
            if getattr(self, name) != getattr(other, name)
        }
        return self.authorisation.differences(other.authorisation) | lists

    @property
    def in_force(self) -> bool:
        """Whether anybody may be searched for now, within the hours."""
        return self.status is DeploymentStatus.STARTED and not self.altered

    def covers(self, at: datetime) -> bool:
        """Whether faces captured at a moment may be searched now."""
        return self.in_force and self.authorisation.covers(at)


def deployment_id_of(name: str, starts: datetime) -> str:
    """The id of a deployment whose configuration gives none: UUIDv5 of its name and start.

    So a run that is repeated or resumed, and every service of a city, are of the same deployment;
    a name that is used again for other hours is another one.
    """
    return str(uuid.uuid5(_NAMESPACE, f"{name}\x1f{starts.timestamp():.6f}"))


def require_next(deployment: Deployment, to: DeploymentStatus) -> None:
    """See that a deployment may go from where it stands to another status.

    Raises:
        BadInput: It may not.
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
