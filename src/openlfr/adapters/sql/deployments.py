"""Deployments in SQL: the present state of each; the history is in the audit log.

A row is compared with its acts in that log when it is read (`domain.deployment_acts`).
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from openlfr.adapters.sql.tables import audit_events, deployments
from openlfr.adapters.sql.watchlist_version import next_version
from openlfr.domain.audit_deployments import DeploymentAuthorised
from openlfr.domain.deployment import Authorisation, Deployment, DeploymentStatus
from openlfr.domain.deployment_acts import ACTS, DeploymentAct, with_recorded_status
from openlfr.domain.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from openlfr.adapters.sql.access import Access

_MAX_LISTED = 5  # matching deployments in a message


class DeploymentRecords:
    """The deployments of one database."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def get(self, deployment_id: str) -> Deployment | None:
        """Return the deployment with this id; None if it does not exist."""
        with self._access.reading() as connection:
            rows = read_with_acts(connection, deployments.c.deployment_id == deployment_id)
        return rows[0][0] if rows else None

    def find(self, id_or_name: str) -> Deployment:
        """Return the deployment with this id or name, or with an id that begins with this text.

        A closed deployment matches by name only if no other deployment has the name.

        Raises:
            BadInput: No deployment matches, or several do.
        """
        text = id_or_name.strip()
        ids, status = deployments.c.deployment_id, deployments.c.status
        has_prefix = ids.startswith(text, autoescape=True)
        is_open = status != str(DeploymentStatus.CLOSED)
        # In this order: a complete id or the name of an open deployment, any name or prefix.
        conditions = (
            sa.or_(ids == text, sa.and_(deployments.c.name == text, is_open)),
            sa.or_(has_prefix, deployments.c.name == text),
        )
        matches: list[Deployment] = []
        with self._access.reading() as connection:
            for condition in conditions:
                rows = read_with_acts(connection, condition, by=(deployments.c.starts,))
                if matches := [each for each, _ in rows]:
                    break
        if not text or not matches:
            raise BadInput(
                f"There is no deployment {id_or_name!r}: `openlfr deployment list` names all."
            )
        if len(matches) > 1:
            ids_of = ", ".join(
                f"{each.deployment_id} ({each.name})" for each in matches[:_MAX_LISTED]
            )
            more = " ..." if len(matches) > _MAX_LISTED else ""
            raise BadInput(
                f"Several deployments are {id_or_name!r}, name one by its id: {ids_of}{more}"
            )
        return matches[0]

    def list(self) -> Sequence[Deployment]:
        """Return all deployments, the latest start first."""
        with self._access.reading() as connection:
            rows = read_with_acts(connection, by=(deployments.c.starts.desc(),))
        return [each for each, _ in rows]


class DeploymentChanges(DeploymentRecords):
    """Deployments within one transaction."""

    def put(self, deployment: Deployment, at: datetime) -> None:
        """Insert or update a deployment."""
        authorisation = deployment.authorisation
        values: dict[str, Any] = {
            "name": authorisation.name,
            "purpose": authorisation.purpose,
            "place": authorisation.place,
            "legal_basis": authorisation.legal_basis,
            "authorised_by": authorisation.authorised_by,
            "starts": authorisation.starts,
            "ends": authorisation.ends,
            "cameras": list(deployment.cameras),
            "watchlists": list(deployment.watchlists),
            "status": str(deployment.status),
            "revision": deployment.revision,
            "changed_at": at,
        }
        is_own_row = deployments.c.deployment_id == deployment.deployment_id
        with self._access.writing() as connection:
            # Entries of the watchlist use the same counter: one relay publishes both in order.
            values["version"] = next_version(connection)
            changed = connection.execute(sa.update(deployments).where(is_own_row).values(**values))
            if not changed.rowcount:
                connection.execute(
                    sa.insert(deployments).values(
                        deployment_id=deployment.deployment_id, drafted_at=at, **values
                    )
                )


def read_with_acts(
    connection: Connection,
    *conditions: sa.ColumnElement[bool],
    by: Sequence[sa.ColumnElement[Any]] = (),
) -> list[tuple[Deployment, Any]]:
    """Read deployments, each compared with its acts, and with its row.

    One query reads rows and acts, so that they are of the same moment.

    Args:
        connection: A connection for reading.
        conditions: Conditions on deployments.
        by: Columns by which to order the deployments, before their id.
    """
    acts = audit_events.c
    query = (
        sa.select(deployments, acts.kind, acts.detail)
        .select_from(
            deployments.outerjoin(
                audit_events,
                (acts.object_kind == DeploymentAuthorised.object_kind)
                & (acts.object_id == deployments.c.deployment_id)
                & acts.kind.in_(ACTS),
            )
        )
        .where(*conditions)
        .order_by(*by, deployments.c.deployment_id, acts.position)
    )
    pairs = []
    for _, group in groupby(connection.execute(query), key=lambda row: row.deployment_id):
        rows = list(group)
        applied_acts = [DeploymentAct(row.kind, row.detail) for row in rows if row.kind]
        pairs.append((with_recorded_status(_deployment_of(rows[0]), applied_acts), rows[0]))
    return pairs


def _deployment_of(row: Any) -> Deployment:
    return Deployment(
        row.deployment_id,
        Authorisation(
            row.name, row.purpose, row.place, row.legal_basis, row.authorised_by, row.starts,
            row.ends,
        ),
        DeploymentStatus(row.status),
        tuple(row.cameras),
        tuple(row.watchlists),
        row.revision,
        changed_at=row.changed_at,
    )  # fmt: skip
