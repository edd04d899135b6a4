"""Drafts, authorises, starts, pauses, stops and closes deployments; each step is a recorded act.

A configuration contains a whole authorisation, so its first start records draft, authorisation
and start. A later change of the configuration is a revision, which is authorised again. A run
reads a pause or a stop from the records within 2 seconds, like a removal from the watchlist.
City-wide services receive both through the topic control.v1.
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
from openlfr.domain.errors import BadInput, NotAllowed
from openlfr.domain.permissions import Action, require
from openlfr.domain.text import check_reason
from openlfr.operations.control_subjects import expire_control_subjects

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from openlfr.domain.audit_deployments import DeploymentActDetails
    from openlfr.domain.deployment import Authorisation
    from openlfr.domain.principals import Principal
    from openlfr.domain.thresholds import Threshold
    from openlfr.ports import Records, UnitOfWork


@dataclass(frozen=True, slots=True)
class Start:
    """Facts that are recorded with the start of a deployment.

    Attributes:
        threshold: The threshold; None if workers choose the threshold (city-wide).
        config_hash: sha256 (hex) of all other settings that decide the results; empty if unknown.
        list_root: Merkle root of the list searched first (`domain.merkle`); empty if unknown.
    """

    threshold: Threshold | None = None
    config_hash: str = ""
    list_root: str = ""


def register(
    configured: Deployment, *, records: Records, by: Principal, at: datetime
) -> Deployment:
    """Record a configured deployment as new, or as a revision if it differs from the recorded one.

    Nothing is recorded for an unchanged or a closed deployment. The draft is recorded under the
    name of the person who runs the command, and the authorisation under the configured name
    `authorised_by`.

    Returns:
        The recorded deployment, which is authorised if it is new. A revision does not change the
        status of a started, paused or stopped deployment.

    Raises:
        NotAllowed: The person may not draft deployments. Or an authorisation must be recorded and
            the person is logged in: then another person must authorise the deployment.
        BadInput: The id or name of a new deployment can be taken for another deployment.
    """
    require(by, Action.DRAFT_DEPLOYMENT)
    with records.unit_of_work() as work:
        return _register(configured, work, by, at)


def start(
    configured: Deployment, begun: Start, *, records: Records, by: Principal, at: datetime
) -> Deployment:
    """Register a deployment and start it in one transaction, also after a pause or a stop.

    Raises:
        NotAllowed: See `register`.
        BadInput: The deployment was closed; or see `register`.
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
    """Register a deployment, and start it if it was never started.

    A paused or stopped deployment is not started: city-wide services call this function at each
    installation, and an installation is no decision to start.

    Returns:
        The recorded deployment.

    Raises:
        NotAllowed, BadInput: See `register`.
    """
    known = register(configured, records=records, by=by, at=at)
    if known.status is not DeploymentStatus.AUTHORISED:
        return known
    return start(configured, Start(), records=records, by=by, at=at)


def pause(named: str, reason: str, *, records: Records, by: Principal, at: datetime) -> Deployment:
    """Pause a started deployment: no face is searched until the deployment is resumed.

    Args:
        named: The name, or a beginning of the id.
        reason: The reason in the person's words; may be empty.
        records: Records of the deployments.
        by: The person.
        at: Time of the act, UTC.

    Raises:
        NotAllowed: The person may not pause deployments.
        BadInput: No deployment or several match, the deployment's status does not allow the change,
            or the reason contains only spaces or a rejected character.
    """
    return _move(named, DeploymentPaused, reason, records, by, at)


def resume(named: str, reason: str, *, records: Records, by: Principal, at: datetime) -> Deployment:
    """Start a deployment again after a pause or a stop, without a new revision.

    Arguments and errors are those of `pause`, but the person must be allowed to draft deployments.
    """
    require(by, Action.DRAFT_DEPLOYMENT)
    reason = check_reason(reason)
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
    """Stop a started or paused deployment, which may be started again.

    Arguments and errors are those of `pause`.
    """
    return _move(named, DeploymentStopped, reason, records, by, at)


def close(named: str, reason: str, *, records: Records, by: Principal, at: datetime) -> Deployment:
    """Close a deployment for good, and let its control subjects expire.

    Control subjects consented to walk during this deployment. Control subjects on a list that
    another open deployment searches remain listed. Arguments and errors are those of `pause`.
    """
    return _move(named, DeploymentClosed, reason, records, by, at)


_NEXT_STATUS = {
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
    reason = check_reason(reason)
    with records.unit_of_work() as work:
        known = work.deployments.find(named)
        require_next(known, _NEXT_STATUS[kind])
        moved = replace(known, status=_NEXT_STATUS[kind])
        work.deployments.put(moved, at)
        work.record(AuditEvent(at, by, kind(moved.deployment_id, moved.name, reason)))
        if moved.status is DeploymentStatus.CLOSED:
            expire_control_subjects(moved, work, at)
        return moved


def _register(configured: Deployment, work: UnitOfWork, by: Principal, at: datetime) -> Deployment:
    known = work.deployments.get(configured.deployment_id)
    if known is None:
        _require_distinct(configured, work.deployments.list())
        known = replace(configured, status=DeploymentStatus.AUTHORISED, revision=1)
        work.deployments.put(known, at)
        work.record(AuditEvent(at, by, DeploymentDrafted(known.deployment_id, known.name)))
        _record_authorisation(known, work, by, at)
    elif known.status is DeploymentStatus.CLOSED:
        return known  # a closed deployment is never revised or authorised
    elif changes := known.differences(configured) | _alteration(known):
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


def _require_distinct(configured: Deployment, recorded: Sequence[Deployment]) -> None:
    """Check that a new deployment cannot be taken for another one.

    Raises:
        BadInput: Apart from upper and lower case, the new id equals the id or name of another
            deployment, or the new name equals the id of a deployment that is not closed.
    """
    new_id, new_name = configured.deployment_id.casefold(), configured.name.casefold()
    for each in recorded:
        other_id, is_open = (
            each.deployment_id.casefold(),
            each.status is not DeploymentStatus.CLOSED,
        )
        other = f"{each.deployment_id} ({each.name})"
        if new_id in (other_id, each.name.casefold()):
            raise BadInput(
                f"The deployment id {configured.deployment_id!r} can be taken for the deployment "
                f"{other}: choose another deployment.id."
            )
        if is_open and new_name == other_id:
            raise BadInput(
                f"The deployment name {configured.name!r} can be taken for the id of the "
                f"deployment {other}: choose another deployment.name."
            )


def _alteration(known: Deployment) -> dict[str, object]:
    """Return the alteration of the row as a changed field, so that a revision replaces the row.

    The result is empty for an unaltered row.
    """
    return {"altered": known.alteration} if known.alteration else {}


def _record_authorisation(
    deployment: Deployment, work: UnitOfWork, by: Principal, at: datetime
) -> None:
    """Record the whole authorisation under the configured name.

    Raises:
        NotAllowed: The person is logged in, so the configuration cannot name another person as
            authoriser, and nobody may authorise their own draft.
    """
    authorisation: Authorisation = deployment.authorisation
    if by.is_authenticated:
        raise NotAllowed(
            f"{by.name} may not authorise the deployment {deployment.name!r}, which they draft: "
            "another person with the role authoriser is needed."
        )
    authoriser = by.with_name(authorisation.authorised_by)
    what = DeploymentAuthorised(
        deployment.deployment_id,
        deployment.name,
        revision=deployment.revision,
        purpose=authorisation.purpose,
        place=authorisation.place,
        legal_basis=authorisation.legal_basis,
        authorised_by=authorisation.authorised_by,
        starts=authorisation.starts.isoformat(),
        ends=authorisation.ends.isoformat(),
        cameras=list(deployment.cameras),
        watchlists=list(deployment.watchlists),
    )
    work.record(AuditEvent(at, authoriser, what))
