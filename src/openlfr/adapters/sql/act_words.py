"""Names and words of acts, stored beside the audit log so that they can be erased.

The log contains a salted hash of each. Names and words are checked against their hash as long as
they exist; once they and their salts are erased, the hash reveals nothing about them.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from openlfr.adapters.sql.tables import act_words, audit_events
from openlfr.domain.erasable import ALERT, erasable_fields
from openlfr.domain.principals import OPENLFR

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from openlfr.domain.audit import AuditEvent

_AT_ONCE = 1000  # largest number of objects in one statement
_NAME, _WORDS = "name_sha256", "words_sha256"
ALTERED = "(altered)"
COLUMNS = (
    act_words.c.name.label("erasable_name"),
    act_words.c.name_salt,
    act_words.c.words,
    act_words.c.words_salt,
)
"""Columns to select from the join of `with_words`."""


class SplitAct(NamedTuple):
    """An act's name and detail for the log, and its row of words beside the log, if any."""

    name: str
    detail: dict[str, object]
    beside: dict[str, object] | None


def with_words(acts: sa.FromClause) -> sa.FromClause:
    """The join of acts with their words."""
    return acts.outerjoin(act_words, act_words.c.event_id == audit_events.c.event_id)


def split_act(event: AuditEvent) -> SplitAct:
    """Split an act into its parts for the log and for the words (`domain.erasable`)."""
    detail = event.what.detail()
    wanted = erasable_fields(event.what.object_kind, event.by.issuer)
    if not wanted:
        return SplitAct(event.by.name, detail, None)
    free = {name: detail.pop(name) for name in sorted(wanted) if name in detail}
    words = json.dumps(free, sort_keys=True) if free else ""
    name = "" if event.by.issuer == OPENLFR else event.by.name
    salts = secrets.token_hex(32), secrets.token_hex(32)
    if name:
        detail[_NAME] = _hash(salts[0], name)
    if words:
        detail[_WORDS] = _hash(salts[1], words)
    beside: dict[str, object] = {
        "event_id": event.event_id,
        "object_kind": event.what.object_kind,
        "object_id": event.what.object_id,
        "at": event.at,
        "name": name,
        "name_salt": salts[0] if name else "",
        "words": words,
        "words_salt": salts[1] if words else "",
    }
    return SplitAct("" if name else event.by.name, detail, beside if name or words else None)


def restore_act(row: Any) -> tuple[str, dict[str, object]]:
    """Name and detail of an act read with `COLUMNS`; erased words are left out."""
    detail = dict(row.detail or {})
    name_hash, words_hash = detail.pop(_NAME, None), detail.pop(_WORDS, None)
    name = row.name or ""
    if name_hash is not None:
        name = row.erasable_name or ""
        if name and _hash(row.name_salt, name) != name_hash:
            name = ALTERED
    if words_hash is not None and row.words:
        fits = _hash(row.words_salt, row.words) == words_hash
        detail |= json.loads(row.words) if fits else {"reason": ALTERED}
    return name, detail


def erase_words(connection: Connection, object_ids: Collection[str]) -> None:
    """Erase the words of acts on these alerts or entries; the names of who acted stay."""
    ids = list(object_ids)
    for start in range(0, len(ids), _AT_ONCE):
        mine = act_words.c.object_id.in_(ids[start : start + _AT_ONCE])
        connection.execute(sa.update(act_words).where(mine).values(words="", words_salt=""))


def erase_names(connection: Connection, before: datetime) -> int:
    """Erase names and words of acts before this moment; returns the number of acts.

    Acts on entries are erased only if their words are erased already: an entry that is still listed
    is compared with its enrolment, which needs the name.
    """
    over = sa.or_(act_words.c.object_kind == ALERT, act_words.c.words == "")
    old = sa.and_(act_words.c.at < before, act_words.c.name != "", over)
    values: Mapping[str, str] = {"name": "", "name_salt": "", "words": "", "words_salt": ""}
    return connection.execute(sa.update(act_words).where(old).values(**values)).rowcount


def _hash(salt: str, text: str) -> str:
    return hashlib.sha256(f"{salt}\x1f{text}".encode()).hexdigest()
