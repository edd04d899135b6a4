"""Deployments: drafted, authorised, started, paused, stopped and closed, each by an act.

A configuration holds a whole authorisation, so that its first start records the draft, the
authorisation and the start. What it says differently later is a revision, which is authorised
anew. A run at work follows a pause or a stop within the time of a removal from the watchlist, and
so do the services of a city, by control.v1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from openlfr.domain.audit import AuditEvent
from openlfr.domain.audit_deployments import (
    DeploymentAuthorised,
    DeploymentClosed,
    DeploymentDrafted,
    DeploymentPaused,
    DeploymentRevised,
    DeploymentStarted,
    DeploymentStopped,
)
from openlfr.domain.deployment import Deployment, DeploymentStatus, require_next
from openlfr.domain.errors import NotAllowed
from openlfr.domain.permissions import Action, require
from openlfr.domain.text import given_reason

if TYPE_CHECKING:
    from datetime import datetime

    from openlfr.domain.audit_deployments import DeploymentActDetails
    from openlfr.domain.deployment import Authorisation
    from openlfr.domain.principals import Principal
    from openlfr.domain.thresholds import Threshold
    from openlfr.ports import Records, UnitOfWork


@dataclass(frozen=True, slots=True)
class Start:
    """With what a deployment starts.

    Attributes:
        threshold: In force from then on; None where it is chosen by others (a city's workers).
        config_hash: sha256 (hex) of what else decides the results; empty where it is not known.
        list_root: Of the list that is searched first (`domain.merkle`); empty where others know.
    """

    threshold: Threshold | None = None
    config_hash: str = ""
    list_root: str = ""


def register(
    configured: Deployment, *, records: Records, by: Principal, at: datetime
) -> Deployment:
    """Record a deployment as a configuration has it: a new one, a revision, or nothing new.

    Whoever writes the configuration drafts it; that `authorised_by` authorised it is what the
    configuration says, and is recorded under that name.

    Returns:
        The deployment as it is recorded now; one that was stopped or closed still is.

    Raises:
        NotAllowed: They may not.
    """
    require(by, Action.DRAFT_DEPLOYMENT)
    with records.unit_of_work() as work:
        return _register(configured, work, by, at)


def start(
    configured: Deployment, begun: Start, *, records: Records, by: Principal, at: datetime
) -> Deployment:
    """Register a deployment and start it, with its threshold, in one transaction.

    One that was paused or stopped is started again by it.

    Raises:
        NotAllowed: They may not.
        BadInput: It was closed.
    """
    require(by, Action.DRAFT_DEPLOYMENT)
    with records.unit_of_work() as work:
        known = _register(configured, work, by, at)
        require_next(known, DeploymentStatus.STARTED)
        started = replace(known, status=DeploymentStatus.STARTED)
        work.deployments.put(started, at)
        threshold = begun.threshold
        what = DeploymentStarted(
            started.deployment_id,
            started.name,
            revision=started.revision,
            threshold=threshold.value if threshold else None,
            threshold_origin=str(threshold.origin) if threshold else "",
            threshold_list_size=threshold.list_size if threshold else None,
            config_hash=begun.config_hash,
            list_root=begun.list_root,
        )
        work.record(AuditEvent(at, by, what))
        return started


def register_and_start(
    configured: Deployment, *, records: Records, by: Principal, at: datetime
) -> Deployment:
    """Register a deployment, and start it where nobody has yet; a pause or a stop stays.

    For what is installed again and again without meaning a start by it, as a city is.

    Raises:
        NotAllowed: They may not.
    """
    known = register(configured, records=records, by=by, at=at)
    if known.status is not DeploymentStatus.AUTHORISED:
        return known
    return start(configured, Start(), records=records, by=by, at=at)


def pause(named: str, reason: str, *, records: Records, by: Principal, at: datetime) -> Deployment:
    """Search no face until it is started again.

    Args:
        named: The beginning of its id, or its name.
        reason: In the words of the person.
        records: Where it stands.
        by: The person.
        at: UTC.

    Raises:
        NotAllowed: They may not.
        BadInput: No such deployment, it is not started, or the reason is blank.
    """
    return _move(named, DeploymentPaused, reason, records, by, at)


def resume(named: str, reason: str, *, records: Records, by: Principal, at: datetime) -> Deployment:
    """Search faces again after a pause or a stop; arguments and errors as of `pause`."""
    require(by, Action.DRAFT_DEPLOYMENT)
    reason = given_reason(reason)
    with records.unit_of_work() as work:
        known = work.deployments.find(named)
        require_next(known, DeploymentStatus.STARTED)
        started = replace(known, status=DeploymentStatus.STARTED)
        work.deployments.put(started, at)
        what = DeploymentStarted(
            started.deployment_id, started.name, reason, revision=started.revision
        )
        work.record(AuditEvent(at, by, what))
        return started


def stop(named: str, reason: str, *, records: Records, by: Principal, at: datetime) -> Deployment:
    """End the watching; it may be started again. Arguments and errors as of `pause`."""
    return _move(named, DeploymentStopped, reason, records, by, at)


def close(named: str, reason: str, *, records: Records, by: Principal, at: datetime) -> Deployment:
    """End it for good; arguments and errors as of `pause`."""
    return _move(named, DeploymentClosed, reason, records, by, at)


_TO = {
    DeploymentPaused: DeploymentStatus.PAUSED,
    DeploymentStopped: DeploymentStatus.STOPPED,
    DeploymentClosed: DeploymentStatus.CLOSED,
}


def _move(
    named: str,
    kind: type[DeploymentActDetails],
    reason: str,
    records: Records,
    by: Principal,
    at: datetime,
) -> Deployment:
    require(by, Action.PAUSE_DEPLOYMENT)
    reason = given_reason(reason)
    with records.unit_of_work() as work:
        known = work.deployments.find(named)
        require_next(known, _TO[kind])
        moved = replace(known, status=_TO[kind])
        work.deployments.put(moved, at)
        work.record(AuditEvent(at, by, kind(moved.deployment_id, moved.name, reason)))
        return moved


def _register(configured: Deployment, work: UnitOfWork, by: Principal, at: datetime) -> Deployment:
    known = work.deployments.get(configured.deployment_id)
    if known is None:
        known = replace(configured, status=DeploymentStatus.AUTHORISED, revision=1)
        work.deployments.put(known, at)
        work.record(AuditEvent(at, by, DeploymentDrafted(known.deployment_id, known.name)))
        _record_authorisation(known, work, by, at)
    elif known.status is DeploymentStatus.CLOSED:
        return known  # for good: nothing of it is revised or authorised any more
    elif changes := known.differences(configured) | _mended(known):
        status = known.status
        if status is DeploymentStatus.DRAFT:
            status = DeploymentStatus.AUTHORISED
        known = replace(configured, status=status, revision=known.revision + 1)
        work.deployments.put(known, at)
        revised = DeploymentRevised(
            known.deployment_id, known.name, revision=known.revision, changes=changes
        )
        work.record(AuditEvent(at, by, revised))
        _record_authorisation(known, work, by, at)
    return known


def _mended(known: Deployment) -> dict[str, object]:
    """What was altered by other means: the configuration's authorisation is recorded anew."""
    return {"altered": known.altered} if known.altered else {}


def _record_authorisation(
    deployment: Deployment, work: UnitOfWork, by: Principal, at: datetime
) -> None:
    """Record the whole authorisation, under the name that the configuration gives.

    Raises:
        NotAllowed: They are logged in, so that no configuration speaks for another person: it would
            be their own draft that they authorise.
    """
    given: Authorisation = deployment.authorisation
    if by.authenticated:
        raise NotAllowed(
            f"{by.name} may not authorise the deployment {deployment.name!r}, which they draft: it "
            "takes another person with the role authoriser."
        )
    who = by.named(given.authorised_by)
    what = DeploymentAuthorised(
        deployment.deployment_id,
        deployment.name,
        revision=deployment.revision,
        purpose=given.purpose,
        place=given.place,
        legal_basis=given.legal_basis,
        authorised_by=given.authorised_by,
        starts=given.starts.isoformat(),
        ends=given.ends.isoformat(),
        cameras=list(deployment.cameras),
        watchlists=list(deployment.watchlists),
    )
    work.record(AuditEvent(at, who, what))
