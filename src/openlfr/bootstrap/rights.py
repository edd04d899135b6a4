"""The SQL roles and their rights, as `openlfr rights` prints them for an administrator."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def list_sql_roles() -> tuple[str, ...]:
    """Return the names of the PostgreSQL roles, the owner first."""
    from openlfr.adapters.sql.rights import RIGHTS

    return ("owner", *RIGHTS)


def list_sql_statements(
    owner: str, database: str, passwords: Mapping[str, str | None]
) -> Iterator[str]:
    """Yield the SQL statements that create the roles and a database.

    `passwords` maps each role to its password, or to None for a role without a password.
    """
    from openlfr.adapters.sql.rights import role_statements

    return role_statements(owner, database, passwords)
