"""Applies the recorded changes of the watchlist to the vector store, in parts.

Used by the watchlist updater of a run, by the leader of the city-wide alerting service, and by
commands that change a list while nothing runs.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openlfr.operations.gallery import MAX_PER_TRANSACTION, apply_pending

if TYPE_CHECKING:
    from openlfr.domain.templates import GalleryFacts
    from openlfr.operations.gallery import SettledEntry
    from openlfr.ports import Records, TemplateStore, Vault


class WatchlistSync:
    """Applies the list's changes to the vector store; only one thread may use it."""

    def __init__(self, records: Records, vault: Vault) -> None:
        """Prepare; no change is applied before `apply_changes`.

        Args:
            records: The recorded entries.
            vault: Decrypts the templates; pictures of removed entries are erased from the vault.
        """
        self._records = records
        self._vault = vault
        self._read_version = self._applied_version = -1

    def is_due(self) -> bool:
        """Return whether the list's version has changed since the last `apply_changes`.

        True before the first `apply_changes`. The call reads one number.

        Raises:
            Unavailable: The records do not answer.
        """
        self._read_version = self._records.watchlist.version()
        return self._read_version != self._applied_version

    def apply_changes(self, templates: TemplateStore, facts: GalleryFacts) -> list[SettledEntry]:
        """Erase removed entries, and activate or refuse up to `MAX_PER_TRANSACTION` pending ones.

        Call `is_due` before, and repeat both calls while `is_due` returns True.

        Args:
            templates: The vector store.
            facts: Facts about the current embedder.

        Returns:
            The activated and refused entries.

        Raises:
            Unavailable: A store does not answer. Completed steps are final; call this method
                again later.
        """
        entries = apply_pending(
            self._records,
            templates,
            self._vault,
            facts,
            now=datetime.now(UTC),
            limit=MAX_PER_TRANSACTION,
        )
        # The version before this call, so that changes made during the call are due again.
        self._applied_version = self._read_version
        return entries
