"""Detects deployments whose row was altered in the database.

A deployment's row is compared with its acts in the audit log. Every account that may write to the
database can change the row, only its owner the audit log. So the status follows from the acts, and
nobody is searched under an authorisation that differs from the recorded one.
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

_TO = {
    DeploymentDrafted.kind: DeploymentStatus.DRAFT,
    DeploymentStarted.kind: DeploymentStatus.STARTED,
    DeploymentPaused.kind: DeploymentStatus.PAUSED,
    DeploymentStopped.kind: DeploymentStatus.STOPPED,
    DeploymentClosed.kind: DeploymentStatus.CLOSED,
}
ACTS = (*_TO, DeploymentAuthorised.kind)
"""The kinds of acts from which a deployment's content and status follow."""

_WORDS = ("purpose", "place", "legal_basis", "authorised_by")
_LISTS = ("cameras", "watchlists")


@dataclass(frozen=True, slots=True)
class DeploymentAct:
    """A recorded act of one of the kinds in `ACTS`.

    Attributes:
        detail: See `audit.ActDetails`.
    """

    kind: str
    detail: Mapping[str, object]


def as_recorded(deployment: Deployment, acts: Sequence[DeploymentAct]) -> Deployment:
    """Return the deployment with the status that follows from its acts, and with `altered` set.

    Args:
        deployment: The deployment as read from its row.
        acts: The deployment's recorded acts of the kinds in `ACTS`, in order.
    """
    status = _status(acts)
    authorised = [act for act in acts if act.kind == DeploymentAuthorised.kind]
    if status is None or not authorised:
        if deployment.status in (DeploymentStatus.DRAFT, DeploymentStatus.CLOSED):
            return deployment  # it has no effect yet, or no longer
        return replace(deployment, altered="no authorisation of it was recorded")
    names = tuple(_changed(deployment, authorised[-1].detail))
    if status is not deployment.status:
        names = ("status", *names)
    if not names:
        return deployment
    which = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
    return replace(
        deployment,
        status=status,
        altered=f"{which} {'are' if len(names) > 1 else 'is'} not as its acts say",
    )


def _status(acts: Sequence[DeploymentAct]) -> DeploymentStatus | None:
    status = None
    for act in acts:
        if act.kind in _TO:
            status = _TO[act.kind]
        elif status is DeploymentStatus.DRAFT:  # authorising a revision changes no status
            status = DeploymentStatus.AUTHORISED
    return status


def _changed(deployment: Deployment, authorised: Mapping[str, object]) -> Iterator[str]:
    given = deployment.authorisation
    if given.name != authorised.get("name", ""):
        yield "name"
    for name in _WORDS:
        if getattr(given, name) != authorised.get(name, ""):
            yield name
    for name in ("starts", "ends"):
        if getattr(given, name) != _moment(authorised.get(name)):
            yield name
    for name in _LISTS:  # missing in acts of earlier versions
        recorded = authorised.get(name)
        if isinstance(recorded, list) and list(getattr(deployment, name)) != recorded:
            yield name
    if deployment.revision != authorised.get("revision", deployment.revision):
        yield "revision"


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None
