"""Deployments in SQL: the present state of each; its history is in the audit log.

Rows are compared with the acts of that log when they are read (`domain.deployment_acts`).
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

_SHOWN = 5  # largest number of deployments in a message about several matches


class DeploymentRecords:
    """The deployments of one database."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def get(self, deployment_id: str) -> Deployment | None:
        """The deployment of this id; None if there is none."""
        with self._access.reading() as connection:
            found = with_acts(connection, deployments.c.deployment_id == deployment_id)
        return found[0][0] if found else None

    def find(self, id_or_name: str) -> Deployment:
        """The deployment of this id, this name, or an id with this prefix; closed ones come last.

        Raises:
            BadInput: No deployment matches, or several do.
        """
        text = id_or_name.strip()
        ids, status = deployments.c.deployment_id, deployments.c.status
        begins = ids.startswith(text, autoescape=True)
        # A whole id, then the name of one that is not closed, then any name or prefix.
        conditions = (
            ids == text,
            sa.and_(deployments.c.name == text, status != str(DeploymentStatus.CLOSED)),
            sa.or_(begins, deployments.c.name == text),
        )
        found: list[Deployment] = []
        with self._access.reading() as connection:
            for fits in conditions:
                some = with_acts(connection, fits, by=(deployments.c.starts,))
                if found := [each for each, _ in some]:
                    break
        if not text or not found:
            raise BadInput(
                f"There is no deployment {id_or_name!r}: `openlfr deployment list` names all."
            )
        if len(found) > 1:
            ids_of = ", ".join(each.deployment_id for each in found[:_SHOWN])
            more = " ..." if len(found) > _SHOWN else ""
            raise BadInput(
                f"Several deployments are {id_or_name!r}, name one by its id: {ids_of}{more}"
            )
        return found[0]

    def list(self) -> Sequence[Deployment]:
        """All deployments, the latest start first."""
        with self._access.reading() as connection:
            found = with_acts(connection, by=(deployments.c.starts.desc(),))
        return [each for each, _ in found]


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
        mine = deployments.c.deployment_id == deployment.deployment_id
        with self._access.writing() as connection:
            # The same counter as for entries of the watchlist: one relay publishes both in order.
            values["version"] = next_version(connection)
            changed = connection.execute(sa.update(deployments).where(mine).values(**values))
            if not changed.rowcount:
                connection.execute(
                    sa.insert(deployments).values(
                        deployment_id=deployment.deployment_id, drafted_at=at, **values
                    )
                )


def with_acts(
    connection: Connection,
    *conditions: sa.ColumnElement[bool],
    by: Sequence[sa.ColumnElement[Any]] = (),
) -> list[tuple[Deployment, Any]]:
    """Deployments in the state that their acts record, each with its row.

    Rows and acts are read in one query; in two they might not belong together.

    Args:
        connection: A connection for reading.
        conditions: Conditions on deployments.
        by: Order of the deployments; then by id.
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
    found = []
    for _, group in groupby(connection.execute(query), key=lambda row: row.deployment_id):
        rows = list(group)
        done = [DeploymentAct(row.kind, row.detail) for row in rows if row.kind]
        found.append((with_recorded_status(_deployment_of(rows[0]), done), rows[0]))
    return found


def _deployment_of(row: Any) -> Deployment:
    """The deployment of a row."""
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
