"""Who may do what on Redis: users of its access control list (ACL), as `ACL SETUSER` has them.

Everything of ours begins with `openlfr:`, so that nobody here reaches what others keep in the same
Redis, and nobody may empty it, list its keys, read or change how it is set up, or stop it.
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
"""What was erased stands in the append-only file, and in the snapshot where the server writes one,
until these are written anew, and INFO says when."""

USERS: Mapping[str, tuple[str, ...]] = {
    "ingest": _WORK,
    "alerting": (*_WORK, *_ERASE),
    "operator": (*_WORK, *_ERASE),
}
"""What each user may do; `operator` is whoever runs commands such as `openlfr purge`."""


def acl_lines(passwords: Mapping[str, str | None], *, prefix: str = "openlfr-") -> Iterator[str]:
    """Lines of an ACL file: our users, and the one that needs no name switched off.

    Args:
        passwords: Of each user that is wanted; None leaves it without one, so that nobody is let
            in until it is given one. Their hashes alone are written down.
        prefix: What users' names begin with.
    """
    yield "user default off"
    for name, password in passwords.items():
        secret = [] if password is None else [f"#{hashlib.sha256(password.encode()).hexdigest()}"]
        rules = ("reset", "on", *secret, _KEYS, *USERS[name])
        yield f"user {prefix}{name} {' '.join(rules)}"
