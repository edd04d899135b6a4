"""Applies a change of the watchlist to the vector store, or waits for the run that does."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

from openlfr.adapters.run_lock import run_is_at_work
from openlfr.domain.errors import Unavailable
from openlfr.domain.watchlist import EntryStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openlfr.domain.templates import GalleryFacts
    from openlfr.domain.watchlist import Reference
    from openlfr.ports import Records, Vault
    from openlfr.settings import Settings

PATIENCE_S = 5.0  # a run needs at most 2 seconds
_POLL_S = 0.1


def settle(
    settings: Settings,
    records: Records,
    vault: Vault,
    facts: GalleryFacts,
    reference_ids: Sequence[str],
) -> tuple[list[Reference], Unavailable | None]:
    """Wait until a run at work has settled the entries, or settle them here.

    A run has Milvus Lite's folder open, which no second process may open, and looks for changes in
    the records.

    Returns:
        The entries now, some perhaps still pending, and the failure of the vector store if there
        was one. The change itself is recorded in any case.
    """
    problem = None
    deadline = time.monotonic() + PATIENCE_S
    while True:
        if _has_pending(records) and not run_is_at_work(settings.data_dir):
            try:
                _apply(settings, records, vault, facts)
                deadline = time.monotonic() + PATIENCE_S
            except Unavailable as error:
                # A run that has just started has the folder open, and will apply the change.
                problem = None if run_is_at_work(settings.data_dir) else error
        entries = _entries(records, reference_ids)
        waiting = [entry for entry in entries if _waits(entry)]
        if not waiting or problem or time.monotonic() >= deadline:
            return entries, problem
        time.sleep(_POLL_S)


def _has_pending(records: Records) -> bool:
    return bool(records.watchlist.outbox() or records.watchlist.awaiting_erasure())


def _apply(settings: Settings, records: Records, vault: Vault, facts: GalleryFacts) -> None:
    """Apply pending changes in parts; a run that starts meanwhile applies the rest.

    A starting run waits only a few seconds for the vector store, and a large import takes longer.
    """
    from openlfr import bootstrap
    from openlfr.operations.watchlist_sync import WatchlistSync

    sync = WatchlistSync(records, vault)
    with closing(bootstrap.open_templates(settings, facts)) as templates:
        while _has_pending(records) and not run_is_at_work(settings.data_dir):
            sync.carry_over(templates, facts)


def _entries(records: Records, reference_ids: Sequence[str]) -> list[Reference]:
    entries: list[Reference] = []
    for start in range(0, len(reference_ids), 1000):  # databases limit the values of a query
        page = reference_ids[start : start + 1000]
        entries += records.watchlist.references(reference_ids=page)
    return entries


def _waits(entry: Reference) -> bool:
    if entry.status is EntryStatus.PENDING:
        return True
    return entry.status is EntryStatus.REMOVED and bool(entry.picture)
