"""Checks of a walk that is logged: its times, and the person who logs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlfr.domain.audit_deployments import (
    DeploymentClosed,
    DeploymentPaused,
    DeploymentStarted,
    DeploymentStopped,
)
from openlfr.domain.errors import BadInput, NotAllowed
from openlfr.domain.passages import MAX_DURATION, overlaps
from openlfr.domain.permissions import ALLOWED, Action
from openlfr.domain.principals import OPENLFR

if TYPE_CHECKING:
    from datetime import datetime

    from openlfr.domain.passages import PassageLog, PassagePlan
    from openlfr.domain.principals import Principal
    from openlfr.ports import Records

_BREAKS = (DeploymentPaused.kind, DeploymentStopped.kind, DeploymentClosed.kind)


def check_times(
    begins: datetime, ends: datetime, plan: PassagePlan, *, records: Records, at: datetime
) -> None:
    """Check that a walk took place after its plan, and while its deployment searched faces.

    Args:
        begins: First time at which the subject was before a camera, UTC.
        ends: Last such time, UTC.
        plan: The plan of the walk.
        records: Records of deployments and acts.
        at: Time of the log, UTC.

    Raises:
        BadInput: The times are out of order, before the plan, in the future, too far apart, outside
            the authorised hours or in a break; or the deployment is not recorded.
    """
    if ends <= begins:
        raise BadInput("The walk ends before it begins: exchange --from and --to.")
    if begins < plan.planned_at:
        raise BadInput(
            f"The walk begins before it was planned ({plan.planned_at:%Y-%m-%d %H:%M:%S} UTC): "
            "only walks after their plan count."
        )
    if ends > at:
        raise BadInput("The walk ends in the future: log it after it took place.")
    if ends - begins > MAX_DURATION:
        minutes = round(MAX_DURATION.total_seconds() / 60)
        raise BadInput(f"The walk takes longer than {minutes} minutes: plan several passages.")
    deployment = records.deployments.get(plan.deployment_id)
    if deployment is None:
        raise BadInput(f"The deployment {plan.deployment_id} of the passage is not recorded.")
    hours = deployment.authorisation
    if not hours.starts <= begins < ends <= hours.ends:
        raise BadInput(
            f"The walk is outside the hours of {deployment.name!r}, from "
            f"{hours.starts:%Y-%m-%d %H:%M:%S} to {hours.ends:%Y-%m-%d %H:%M:%S} UTC: nobody is "
            "searched for then."
        )
    _require_no_break(begins, ends, plan.deployment_id, records)


def require_apart(other: PassageLog, begins: datetime, ends: datetime) -> None:
    """Check that a walk is apart from a logged passage of the same subject.

    Otherwise one sighting could count for both passages.

    Raises:
        BadInput: The walk overlaps the logged passage, or is within 10 seconds of it.
    """
    if overlaps(other, begins, ends):
        raise BadInput(
            "The same subject has a logged passage at nearly the same time "
            f"({other.begins:%H:%M:%S} to {other.ends:%H:%M:%S} UTC): one sighting would count "
            "for both. Leave more than 10 seconds between two passages."
        )


def require_no_sight_of_alerts(by: Principal, deployment_id: str, records: Records) -> None:
    """Check that a person has not seen which walks were recognised.

    Raises:
        NotAllowed: The person is logged in with a role that shows alerts, or acted on an alert of
            the deployment. On the command line people are distinguished by their typed names.
    """
    sees = ALLOWED[Action.SEE_FACES] | ALLOWED[Action.DECIDE] | ALLOWED[Action.RECORD_OUTCOME]
    if by.is_authenticated and not by.roles.isdisjoint(sees):
        raise NotAllowed(
            f"{by.name} may not {Action.LOG_PASSAGE}, since another role of theirs shows alerts: "
            "a person who sees no alerts is needed."
        )
    alert_ids = {each.alert_id for each in records.alerts.list(deployment=deployment_id)}
    for act in records.audit.all(object_kind="alert"):
        if act.object_id in alert_ids and act.by.issuer != OPENLFR and act.by.is_same_person(by):
            raise NotAllowed(
                f"{by.name} may not {Action.LOG_PASSAGE} of this deployment, since they have acted "
                f"on one of its alerts ({act.kind}): a person who sees no alerts is needed."
            )


def _require_no_break(
    begins: datetime, ends: datetime, deployment_id: str, records: Records
) -> None:
    """Check that the deployment was not paused, stopped or closed during the walk.

    The time before the first start is not checked: a recording may be older than its run.
    """
    since: datetime | None = None
    for act in records.audit.all(object_kind="deployment", object_id=deployment_id):
        if act.kind in _BREAKS:
            since = since or act.at
        elif act.kind == DeploymentStarted.kind and since is not None:
            _refuse_walk_in_break(begins, ends, since, act.at)
            since = None
    if since is not None:
        _refuse_walk_in_break(begins, ends, since, ends)


def _refuse_walk_in_break(
    begins: datetime, ends: datetime, since: datetime, until: datetime
) -> None:
    if since < ends and begins < until:
        raise BadInput(
            f"The deployment was paused or stopped during the walk, at {since:%Y-%m-%d %H:%M:%S} "
            "UTC: nobody was searched for then."
        )
