"""People's names and words in acts, stored outside the audit log so that they can be erased.

The log contains a salted hash of each name and of each text. While a name exists, it is compared
with its hash. After a name and its salt are erased, the hash reveals nothing about the name.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from openlfr.adapters.sql.tables import act_words, audit_events
from openlfr.domain.alert_records import NameErasures
from openlfr.domain.erasable import ALERT, erasable_fields, has_erasable_name
from openlfr.domain.principals import ALTERED

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from openlfr.domain.audit import AuditEvent

_MAX_PER_STATEMENT = 1000  # objects
_NAME, _WORDS = "name_sha256", "words_sha256"
COLUMNS = (
    act_words.c.name.label("erasable_name"),
    act_words.c.name_salt,
    act_words.c.words,
    act_words.c.words_salt,
)
"""Columns of `join_words` that `restore_act` requires."""


class SplitAct(NamedTuple):
    """The parts of an act.

    Attributes:
        name: Name of the person, for the log; empty if it is erasable.
        detail: Detail for the log, without erasable words.
        words_row: Row of `act_words`; None if nothing is erasable.
    """

    name: str
    detail: dict[str, object]
    words_row: dict[str, object] | None


def join_words(acts: sa.FromClause) -> sa.FromClause:
    """Join acts with their erasable names and words."""
    return acts.outerjoin(act_words, act_words.c.event_id == audit_events.c.event_id)


def split_act(event: AuditEvent) -> SplitAct:
    """Separate the erasable fields of an act (`domain.erasable`) from the others."""
    detail = event.details.detail()
    erasable = erasable_fields(event.details.object_kind, event.by.issuer)
    has_name = has_erasable_name(event.details.object_kind, event.by.issuer)
    if not erasable and not has_name:
        return SplitAct(event.by.name, detail, None)
    texts = {name: detail.pop(name) for name in sorted(erasable) if name in detail}
    words = json.dumps(texts, sort_keys=True) if texts else ""
    name = event.by.name if has_name else ""
    salts = secrets.token_hex(32), secrets.token_hex(32)
    if name:
        detail[_NAME] = _hash(salts[0], name)
    if words:
        detail[_WORDS] = _hash(salts[1], words)
    words_row: dict[str, object] = {
        "event_id": event.event_id,
        "object_kind": event.details.object_kind,
        "object_id": event.details.object_id,
        "at": event.at,
        "name": name,
        "name_salt": salts[0] if name else "",
        "words": words,
        "words_salt": salts[1] if words else "",
    }
    return SplitAct("" if name else event.by.name, detail, words_row if name or words else None)


def restore_act(row: Any) -> tuple[str, dict[str, object]]:
    """Return name and detail of an act read with `COLUMNS`; erased words are absent.

    A name or text that does not match its hash is replaced by `ALTERED`.
    """
    detail = dict(row.detail or {})
    name_hash, words_hash = detail.pop(_NAME, None), detail.pop(_WORDS, None)
    name = row.name or ""
    if name_hash is not None:
        name = row.erasable_name or ""
        if name and _hash(row.name_salt, name) != name_hash:
            name = ALTERED
    if words_hash is not None and row.words:
        is_unaltered = _hash(row.words_salt, row.words) == words_hash
        detail |= json.loads(row.words) if is_unaltered else {"reason": ALTERED}
    return name, detail


def erase_words(connection: Connection, object_ids: Collection[str]) -> None:
    """Erase the words of acts on these alerts or entries; the names of the actors remain."""
    ids = list(object_ids)
    for start in range(0, len(ids), _MAX_PER_STATEMENT):
        chosen = act_words.c.object_id.in_(ids[start : start + _MAX_PER_STATEMENT])
        connection.execute(sa.update(act_words).where(chosen).values(words="", words_salt=""))


def erase_names(
    connection: Connection, before: datetime, retained_alerts: sa.Select[tuple[str]]
) -> NameErasures:
    """Erase names and words of acts before this moment, except of acts on retained alerts.

    The name in an act on an entry is erased only after the act's words are erased. An entry that is
    still listed has both, since comparing the entry with its enrolment requires the
    name. Return the numbers of acts whose names were erased and retained.
    """
    is_erasable = sa.or_(act_words.c.object_kind == ALERT, act_words.c.words == "")
    is_expired = sa.and_(act_words.c.at < before, act_words.c.name != "", is_erasable)
    is_retained = sa.and_(
        act_words.c.object_kind == ALERT, act_words.c.object_id.in_(retained_alerts)
    )
    retained = sa.select(sa.func.count()).select_from(act_words).where(is_expired, is_retained)
    values: Mapping[str, str] = {"name": "", "name_salt": "", "words": "", "words_salt": ""}
    erasure = sa.update(act_words).where(is_expired, ~is_retained).values(**values)
    return NameErasures(
        erased=connection.execute(erasure).rowcount,
        retained=connection.execute(retained).scalar_one(),
    )


def _hash(salt: str, text: str) -> str:
    return hashlib.sha256(f"{salt}\x1f{text}".encode()).hexdigest()
