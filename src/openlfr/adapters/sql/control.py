"""Changes of entries and deployments for the control topic, in the order of their commits.

The rows themselves are the outbox. Each row contains the number of its last change, written in the
transaction of that change. Writers lock the counter, so that numbers are in the order of commits.
Rows with a number above the last published one are published in that order, even after a crash of
the publisher.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from openlfr.adapters.sql.deployments import read_with_acts as read_deployments
from openlfr.adapters.sql.engine import reading
from openlfr.adapters.sql.tables import audit_events, deployments, references
from openlfr.adapters.sql.watchlist_acts import Comparison, read_with_acts
from openlfr.adapters.sql.watchlist_version import newest_version
from openlfr.domain.audit_deployments import DeploymentStarted
from openlfr.domain.control import DeploymentState, EntryForgotten, ManifestChange
from openlfr.domain.deployment import DeploymentStatus
from openlfr.domain.entry_acts import find_alteration
from openlfr.domain.watchlist import EntryStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection, Engine

    from openlfr.domain.deployment import Deployment
    from openlfr.domain.entry_acts import EntryAct
    from openlfr.domain.watchlist import Reference

_GONE = (EntryStatus.REMOVED, EntryStatus.REFUSED)


class ControlRecords:
    """The changes of one database's watchlist and deployments."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._comparison = Comparison()

    def version(self) -> int:
        """Return the number of the newest change; cheap enough to read several times a second."""
        with reading(self._engine) as connection:
            return newest_version(connection)

    def changes_after(
        self, after: int = 0
    ) -> list[ManifestChange | EntryForgotten | DeploymentState]:
        """Return the states changed after this version, each kind in the order of changes.

        Deployments come first: they are few, and a pause must not wait for an import. A removed
        entry has the status `REMOVED` until its template and picture are erased everywhere;
        afterwards it is an `EntryForgotten`. An entry that differs from its enrolment is returned
        as suspended.
        """
        with reading(self._engine) as connection:
            return [
                *_states_of_deployments(connection, after),
                *(
                    _message_of(entry, acts, row)
                    for entry, acts, row in read_with_acts(connection, references.c.version > after)
                ),
            ]

    def altered_entries(self) -> dict[str, str]:
        """Return the active entries that differ from their enrolment, each with the difference."""
        with reading(self._engine) as connection:
            return self._comparison.compare_changed_rows(connection, None)

    def altered_deployments(self) -> dict[str, str]:
        """Return the deployments whose row differs from their acts, each with the difference."""
        with reading(self._engine) as connection:
            rows = read_deployments(connection)
        return {each.deployment_id: each.alteration for each, _ in rows if each.alteration}


def _message_of(
    entry: Reference, acts: Sequence[EntryAct], row: Any
) -> ManifestChange | EntryForgotten:
    if row.settled and entry.status in _GONE:
        return EntryForgotten(entry.reference_id)
    is_altered = entry.status is EntryStatus.ACTIVE and find_alteration(entry, acts)
    return ManifestChange(
        reference_id=entry.reference_id,
        watchlist=entry.watchlist,
        template_hash=entry.template_hash,
        expires=entry.expires,
        status=EntryStatus.SUSPENDED if is_altered else entry.status,
        version=row.version,
        changed_at=row.changed_at,
        category=entry.category,
        entry_hash=entry.entry_hash,
    )


def _states_of_deployments(connection: Connection, after: int) -> list[DeploymentState]:
    version = deployments.c.version
    rows = read_deployments(connection, version > after, by=(version,))
    thresholds = _thresholds(connection, [each.deployment_id for each, _ in rows])
    return [
        _state_of(each, row, *thresholds.get(each.deployment_id, (None, ""))) for each, row in rows
    ]


def _thresholds(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[float | None, str]]:
    """Return threshold and origin of each deployment, from its newest start with a threshold."""
    acts = audit_events.c
    query = (
        sa.select(acts.object_id, acts.detail)
        .where(
            acts.object_kind == DeploymentStarted.object_kind,
            acts.kind == DeploymentStarted.kind,
            acts.object_id.in_(ids),
        )
        .order_by(acts.position)
    )
    return {
        row.object_id: (float(row.detail["threshold"]), str(row.detail["threshold_origin"]))
        for row in (connection.execute(query) if ids else ())
        if row.detail.get("threshold") is not None
    }


def _state_of(
    deployment: Deployment, row: Any, threshold: float | None, origin: str
) -> DeploymentState:
    status = deployment.status
    if deployment.alteration and status is DeploymentStatus.STARTED:
        status = DeploymentStatus.PAUSED  # nobody authorised the altered content
    return DeploymentState(
        deployment_id=deployment.deployment_id,
        name=deployment.name,
        status=status,
        revision=deployment.revision,
        starts=deployment.authorisation.starts,
        ends=deployment.authorisation.ends,
        cameras=deployment.cameras,
        watchlists=deployment.watchlists,
        version=row.version,
        changed_at=row.changed_at,
        threshold=threshold,
        threshold_origin=origin,
    )
