"""Applies watchlist changes to the vector store, or waits until the active run has applied them."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

from openlfr.adapters.run_lock import is_run_active
from openlfr.domain.errors import Unavailable
from openlfr.domain.watchlist import EntryStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openlfr.domain.templates import GalleryFacts
    from openlfr.domain.watchlist import Reference
    from openlfr.ports import Records, Vault
    from openlfr.settings import Settings

MAX_WAIT_S = 5.0  # a run needs at most 2 seconds
_POLL_S = 0.1


def apply_changes(
    settings: Settings,
    records: Records,
    vault: Vault,
    facts: GalleryFacts,
    reference_ids: Sequence[str],
) -> tuple[list[Reference], Unavailable | None]:
    """Apply pending changes to the vector store; if a run is active, wait until it applies them.

    Milvus Lite's folder can be open in one process only. An active run has the folder open, and
    applies the changes that it reads in the records.

    Returns:
        The entries of `reference_ids`, and the vector store's error or None. Entries are still
        pending after an error, or after a wait of `MAX_WAIT_S`. The change is recorded in any case.
    """
    problem = None
    deadline = time.monotonic() + MAX_WAIT_S
    while True:
        if _has_pending(records) and not is_run_active(settings.data_dir):
            try:
                _apply_pending(settings, records, vault, facts)
                deadline = time.monotonic() + MAX_WAIT_S
            except Unavailable as error:
                # A run that has just started has the folder open and will apply the changes.
                problem = None if is_run_active(settings.data_dir) else error
        entries = _read_entries(records, reference_ids)
        awaiting_ids = {each.reference_id for each in records.watchlist.awaiting_erasure()}
        pending = [
            entry
            for entry in entries
            if entry.status is EntryStatus.PENDING or entry.reference_id in awaiting_ids
        ]
        if not pending or problem or time.monotonic() >= deadline:
            return entries, problem
        time.sleep(_POLL_S)


def _has_pending(records: Records) -> bool:
    return bool(records.watchlist.outbox() or records.watchlist.awaiting_erasure())


def _apply_pending(settings: Settings, records: Records, vault: Vault, facts: GalleryFacts) -> None:
    """Apply pending changes in parts; if a run starts in between, the run applies the rest.

    A starting run waits only a few seconds for the vector store, and a large import takes longer.
    """
    from openlfr import bootstrap
    from openlfr.operations.watchlist_sync import WatchlistSync

    sync = WatchlistSync(records, vault)
    with closing(bootstrap.open_templates(settings, facts)) as templates:
        while _has_pending(records) and not is_run_active(settings.data_dir):
            sync.apply_changes(templates, facts)


def _read_entries(records: Records, reference_ids: Sequence[str]) -> list[Reference]:
    entries: list[Reference] = []
    for start in range(0, len(reference_ids), 1000):  # databases limit a query's values
        page = reference_ids[start : start + 1000]
        entries += records.watchlist.references(reference_ids=page)
    return entries
