"""The rights of each user on Redis, as rules of its access control list (`ACL SETUSER`).

All our keys begin with `openlfr:`, so that our users cannot reach other applications' keys in the
same Redis. No user may empty the database, list its keys, read or change its settings, or stop it.
Analysis uses no Redis and has no user.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_KEYS = "~openlfr:*"
_WORK = (
    "+@read", "+@write", "+@scripting", "+@transaction", "+@connection", "+time", "-@dangerous",
)  # fmt: skip
_ERASE = ("+info", "+bgrewriteaof", "+bgsave")
"""Erased content stays in the append-only file, and in the snapshot if the server writes one, until
both are rewritten; INFO shows when that is done."""

USERS: Mapping[str, tuple[str, ...]] = {
    "ingest": _WORK,
    "alerting": (*_WORK, *_ERASE),
    "operator": (*_WORK, *_ERASE),
}
"""Rules of each user; `operator` is for commands such as `openlfr purge`."""


def acl_lines(passwords: Mapping[str, str | None], *, prefix: str = "openlfr-") -> Iterator[str]:
    """Lines of an ACL file: our users, and the default user switched off.

    Args:
        passwords: Password of each user, written as a hash; None for a user without a password,
            who cannot log in until it has one.
        prefix: Prefix of users' names.
    """
    yield "user default off"
    for name, password in passwords.items():
        secret = [] if password is None else [f"#{hashlib.sha256(password.encode()).hexdigest()}"]
        rules = ("reset", "on", *secret, _KEYS, *USERS[name])
        yield f"user {prefix}{name} {' '.join(rules)}"
