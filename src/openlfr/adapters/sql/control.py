"""What the control topic tells of the watchlist: its entries, by the change that last made them.

The entries themselves are the outbox. Each row carries the number of its last change, written in
the transaction of the change, and writers queue up on the counter; so whatever has a number above
the last one that was told is still to be told, in that order, however often the teller died.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openlfr.adapters.sql.engine import reading
from openlfr.adapters.sql.tables import references
from openlfr.adapters.sql.watchlist_acts import with_acts
from openlfr.adapters.sql.watchlist_version import newest_version
from openlfr.domain.authority import altered
from openlfr.domain.control import Forgotten, ManifestChange
from openlfr.domain.watchlist import EntryStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Engine

    from openlfr.domain.authority import EntryAct
    from openlfr.domain.watchlist import Reference

_GONE = (EntryStatus.REMOVED, EntryStatus.REFUSED)


class ControlRecords:
    """The changes of one database's watchlist."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def version(self) -> int:
        """Number of the newest change; cheap enough to ask several times a second."""
        with reading(self._engine) as connection:
            return newest_version(connection)

    def changed(self, after: int = 0) -> list[ManifestChange | Forgotten]:
        """Where every entry stands that changed after this version, the oldest change first.

        An entry that left the list is told as such until its template and picture are erased
        everywhere, and then forgotten. One that is not as it was enrolled is told as suspended.
        """
        with reading(self._engine) as connection:
            return [
                _told(entry, acts, row)
                for entry, acts, row in with_acts(connection, references.c.version > after)
            ]

    def altered(self) -> dict[str, str]:
        """Active entries that are not as they were enrolled, and what is not."""
        active = references.c.status == EntryStatus.ACTIVE
        with reading(self._engine) as connection:
            found = {
                entry.reference_id: altered(entry, acts)
                for entry, acts, _ in with_acts(connection, active)
            }
        return {key: problem for key, problem in found.items() if problem}


def _told(entry: Reference, acts: Sequence[EntryAct], row: Any) -> ManifestChange | Forgotten:
    if row.settled and entry.status in _GONE:
        return Forgotten(entry.reference_id)
    unsound = entry.status is EntryStatus.ACTIVE and altered(entry, acts)
    return ManifestChange(
        reference_id=entry.reference_id,
        watchlist=entry.watchlist,
        template_hash=entry.template_hash,
        expires=entry.expires,
        status=EntryStatus.SUSPENDED if unsound else entry.status,
        version=row.version,
        changed_at=row.changed_at,
        category=entry.category,
        entry_hash=entry.entry_hash,
    )
