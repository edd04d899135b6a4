"""What every worker must know of the watchlist while it runs: changes, and signs of life."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from openlfr.domain.watchlist import EntryStatus


@dataclass(frozen=True, slots=True)
class ManifestChange:
    """Where one reference of the watchlist stands now.

    Attributes:
        template_hash: sha256 (hex); a vector that does not carry it does not count.
        expires: Last moment of capture at which it may match, UTC.
        status: Only `ACTIVE` is searched.
        version: Number of the change in the records; a lower one than known is older news.
        changed_at: UTC.
        category: Why it is listed; empty where an earlier version told it.
        entry_hash: Of `watchlist.hash_entry`: a row of the vector store that says another subject
            or list does not count; empty where an earlier version told it.
    """

    reference_id: str
    watchlist: str
    template_hash: str
    expires: datetime
    status: EntryStatus
    version: int
    changed_at: datetime
    category: str = ""
    entry_hash: str = ""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A reference that the records no longer know; nothing of it may be searched."""

    reference_id: str


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The records are read, and everything up to `version` was told before this.

    Attributes:
        sent_at: UTC.
        version: Number of the newest change in the records.
    """

    sent_at: datetime
    version: int


ControlMessage = ManifestChange | Forgotten | Heartbeat
