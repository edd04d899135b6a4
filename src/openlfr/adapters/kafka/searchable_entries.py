"""The searchable entries in the messages that were read from the control topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlfr.domain.control import EntryForgotten, ManifestChange
from openlfr.domain.watchlist import EntryStatus

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class SearchableEntries:
    """The entries of some watchlists, for one thread.

    Attributes:
        outdated: Number of messages that were discarded after a newer message on the entry.
    """

    def __init__(self, watchlists: Collection[str]) -> None:
        """Start without entries; entries of other watchlists are never searchable."""
        self._watchlists = frozenset(watchlists)
        # Entries of every list and status, since each message is compared with the last version.
        self._entries: dict[str, ManifestChange] = {}
        self.outdated = 0

    def apply(self, message: ManifestChange | EntryForgotten) -> bool:
        """Apply a message; return whether the manifest changed.

        A message with a lower version than the stored entry is discarded and counted in `outdated`.
        """
        known = self._entries.get(message.reference_id)
        before = known if known is not None and self._is_searchable(known) else None
        if isinstance(message, EntryForgotten):
            self._entries.pop(message.reference_id, None)
            return before is not None
        if known is not None and message.version < known.version:
            self.outdated += 1
            return False
        self._entries[message.reference_id] = message
        return (message if self._is_searchable(message) else None) != before

    def set_watchlists(self, watchlists: Collection[str]) -> bool:
        """Replace the watchlists; return whether they changed."""
        previous, self._watchlists = self._watchlists, frozenset(watchlists)
        return previous != self._watchlists

    def manifest(self) -> Mapping[str, ManifestChange]:
        """Return a copy of the searchable references by id, expired references included."""
        return {key: entry for key, entry in self._entries.items() if self._is_searchable(entry)}

    def _is_searchable(self, entry: ManifestChange) -> bool:
        return entry.status is EntryStatus.ACTIVE and entry.watchlist in self._watchlists
