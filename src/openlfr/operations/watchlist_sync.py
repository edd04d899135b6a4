"""Applies the recorded changes of the watchlist to the vector store, in parts.

Used by the watchlist updater of a run, by the leader of the city-wide alerting service, and by
commands that change a list while nothing runs.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openlfr.operations.gallery import AT_ONCE, apply_pending

if TYPE_CHECKING:
    from openlfr.domain.templates import GalleryFacts
    from openlfr.operations.gallery import SettledEntry
    from openlfr.ports import Records, TemplateStore, Vault


class WatchlistSync:
    """Applies the list's changes to the vector store; one thread uses it."""

    def __init__(self, records: Records, vault: Vault) -> None:
        """Apply nothing yet.

        Args:
            records: The recorded entries.
            vault: Decrypts the templates; pictures of removed entries are erased from it.
        """
        self._records = records
        self._vault = vault
        self._seen = self._done = -1

    def is_due(self) -> bool:
        """Whether the list has changed since the last `carry_over`; cheap.

        Raises:
            Unavailable: The records do not answer.
        """
        self._seen = self._records.watchlist.version()
        return self._seen != self._done

    def carry_over(self, templates: TemplateStore, facts: GalleryFacts) -> list[SettledEntry]:
        """Apply some changes, and return the settled entries; call again while `is_due`.

        Args:
            templates: The vector store.
            facts: Facts about the current embedder.

        Raises:
            Unavailable: A store does not answer. Completed steps remain; call it again later.
        """
        settled = apply_pending(
            self._records, templates, self._vault, facts, now=datetime.now(UTC), limit=AT_ONCE
        )
        # The version before this call, so that the next call applies changes made meanwhile.
        self._done = self._seen
        return settled
