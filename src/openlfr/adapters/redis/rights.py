"""The rights of each user on Redis, as rules of its access control list (`ACL SETUSER`).

All keys of OpenLFR begin with `openlfr:`, so its users cannot access the keys of other applications
in the same Redis. No user may empty the database, list its keys, read or change its settings, or
stop the server. Analysis does not use Redis and has no user.
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
"""Rights to rewrite the append-only file and the snapshot, which contain erased content until
they are rewritten. INFO reports the end of a rewrite.
"""

USERS: Mapping[str, tuple[str, ...]] = {
    "ingest": _WORK,
    "alerting": (*_WORK, *_ERASE),
    "operator": (*_WORK, *_ERASE),
}
"""The rules of each user; `operator` is the user of commands such as `openlfr purge`."""


def acl_lines(passwords: Mapping[str, str | None], *, prefix: str = "openlfr-") -> Iterator[str]:
    """Yield the lines of an ACL file with the users of OpenLFR and a disabled default user.

    Args:
        passwords: Password of each user, written as a hash. A user without a password (None)
            cannot log in.
        prefix: Prefix of the users' names.
    """
    yield "user default off"
    for name, password in passwords.items():
        secret = [] if password is None else [f"#{hashlib.sha256(password.encode()).hexdigest()}"]
        rules = ("reset", "on", *secret, _KEYS, *USERS[name])
        yield f"user {prefix}{name} {' '.join(rules)}"
