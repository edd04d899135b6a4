"""The rights of each role in PostgreSQL: the owner of the records, alerting, and operators.

Only the owner changes the schema (`openlfr records upgrade`). The upgrade also grants the other
roles the rights that this version requires, for example on new tables. Only the owner may delete
rows or change recorded acts (`audit_events`). Only operators may enrol; alerting has no right to.
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

_ITERATIONS = 4096  # PostgreSQL's default

_SELECT, _INSERT, _UPDATE = "SELECT", "INSERT", "UPDATE"
_VERSION_TABLE = "alembic_version"

RIGHTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "alerting": {
        tables.references.name: (_SELECT, _UPDATE),  # activates and removes entries
        tables.counters.name: (_SELECT, _UPDATE),
        tables.gallery_facts.name: (_SELECT,),
        tables.audit_events.name: (_SELECT, _INSERT),
        tables.act_words.name: (_SELECT, _INSERT, _UPDATE),  # changed only to be erased
        tables.deployments.name: (_SELECT,),
        tables.alerts.name: (_SELECT, _INSERT, _UPDATE),
        tables.merged_alerts.name: (_SELECT, _INSERT),
        tables.alert_events.name: (_SELECT, _INSERT, _UPDATE),
        tables.verdicts.name: (_SELECT, _INSERT),  # records uncontested verdicts as final
        tables.withdrawals.name: (_SELECT,),
        tables.outcomes.name: (_SELECT,),
        tables.verdict_outbox.name: (_SELECT, _INSERT),
        tables.holds.name: (_SELECT,),
        tables.runs.name: (_SELECT,),  # reads which files an erasure must change
        tables.checkpoints.name: (),
        tables.tallies.name: (_SELECT, _INSERT),
        tables.baselines.name: (_SELECT, _INSERT),
        tables.passage_plans.name: (_SELECT,),
        tables.passage_logs.name: (_SELECT,),
        tables.passage_findings.name: (_SELECT, _INSERT),  # before it erases an alert or a name
        tables.calibrations.name: (_SELECT,),
        _VERSION_TABLE: (_SELECT,),
    },
    "operator": {
        tables.references.name: (_SELECT, _INSERT, _UPDATE),
        tables.counters.name: (_SELECT, _UPDATE),
        tables.gallery_facts.name: (_SELECT, _INSERT),
        tables.audit_events.name: (_SELECT, _INSERT),
        tables.act_words.name: (_SELECT, _INSERT, _UPDATE),  # changed only to be erased
        tables.deployments.name: (_SELECT, _INSERT, _UPDATE),
        tables.alerts.name: (_SELECT, _UPDATE),
        tables.merged_alerts.name: (_SELECT,),
        tables.alert_events.name: (_SELECT, _UPDATE),
        tables.verdicts.name: (_SELECT, _INSERT),
        tables.withdrawals.name: (_SELECT, _INSERT),
        tables.outcomes.name: (_SELECT, _INSERT),
        tables.verdict_outbox.name: (_SELECT, _INSERT),
        tables.holds.name: (_SELECT, _INSERT, _UPDATE),
        tables.runs.name: (_SELECT,),
        tables.checkpoints.name: (),
        tables.tallies.name: (_SELECT,),
        tables.baselines.name: (_SELECT,),
        tables.passage_plans.name: (_SELECT, _INSERT),
        tables.passage_logs.name: (_SELECT, _INSERT),
        tables.passage_findings.name: (_SELECT, _INSERT),
        tables.calibrations.name: (_SELECT, _INSERT),
        _VERSION_TABLE: (_SELECT,),
    },
}
"""Rights of each role on each table.

`alerting` is the service. `operator` is for people who enrol and suspend entries and decide alerts.
"""


def role_statements(
    owner: str, database: str, passwords: Mapping[str, str | None]
) -> Iterator[str]:
    """Yield the SQL that creates the roles and the database; an administrator runs it once.

    Args:
        owner: Role that owns the records; the other roles are named `<owner>_alerting` and
            `<owner>_operator`.
        database: Name of the new database.
        passwords: Password of each role, by the keys `owner`, `alerting` and `operator`; None for a
            role without password login. Statements contain SCRAM verifiers, not passwords.
    """
    names = {each: owner if each == "owner" else f"{owner}_{each}" for each in passwords}
    for each, name in names.items():
        password = passwords[each]
        clause = "" if password is None else f" PASSWORD '{_compute_verifier(password)}'"
        yield f"CREATE ROLE {_quoted(name)} LOGIN{clause};"
    yield f"CREATE DATABASE {_quoted(database)} OWNER {_quoted(owner)};"
    yield f"REVOKE ALL ON DATABASE {_quoted(database)} FROM PUBLIC;"
    others = ", ".join(_quoted(name) for each, name in names.items() if each != "owner")
    if others:
        yield f"GRANT CONNECT ON DATABASE {_quoted(database)} TO {others};"


def grant(connection: Connection) -> list[str]:
    """Give every role except the owner exactly the rights that this version requires.

    All rights of a role are revoked first, then granted again.

    Args:
        connection: The owner's connection, inside a transaction: nobody may see a role without its
            rights between the two statements.

    Returns:
        Names of the roles whose rights were set, whether or not they changed; empty on SQLite, or
        if only the owner exists.
    """
    if connection.dialect.name != "postgresql":
        return []
    owner = str(connection.scalar(sa.text("SELECT current_user")))
    schema = _quoted(str(connection.scalar(sa.text("SELECT current_schema()"))))
    existing = set(connection.scalars(sa.text("SELECT rolname FROM pg_roles")))
    roles = [(each, f"{owner}_{each}") for each in RIGHTS if f"{owner}_{each}" in existing]
    for each, name in roles:
        role = _quoted(name)
        for statement in (
            f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}",
            f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM {role}",
            f"GRANT USAGE ON SCHEMA {schema} TO {role}",
            *(
                f"GRANT {', '.join(rights)} ON {schema}.{_quoted(table)} TO {role}"
                for table, rights in RIGHTS[each].items()
                if rights
            ),
        ):
            connection.exec_driver_sql(statement)
    return [name for _, name in roles]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _compute_verifier(password: str) -> str:
    """Compute the SCRAM verifier of a password, as PostgreSQL stores it (RFC 5803)."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS)
    client = hmac.digest(salted, b"Client Key", "sha256")
    server = hmac.digest(salted, b"Server Key", "sha256")
    keys = [base64.b64encode(each).decode() for each in (hashlib.sha256(client).digest(), server)]
    return f"SCRAM-SHA-256${_ITERATIONS}:{base64.b64encode(salt).decode()}${keys[0]}:{keys[1]}"
