"""Detects deployments whose row was altered in the database.

A deployment's row is compared with the deployment's acts in the audit log. Every account that may
write to the database can change the row, but only the database's owner can change the audit log. So
the status is derived from the acts, and nobody is searched for under an altered authorisation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from openlfr.domain.audit_deployments import (
    DeploymentAuthorised,
    DeploymentClosed,
    DeploymentDrafted,
    DeploymentPaused,
    DeploymentStarted,
    DeploymentStopped,
)
from openlfr.domain.deployment import DeploymentStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from openlfr.domain.deployment import Deployment

_STATUS_AFTER = {
    DeploymentDrafted.kind: DeploymentStatus.DRAFT,
    DeploymentStarted.kind: DeploymentStatus.STARTED,
    DeploymentPaused.kind: DeploymentStatus.PAUSED,
    DeploymentStopped.kind: DeploymentStatus.STOPPED,
    DeploymentClosed.kind: DeploymentStatus.CLOSED,
}
ACTS = (*_STATUS_AFTER, DeploymentAuthorised.kind)
"""The kinds of acts from which a deployment's content and status are derived."""

_TEXT_FIELDS = ("purpose", "place", "legal_basis", "authorised_by")
_LIST_FIELDS = ("cameras", "watchlists")


@dataclass(frozen=True, slots=True)
class DeploymentAct:
    """A recorded act of one of the kinds in `ACTS`.

    Attributes:
        detail: See `audit.ActDetails`.
    """

    kind: str
    detail: Mapping[str, object]


def with_recorded_status(deployment: Deployment, acts: Sequence[DeploymentAct]) -> Deployment:
    """Return the deployment with the status that follows from its acts, and with `alteration` set.

    Args:
        deployment: The deployment as read from its row.
        acts: The deployment's recorded acts of the kinds in `ACTS`, in order.

    Returns:
        A new deployment if the row differs from the acts, else the same. Without a recorded
        authorisation, the status of the row remains, and a draft or closed deployment is unchanged.
    """
    status = _derive_status(acts)
    authorised = [act for act in acts if act.kind == DeploymentAuthorised.kind]
    if status is None or not authorised:
        if deployment.status in (DeploymentStatus.DRAFT, DeploymentStatus.CLOSED):
            return deployment  # a draft or closed deployment has no effect
        return replace(deployment, alteration="no authorisation of it was recorded")
    names = tuple(_changed_fields(deployment, authorised[-1].detail))
    if status is not deployment.status:
        names = ("status", *names)
    if not names:
        return deployment
    which = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
    return replace(
        deployment,
        status=status,
        alteration=f"{which} {'differ' if len(names) > 1 else 'differs'} from its acts",
    )


def _derive_status(acts: Sequence[DeploymentAct]) -> DeploymentStatus | None:
    status = None
    for act in acts:
        if act.kind in _STATUS_AFTER:
            status = _STATUS_AFTER[act.kind]
        elif status is DeploymentStatus.DRAFT:  # the authorisation of a revision changes no status
            status = DeploymentStatus.AUTHORISED
    return status


def _changed_fields(deployment: Deployment, authorised: Mapping[str, object]) -> Iterator[str]:
    current = deployment.authorisation
    if current.name != authorised.get("name", ""):
        yield "name"
    for name in _TEXT_FIELDS:
        if getattr(current, name) != authorised.get(name, ""):
            yield name
    for name in ("starts", "ends"):
        if getattr(current, name) != _parse_moment(authorised.get(name)):
            yield name
    for name in _LIST_FIELDS:  # missing in acts of earlier versions
        recorded = authorised.get(name)
        if isinstance(recorded, list) and list(getattr(deployment, name)) != recorded:
            yield name
    if deployment.revision != authorised.get("revision", deployment.revision):
        yield "revision"


def _parse_moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None
