"""What the control topic tells of the watchlist: its entries, by the change that last made them.

The entries themselves are the outbox. Each row carries the number of its last change, written in
the transaction of the change, and writers queue up on the counter; so whatever has a number above
the last one that was told is still to be told, in that order, however often the teller died.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from openlfr.adapters.sql.engine import reading
from openlfr.adapters.sql.tables import references
from openlfr.adapters.sql.watchlist_version import newest_version
from openlfr.domain.control import Forgotten, ManifestChange
from openlfr.domain.watchlist import EntryStatus

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

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
        everywhere, and then forgotten.
        """
        query = (
            sa.select(
                references.c.reference_id,
                references.c.watchlist,
                references.c.category,
                references.c.template_hash,
                references.c.expires,
                references.c.status,
                references.c.version,
                references.c.changed_at,
                references.c.settled,
            )
            .where(references.c.version > after)
            .order_by(references.c.version, references.c.reference_id)
        )
        with reading(self._engine) as connection:
            return [_told(row) for row in connection.execute(query)]


def _told(row: Any) -> ManifestChange | Forgotten:
    status = EntryStatus(row.status)
    if row.settled and status in _GONE:
        return Forgotten(row.reference_id)
    return ManifestChange(
        reference_id=row.reference_id,
        watchlist=row.watchlist,
        template_hash=row.template_hash,
        expires=row.expires,
        status=status,
        version=row.version,
        changed_at=row.changed_at,
        category=row.category,
    )
