"""What an administrator gives the users of the servers, as `openlfr rights` prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def sql_roles() -> tuple[str, ...]:
    """The roles of PostgreSQL by what they are for; the owner's comes first."""
    from openlfr.adapters.sql.rights import RIGHTS

    return ("owner", *RIGHTS)


def sql_statements(owner: str, database: str, passwords: Mapping[str, str | None]) -> Iterator[str]:
    """What makes the roles and a database of their own; passwords by `sql_roles`, None: none."""
    from openlfr.adapters.sql.rights import role_statements

    return role_statements(owner, database, passwords)
