"""Keeps the vector store as the records say: what was decided is carried over, a part at a time.

A run's keeper, a city's relay and the command that changes a list where nothing runs do it alike.
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
    """Carries the list's changes over; one thread uses it."""

    def __init__(self, records: Records, vault: Vault) -> None:
        """Nothing is carried over yet.

        Args:
            records: What was decided.
            vault: Opens the sealed templates; loses the pictures of what left the list.
        """
        self._records = records
        self._vault = vault
        self._seen = self._done = -1

    def is_due(self) -> bool:
        """Whether the list has changed since it was carried over; cheap.

        Raises:
            Unavailable: The records do not answer.
        """
        self._seen = self._records.watchlist.version()
        return self._seen != self._done

    def carry_over(self, templates: TemplateStore, facts: GalleryFacts) -> list[SettledEntry]:
        """Do some of what is due; what was settled, of which more may wait: ask `is_due` again.

        Args:
            templates: The store that follows.
            facts: Of the model that makes templates now.

        Raises:
            Unavailable: A store does not answer; what was done stays done, call it again later.
        """
        settled = apply_pending(
            self._records, templates, self._vault, facts, now=datetime.now(UTC), limit=AT_ONCE
        )
        # As it was before: what changed meanwhile, or failed on the way, is seen next time.
        self._done = self._seen
        return settled
