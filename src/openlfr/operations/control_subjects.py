"""Ends the listing of control subjects with the deployment for which they consented."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlfr.domain.audit import AuditEvent
from openlfr.domain.audit_references import ReferenceExpired
from openlfr.domain.deployment import DeploymentStatus
from openlfr.domain.faces import CONTROL
from openlfr.domain.principals import SYSTEM

if TYPE_CHECKING:
    from datetime import datetime

    from openlfr.domain.deployment import Deployment
    from openlfr.ports import UnitOfWork


def expire_control_subjects(closed: Deployment, work: UnitOfWork, at: datetime) -> None:
    """Let the control subjects on the lists of a closed deployment expire.

    Lists that are searched by a deployment that is not closed are left out.

    Args:
        closed: The deployment, as recorded in this transaction.
        work: The transaction that closes the deployment.
        at: Time of the act, UTC.
    """
    searched_elsewhere = {
        name
        for each in work.deployments.list()
        # The act of closing is recorded at the end of the transaction, and the status read from it.
        if each.status is not DeploymentStatus.CLOSED and each.deployment_id != closed.deployment_id
        for name in each.watchlists
    }
    lists = set(closed.watchlists) - searched_elsewhere
    entries = work.watchlist.references(watchlists=lists) if lists else []
    ids = [each.reference_id for each in entries if each.category == CONTROL]
    for entry in work.watchlist.remove_expired(ids, at) if ids else ():
        expired = ReferenceExpired(entry.reference_id, entry.subject, at.isoformat())
        work.record(AuditEvent(at, SYSTEM, expired))
