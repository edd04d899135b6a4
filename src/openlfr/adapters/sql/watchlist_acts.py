"""Entries with the acts that they are checked against, of one and the same moment.

Comparing 20,000 entries takes a second or two, and a removal is to be in force in two. So what was
compared is remembered by the number of the entry's last change.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from openlfr.adapters.sql.act_words import COLUMNS as WORDS
from openlfr.adapters.sql.act_words import restore_act
from openlfr.adapters.sql.tables import act_words, audit_events, references
from openlfr.adapters.sql.watchlist_rows import COLUMNS, reference_of
from openlfr.domain.entry_acts import ACTS, EntryAct, find_alteration
from openlfr.domain.watchlist import EntryStatus, ManifestEntry

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from sqlalchemy.engine import Connection

    from openlfr.domain.watchlist import Reference

_FEW = 500
"""Entries that are asked for by name; databases limit the values of a query."""
_ACTIVE = references.c.status == EntryStatus.ACTIVE
_LOOK = (
    "SELECT reference_id, watchlist, subject, category, legal_basis, source, enrolled_by,"
    " authorised_by, second_authoriser, second_reason, expires, template_hash, entry_hash, version"
    " FROM watchlist_references WHERE status = 'active'"
)
_MORE = [references.c[name] for name in ("version", "changed_at", "settled")]


def with_acts(
    connection: Connection, *conditions: sa.ColumnElement[bool]
) -> Iterator[tuple[Reference, tuple[EntryAct, ...], Any]]:
    """Entries, each with its acts of `authority.ACTS` in their order, and a row.

    Rows and acts are read in one query; in two they might not belong together.

    Args:
        connection: A connection for reading.
        conditions: Conditions on entries.

    Yields:
        By version, then id; the row has `version`, `changed_at` and `settled` too.
    """
    acts = audit_events.c
    query = (
        sa.select(*COLUMNS, *_MORE, acts.kind, acts.name, acts.detail, *WORDS)
        .select_from(
            references.outerjoin(
                audit_events,
                (acts.object_kind == "reference")
                & (acts.object_id == references.c.reference_id)
                & acts.kind.in_(ACTS),
            ).outerjoin(act_words, act_words.c.event_id == acts.event_id)
        )
        .where(*conditions)
        .order_by(references.c.version, references.c.reference_id, acts.position)
    )
    for _, found in groupby(connection.execute(query), key=lambda row: row.reference_id):
        rows = list(found)
        yield (
            reference_of(rows[0]),
            tuple(EntryAct(row.kind, *restore_act(row)) for row in rows if row.kind),
            rows[0],
        )


class Compared(NamedTuple):
    """Active entries of some watchlists.

    Attributes:
        entries: All of them, by reference id.
        altered: The differences of entries that differ from their enrolment, by reference id.
    """

    entries: Mapping[str, ManifestEntry]
    altered: Mapping[str, str]


class Comparison:
    """The results of comparing active entries with their enrolments, kept between calls.

    Comparing is slow, and reading every row is fast. To find rows changed by other means, a hash of
    each row and the words of its acts is kept, and entries with another hash are compared again.
    """

    def __init__(self) -> None:
        self._found: dict[str, tuple[int, str]] = {}  # version of the entry, and its difference
        self._seen: dict[str, int] = {}  # hash of the compared row and words

    def compare_changed_rows(
        self, connection: Connection, watchlists: Collection[str] | None
    ) -> dict[str, str]:
        """Compare every changed row; returns differing entries of these lists (None: of all)."""
        lists, seen = _read_hashes(connection)
        changed = [key for key, value in seen.items() if self._seen.get(key) != value]
        if changed:
            self._compare(connection, changed)
        self._seen = seen
        problems = {key: self._found[key][1] for key in seen if key in self._found}
        return {
            key: problem
            for key, problem in problems.items()
            if problem and (watchlists is None or lists[key] in watchlists)
        }

    def active_entries(self, connection: Connection, watchlists: Collection[str]) -> Compared:
        """Active entries of these lists; new entries and new versions are compared."""
        listed = references.c.watchlist.in_(watchlists)
        names = ("watchlist", "category", "template_hash", "entry_hash", "expires")
        columns = [references.c[name] for name in ("reference_id", "version", *names)]
        rows = connection.execute(sa.select(*columns).where(listed, _ACTIVE)).all()
        known = self._found
        new = [r.reference_id for r in rows if known.get(r.reference_id, (-1,))[0] != r.version]
        if len(new) > _FEW:  # hashes first: a row that changes meanwhile is compared again
            _, seen = _read_hashes(connection)
            self._compare(connection, new)
            self._seen = self._seen | {key: seen[key] for key in new if key in seen}
        elif new:
            self._compare(connection, new)
        entries, problems = {}, {}
        for row in rows:
            if row.reference_id not in self._found:
                continue  # removed between the two reads
            _, problem = self._found[row.reference_id]
            if problem:
                problems[row.reference_id] = problem
            entries[row.reference_id] = ManifestEntry(*(getattr(row, name) for name in names))
        return Compared(entries, problems)

    def _compare(self, connection: Connection, ids: Collection[str]) -> None:
        some = references.c.reference_id.in_(ids) if len(ids) <= _FEW else sa.true()
        self._found = self._found | {
            entry.reference_id: (row.version, find_alteration(entry, acts))
            for entry, acts, row in with_acts(connection, _ACTIVE, some)
        }


def _read_hashes(connection: Connection) -> tuple[dict[str, str], dict[str, int]]:
    """The list of each active entry, and a hash of everything that its comparison depends on.

    Without SQLAlchemy's rows: 20,000 in a tenth of the time that comparing them takes.
    """
    words: dict[str, int] = {}
    for object_id, *values in connection.exec_driver_sql(
        "SELECT object_id, event_id, words, words_salt FROM act_words"
        " WHERE object_kind = 'reference'"
    ):
        words[object_id] = words.get(object_id, 0) ^ hash(tuple(values))
    lists, seen = {}, {}
    for row in connection.exec_driver_sql(_LOOK):
        lists[row[0]] = row[1]
        seen[row[0]] = hash((*row, words.get(row[0])))
    return lists, seen
