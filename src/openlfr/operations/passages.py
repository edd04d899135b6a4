"""Plans and logs the passages of control subjects.

A plan is recorded before the walk, so that no walk is left out because its subject was missed. The
walk is logged by a person who sees no alerts, so that the log does not depend on the result.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openlfr.domain.audit import AuditEvent
from openlfr.domain.audit_passages import PassageLogged, PassagePlanned
from openlfr.domain.deployment import DeploymentStatus
from openlfr.domain.errors import BadInput, Conflict
from openlfr.domain.faces import CONTROL
from openlfr.domain.passages import PassageLog, PassagePlan, commit
from openlfr.domain.permissions import Action, require
from openlfr.domain.watchlist import EntryStatus
from openlfr.operations.passage_findings import names_of_subjects
from openlfr.operations.walk_checks import (
    check_times,
    require_apart,
    require_no_sight_of_alerts,
)

if TYPE_CHECKING:
    from datetime import datetime

    from openlfr.domain.deployment import Deployment
    from openlfr.domain.passages import Passage
    from openlfr.domain.principals import Principal
    from openlfr.domain.watchlist import Reference
    from openlfr.ports import Records, UnitOfWork


@dataclass(frozen=True, slots=True)
class WalkToPlan:
    """A walk that a person plans.

    Attributes:
        subject: Name of the control subject.
        deployment: Id or name of the deployment.
        cameras: Names of the cameras that the subject will pass; empty for all cameras.
    """

    subject: str
    deployment: str
    cameras: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk that took place.

    Attributes:
        plan_id: Id of the walk's plan, or the beginning of the id.
        begins, ends: First and last time at which the subject was before a camera, UTC.
        cameras: Names of the cameras that the subject passed; empty for all planned cameras.
    """

    plan_id: str
    begins: datetime
    ends: datetime
    cameras: tuple[str, ...] = ()


def plan_passage(walk: WalkToPlan, *, records: Records, by: Principal, at: datetime) -> PassagePlan:
    """Commit a walk of a control subject before it takes place.

    Args:
        walk: The planned walk.
        records: Records of deployments, entries and passages.
        by: The person who plans.
        at: Time of the act, UTC.

    Raises:
        NotAllowed: The person may not plan passages.
        BadInput: No deployment or several match, the deployment is over or altered, or the
            deployment has no such camera. Or no searched list has a searchable entry of this
            control subject.
    """
    require(by, Action.PLAN_PASSAGE)
    with records.unit_of_work() as work:
        deployment = _find_current_deployment(walk.deployment, work, at)
        cameras = _check_cameras(
            walk.cameras or deployment.cameras,
            deployment.cameras,
            f"the deployment {deployment.name!r}",
        )
        entries = _find_control_entries(walk.subject, deployment, work, at)
        known = work.passages.of_deployment(deployment.deployment_id)
        names = names_of_subjects(known, work.watchlist)
        # The same id in all plans of a subject, since passages of one subject are correlated.
        earlier = (each.plan.subject_id for each in known)
        same_subject = (each for each in earlier if names[each] == walk.subject)
        subject_id = next(same_subject, entries[0].reference_id)
        salt = secrets.token_hex(32)
        plan = PassagePlan(
            str(uuid.uuid4()),
            deployment.deployment_id,
            subject_id,
            cameras,
            salt,
            at,
            commit(subject_id, deployment.deployment_id, cameras, salt, at),
        )
        work.passages.add_plan(plan)
        planned = PassagePlanned(plan.plan_id, plan.deployment_id, plan.commitment)
        work.record(AuditEvent(at, by, planned))
    return plan


def log_passage(walk: Walk, *, records: Records, by: Principal, at: datetime) -> Passage:
    """Record that a planned walk took place; return the passage with its log.

    Args:
        walk: The walk.
        records: Records of passages, deployments and acts.
        by: The person who saw the walk.
        at: Time of the act, UTC.

    Raises:
        NotAllowed: The person sees alerts by their role, or has acted on an alert of the
            deployment.
        BadInput: No plan or several match, the times or cameras do not fit the plan, or the times
            are within 10 seconds of another logged walk of the same subject.
        Conflict: The walk is already logged.
    """
    require(by, Action.LOG_PASSAGE)
    passage = records.passages.find(walk.plan_id)
    plan = passage.plan
    require_no_sight_of_alerts(by, plan.deployment_id, records)
    check_times(walk.begins, walk.ends, plan, records=records, at=at)
    with records.unit_of_work() as work:
        cameras = _check_cameras(walk.cameras or plan.cameras, plan.cameras, "the plan")
        log = PassageLog(walk.begins, walk.ends, cameras, at)
        for other in work.passages.of_subjects((plan.subject_id,)):
            if other.plan.plan_id != plan.plan_id and other.log is not None:
                require_apart(other.log, walk.begins, walk.ends)
        if not work.passages.add_log(plan.plan_id, log):
            raise Conflict(f"The passage {plan.plan_id} is already logged; a log is not changed.")
        logged = PassageLogged(
            plan.plan_id,
            plan.deployment_id,
            log.begins.isoformat(),
            log.ends.isoformat(),
            list(log.cameras),
        )
        work.record(AuditEvent(at, by, logged))
        return work.passages.find(plan.plan_id)


def _find_current_deployment(named: str, work: UnitOfWork, at: datetime) -> Deployment:
    deployment = work.deployments.find(named)
    identity = f"The deployment {deployment.name!r} ({deployment.deployment_id})"
    if deployment.alteration:
        raise BadInput(
            f"{identity} was altered in the database ({deployment.alteration}): start it again, "
            "which records its authorisation, and plan the passage then."
        )
    if deployment.status is DeploymentStatus.CLOSED or at >= deployment.authorisation.ends:
        raise BadInput(f"{identity} is over: passages are planned before its end.")
    return deployment


def _check_cameras(named: tuple[str, ...], known: tuple[str, ...], where: str) -> tuple[str, ...]:
    unknown = [each for each in named if each not in known]
    if unknown or not named:
        which = f"no camera {unknown[0]!r}" if unknown else "no camera"
        cameras = ", ".join(known) or "none"
        raise BadInput(f"There is {which} in {where}: its cameras are {cameras}.")
    return tuple(sorted(set(named)))


def _find_control_entries(
    subject: str, deployment: Deployment, work: UnitOfWork, at: datetime
) -> list[Reference]:
    """Return the searchable entries of a control subject, in order of their ids."""
    entries = work.watchlist.references(subject=subject, watchlists=deployment.watchlists)
    control = [each for each in entries if each.category == CONTROL]
    altered = work.watchlist.altered_entries(deployment.watchlists) if control else {}
    searchable = [
        each
        for each in control
        if each.status is EntryStatus.ACTIVE
        and each.expires >= at
        and each.reference_id not in altered
    ]
    if searchable:
        return sorted(searchable, key=lambda each: each.reference_id)
    lists = ", ".join(deployment.watchlists) or "none"
    advice = f"openlfr watchlist list prints the entries of the searched lists ({lists})."
    if not entries:
        raise BadInput(f"There is no entry of {subject!r} that this deployment searches: {advice}")
    if not control:
        raise BadInput(
            f"{subject!r} is listed as {entries[0].category}, and not as a control subject, who "
            f"has consented: enrol consenting people with the category {CONTROL}."
        )
    raise BadInput(
        f"No entry of the control subject {subject!r} is searched: each is pending, suspended, "
        f"removed, expired or altered. {advice}"
    )
