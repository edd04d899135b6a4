"""The rights of each role in PostgreSQL: the owner of the records, alerting, and operators.

The owner alone changes the schema (`openlfr records upgrade`), and then grants the others the
rights that this version needs, so that the rights on a new table come with the table. Only the
owner may delete a row, or change what was done (`audit_events`). Alerting cannot list anybody:
enrolling is for operators.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

import sqlalchemy as sa

from openlfr.adapters.sql import tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy.engine import Connection

_ITERATIONS = 4096  # PostgreSQL's own

_SEE, _ADD, _CHANGE = "SELECT", "INSERT", "UPDATE"
_VERSION = "alembic_version"

RIGHTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "alerting": {
        tables.references.name: (_SEE, _CHANGE),  # settles, expires and erases entries
        tables.counters.name: (_SEE, _CHANGE),
        tables.gallery_facts.name: (_SEE,),
        tables.audit_events.name: (_SEE, _ADD),
        tables.act_words.name: (_SEE, _ADD, _CHANGE),  # changed only to be erased
        tables.deployments.name: (_SEE,),
        tables.alerts.name: (_SEE, _ADD, _CHANGE),
        tables.merged_alerts.name: (_SEE, _ADD),
        tables.alert_events.name: (_SEE, _ADD, _CHANGE),
        tables.verdicts.name: (_SEE, _ADD),  # settles uncontested verdicts
        tables.withdrawals.name: (_SEE,),
        tables.outcomes.name: (_SEE,),
        tables.verdict_outbox.name: (_SEE, _ADD),
        tables.holds.name: (_SEE,),
        tables.runs.name: (_SEE,),  # which files were written, before anything is erased
        tables.checkpoints.name: (),
        tables.tallies.name: (_SEE, _ADD),
        tables.baselines.name: (_SEE, _ADD),
        _VERSION: (_SEE,),
    },
    "operator": {
        tables.references.name: (_SEE, _ADD, _CHANGE),
        tables.counters.name: (_SEE, _CHANGE),
        tables.gallery_facts.name: (_SEE, _ADD),
        tables.audit_events.name: (_SEE, _ADD),
        tables.act_words.name: (_SEE, _ADD, _CHANGE),  # changed only to be erased
        tables.deployments.name: (_SEE, _ADD, _CHANGE),
        tables.alerts.name: (_SEE, _CHANGE),
        tables.merged_alerts.name: (_SEE,),
        tables.alert_events.name: (_SEE, _CHANGE),
        tables.verdicts.name: (_SEE, _ADD),
        tables.withdrawals.name: (_SEE, _ADD),
        tables.outcomes.name: (_SEE, _ADD),
        tables.verdict_outbox.name: (_SEE, _ADD),
        tables.holds.name: (_SEE, _ADD, _CHANGE),
        tables.runs.name: (_SEE,),
        tables.checkpoints.name: (),
        tables.tallies.name: (_SEE,),
        tables.baselines.name: (_SEE,),
        _VERSION: (_SEE,),
    },
}
"""Rights of each role on each table; `operator` is for enrolling, suspending and deciding."""


def role_statements(
    owner: str, database: str, passwords: Mapping[str, str | None]
) -> Iterator[str]:
    """Statements that an administrator of PostgreSQL runs once, to create roles and database.

    Args:
        owner: Role that owns the records; the others are named `OWNER_alerting` and
            `OWNER_operator`.
        database: Name of the new database.
        passwords: Password of each role, by `owner`, `alerting` and `operator`, written as a SCRAM
            verifier; None for a role that cannot log in by password.
    """
    names = {each: owner if each == "owner" else f"{owner}_{each}" for each in passwords}
    for each, name in names.items():
        secret = passwords[each]
        proof = "" if secret is None else f" PASSWORD '{_scram(secret)}'"
        yield f"CREATE ROLE {_quoted(name)} LOGIN{proof};"
    yield f"CREATE DATABASE {_quoted(database)} OWNER {_quoted(owner)};"
    yield f"REVOKE ALL ON DATABASE {_quoted(database)} FROM PUBLIC;"
    others = ", ".join(_quoted(name) for each, name in names.items() if each != "owner")
    if others:
        yield f"GRANT CONNECT ON DATABASE {_quoted(database)} TO {others};"


def grant(connection: Connection) -> list[str]:
    """Grant the roles besides the owner, if there are any, the rights that this version needs.

    Args:
        connection: A connection of the owner, in a transaction, so that no role lacks its rights
            in between.

    Returns:
        The roles with new grants; none on SQLite, or where one role does everything.
    """
    if connection.dialect.name != "postgresql":
        return []
    owner = str(connection.scalar(sa.text("SELECT current_user")))
    schema = _quoted(str(connection.scalar(sa.text("SELECT current_schema()"))))
    known = set(connection.scalars(sa.text("SELECT rolname FROM pg_roles")))
    given = [(each, f"{owner}_{each}") for each in RIGHTS if f"{owner}_{each}" in known]
    for each, name in given:
        role = _quoted(name)
        for statement in (
            f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}",
            f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM {role}",
            f"GRANT USAGE ON SCHEMA {schema} TO {role}",
            *(
                f"GRANT {', '.join(may)} ON {schema}.{_quoted(table)} TO {role}"
                for table, may in RIGHTS[each].items()
                if may
            ),
        ):
            connection.exec_driver_sql(statement)
    return [name for _, name in given]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _scram(password: str) -> str:
    """The SCRAM verifier of a password, as PostgreSQL stores it (RFC 5803)."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS)
    client = hmac.digest(salted, b"Client Key", "sha256")
    server = hmac.digest(salted, b"Server Key", "sha256")
    kept = [base64.b64encode(each).decode() for each in (hashlib.sha256(client).digest(), server)]
    return f"SCRAM-SHA-256${_ITERATIONS}:{base64.b64encode(salt).decode()}${kept[0]}:{kept[1]}"
