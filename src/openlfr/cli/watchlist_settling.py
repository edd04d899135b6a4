"""Who carries a change of the watchlist into the vector store: the run, or this command."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

from openlfr.adapters.run_lock import run_is_at_work
from openlfr.domain.errors import Unavailable
from openlfr.domain.watchlist import EntryStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openlfr.domain.watchlist import GalleryFacts, Reference
    from openlfr.ports import Records, Vault
    from openlfr.settings import Settings

PATIENCE_S = 5.0  # a run promises 2 seconds
_POLL_S = 0.1


def settle(
    settings: Settings,
    records: Records,
    vault: Vault,
    facts: GalleryFacts,
    reference_ids: Sequence[str],
) -> tuple[list[Reference], Unavailable | None]:
    """Have the entries settled: by a run if one is at work, else here and now.

    A run holds Milvus Lite's folder, which no second process may open; it looks for changes in
    the records by itself.

    Returns:
        The entries as they stand now (pending ones the run has not come to yet), and what kept
        the vector store from following, if it was not a run: the change itself is recorded.
    """
    problem = None
    deadline = time.monotonic() + PATIENCE_S
    while True:
        if _owed(records) and not run_is_at_work(settings.data_dir):
            try:
                _apply(settings, records, vault, facts)
                deadline = time.monotonic() + PATIENCE_S
            except Unavailable as error:
                # A run that began in this very moment holds the folder: it will apply the change.
                problem = None if run_is_at_work(settings.data_dir) else error
        entries = _entries(records, reference_ids)
        waiting = [entry for entry in entries if _waits(entry)]
        if not waiting or problem or time.monotonic() >= deadline:
            return entries, problem
        time.sleep(_POLL_S)


def _owed(records: Records) -> bool:
    return bool(records.watchlist.outbox() or records.watchlist.leaving())


def _apply(settings: Settings, records: Records, vault: Vault, facts: GalleryFacts) -> None:
    """Carry out what is owed, a part at a time: a run that begins meanwhile does the rest.

    It waits for the vector store for a few seconds only, and a large import takes longer.
    """
    from openlfr import bootstrap
    from openlfr.operations.watchlist_sync import WatchlistSync

    sync = WatchlistSync(records, vault)
    with closing(bootstrap.open_templates(settings, facts)) as templates:
        while _owed(records) and not run_is_at_work(settings.data_dir):
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
