"""Names and words of acts about alerts: beside the audit log, where they can be erased.

The log holds a salted hash of each. While name and words are there they are checked against it;
once they and their salts are erased the hash says nothing about them.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from openlfr.adapters.sql.tables import act_words, audit_events
from openlfr.domain.principals import OURSELVES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from openlfr.domain.audit import AuditEvent

_FREE = ("reason", "file")  # of an act's detail: what a person typed
_NAME, _WORDS = "name_sha256", "words_sha256"
ALTERED = "(altered)"
COLUMNS = (
    act_words.c.name.label("erasable_name"),
    act_words.c.name_salt,
    act_words.c.words,
    act_words.c.words_salt,
)
"""To be selected beside an act, joined by `joined`."""


class Parts(NamedTuple):
    """An act as the log holds it, and its words as they stand beside it."""

    name: str
    detail: dict[str, object]
    beside: dict[str, object] | None


def joined(acts: sa.FromClause) -> sa.FromClause:
    """Acts with their words, where these stand beside them."""
    return acts.outerjoin(act_words, act_words.c.event_id == audit_events.c.event_id)


def take_apart(event: AuditEvent) -> Parts:
    """What of an act is written where: acts of people about alerts have words to erase."""
    detail = event.what.detail()
    if event.what.object_kind != "alert" or event.by.issuer == OURSELVES:
        return Parts(event.by.name, detail, None)
    free = {name: detail.pop(name) for name in _FREE if name in detail}
    words = json.dumps(free, sort_keys=True) if free else ""
    salts = secrets.token_hex(32), secrets.token_hex(32)
    detail[_NAME] = _hash(salts[0], event.by.name)
    if words:
        detail[_WORDS] = _hash(salts[1], words)
    beside: dict[str, object] = {
        "event_id": event.event_id,
        "alert_id": event.what.object_id,
        "at": event.at,
        "name": event.by.name,
        "name_salt": salts[0],
        "words": words,
        "words_salt": salts[1] if words else "",
    }
    return Parts("", detail, beside)


def put_together(row: Any) -> tuple[str, dict[str, object]]:
    """Name and detail of an act that was read with `COLUMNS`; what was erased is left out."""
    detail = dict(row.detail or {})
    name_hash, words_hash = detail.pop(_NAME, None), detail.pop(_WORDS, None)
    if name_hash is None:
        return row.name or "", detail
    name = row.erasable_name or ""
    if name and _hash(row.name_salt, name) != name_hash:
        name = ALTERED
    if row.words:
        fits = _hash(row.words_salt, row.words) == words_hash
        detail |= json.loads(row.words) if fits else {"reason": ALTERED}
    return name, detail


def erase_words(connection: Connection, alert_id: str) -> None:
    """Erase what people wrote in acts about an alert; who they were stays."""
    mine = act_words.c.alert_id == alert_id
    connection.execute(sa.update(act_words).where(mine).values(words="", words_salt=""))


def erase_names(connection: Connection, before: datetime) -> int:
    """Erase who did what to alerts before this moment; of how many acts."""
    old = sa.and_(act_words.c.at < before, act_words.c.name != "")
    values: Mapping[str, str] = {"name": "", "name_salt": "", "words": "", "words_salt": ""}
    return connection.execute(sa.update(act_words).where(old).values(**values)).rowcount


def _hash(salt: str, text: str) -> str:
    return hashlib.sha256(f"{salt}\x1f{text}".encode()).hexdigest()
