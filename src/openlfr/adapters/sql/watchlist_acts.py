"""Comparison of entries with their acts in the audit log.

Comparing 20,000 entries takes a second or two, and a removal must apply within two seconds. So the
result of each comparison is stored with the number of the entry's last change.
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

_MAX_IDS = 500
"""Ids in one query; databases limit the number of values. For more, all entries are read."""
_ACTIVE = references.c.status == EntryStatus.ACTIVE
_ROWS_SQL = (
    "SELECT reference_id, watchlist, subject, category, legal_basis, source, enrolled_by,"
    " authorised_by, second_authoriser, second_reason, expires, template_hash, entry_hash, version"
    " FROM watchlist_references WHERE status = 'active'"
)
_CHANGE_COLUMNS = [references.c[name] for name in ("version", "changed_at", "settled")]


def read_with_acts(
    connection: Connection, *conditions: sa.ColumnElement[bool]
) -> Iterator[tuple[Reference, tuple[EntryAct, ...], Any]]:
    """Read entries, each with its acts of `entry_acts.ACTS` in their order, and with its row.

    One query reads rows and acts, so that they are of the same moment.

    Args:
        connection: A connection for reading.
        conditions: Conditions on entries.

    Yields:
        Entries by version, then id. The row also has `version`, `changed_at` and `settled`.
    """
    acts = audit_events.c
    query = (
        sa.select(*COLUMNS, *_CHANGE_COLUMNS, acts.kind, acts.name, acts.detail, *WORDS)
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
    for _, group in groupby(connection.execute(query), key=lambda row: row.reference_id):
        rows = list(group)
        yield (
            reference_of(rows[0]),
            tuple(EntryAct(row.kind, *restore_act(row)) for row in rows if row.kind),
            rows[0],
        )


class ActiveEntries(NamedTuple):
    """Active entries of some watchlists.

    Attributes:
        entries: All active entries, by reference id.
        altered: The difference of each entry that differs from its enrolment, by reference id.
    """

    entries: Mapping[str, ManifestEntry]
    altered: Mapping[str, str]


class Comparison:
    """Comparison of active entries with their enrolments; results are reused between calls.

    Comparing is slow, and reading every row is fast. To detect rows that another program changed, a
    hash of each row and of the words of its acts is stored. Entries with a new hash are compared
    again.
    """

    def __init__(self) -> None:
        self._results: dict[str, tuple[int, str]] = {}  # version of the entry, and its difference
        self._hashes: dict[str, int] = {}  # hash of the compared row and words

    def compare_changed_rows(
        self, connection: Connection, watchlists: Collection[str] | None
    ) -> dict[str, str]:
        """Compare every changed row; return the differences of altered entries, by reference id.

        Only entries of these lists are returned; None means all lists.
        """
        lists, hashes = _read_hashes(connection)
        changed = [key for key, value in hashes.items() if self._hashes.get(key) != value]
        if changed:
            self._compare(connection, changed)
        self._hashes = hashes
        problems = {key: self._results[key][1] for key in hashes if key in self._results}
        return {
            key: problem
            for key, problem in problems.items()
            if problem and (watchlists is None or lists[key] in watchlists)
        }

    def active_entries(self, connection: Connection, watchlists: Collection[str]) -> ActiveEntries:
        """Return the active entries of these lists; compare new entries and new versions."""
        listed = references.c.watchlist.in_(watchlists)
        names = ("watchlist", "category", "template_hash", "entry_hash", "expires")
        columns = [references.c[name] for name in ("reference_id", "version", *names)]
        rows = connection.execute(sa.select(*columns).where(listed, _ACTIVE)).all()
        compared = self._results
        new = [r.reference_id for r in rows if compared.get(r.reference_id, (-1,))[0] != r.version]
        if len(new) > _MAX_IDS:
            # Hashes are read first: a row that changes afterwards is compared again.
            _, hashes = _read_hashes(connection)
            self._compare(connection, new)
            self._hashes = self._hashes | {key: hashes[key] for key in new if key in hashes}
        elif new:
            self._compare(connection, new)
        entries, problems = {}, {}
        for row in rows:
            if row.reference_id not in self._results:
                continue  # removed between the two queries
            _, problem = self._results[row.reference_id]
            if problem:
                problems[row.reference_id] = problem
            entries[row.reference_id] = ManifestEntry(*(getattr(row, name) for name in names))
        return ActiveEntries(entries, problems)

    def _compare(self, connection: Connection, ids: Collection[str]) -> None:
        chosen = references.c.reference_id.in_(ids) if len(ids) <= _MAX_IDS else sa.true()
        self._results = self._results | {
            entry.reference_id: (row.version, find_alteration(entry, acts))
            for entry, acts, row in read_with_acts(connection, _ACTIVE, chosen)
        }


def _read_hashes(connection: Connection) -> tuple[dict[str, str], dict[str, int]]:
    """Return the watchlist of each active entry, and a hash of all data that is compared.

    SQLAlchemy's rows are bypassed: reading 20,000 entries takes a tenth of comparing them.
    """
    words: dict[str, int] = {}
    for object_id, *values in connection.exec_driver_sql(
        "SELECT object_id, event_id, words, words_salt FROM act_words"
        " WHERE object_kind = 'reference'"
    ):
        words[object_id] = words.get(object_id, 0) ^ hash(tuple(values))
    lists, hashes = {}, {}
    for row in connection.exec_driver_sql(_ROWS_SQL):
        lists[row[0]] = row[1]
        hashes[row[0]] = hash((*row, words.get(row[0])))
    return lists, hashes
