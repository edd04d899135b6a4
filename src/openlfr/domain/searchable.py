"""Who may be searched, as the control topic has told so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlfr.domain.control import Forgotten, ManifestChange
from openlfr.domain.watchlist import EntryStatus

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class Searchable:
    """The entries of some watchlists; one thread uses it."""

    def __init__(self, watchlists: Collection[str]) -> None:
        """Know of nobody yet; entries of other watchlists are never searchable."""
        self._watchlists = frozenset(watchlists)
        self._entries: dict[str, ManifestChange] = {}  # of all lists and statuses: their versions
        self.older = 0

    def take(self, told: ManifestChange | Forgotten) -> bool:
        """Take a message; whether that changed who is searchable.

        What is older than what is known of the entry is left out, counted in `older`.
        """
        known = self._entries.get(told.reference_id)
        before = known if known is not None and self._is_searched(known) else None
        if isinstance(told, Forgotten):
            self._entries.pop(told.reference_id, None)
            return before is not None
        if known is not None and told.version < known.version:
            self.older += 1
            return False
        self._entries[told.reference_id] = told
        return (told if self._is_searched(told) else None) != before

    def search_in(self, watchlists: Collection[str]) -> bool:
        """Search these lists from now on; whether they are others than before."""
        before, self._watchlists = self._watchlists, frozenset(watchlists)
        return before != self._watchlists

    def manifest(self) -> Mapping[str, ManifestChange]:
        """Each searchable reference by its id, expired ones included; a copy."""
        return {key: entry for key, entry in self._entries.items() if self._is_searched(entry)}

    def _is_searched(self, entry: ManifestChange) -> bool:
        return entry.status is EntryStatus.ACTIVE and entry.watchlist in self._watchlists
