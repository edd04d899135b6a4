"""Erases due data before a command uses the records.

A run and the alerting service erase regularly. Where neither is active, the commands erase, so
that erasure never depends on a call of `openlfr purge`.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openlfr.domain.errors import OpenLFRError
from openlfr.terminal import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from openlfr.domain.alerts import AlertEvent
    from openlfr.ports import AlertBook, Records
    from openlfr.settings import Settings


@contextmanager
def open_records_after_erasure(settings: Settings) -> Iterator[Records]:
    """Open the records and erase due data; a failure to erase is printed and not raised."""
    from openlfr import bootstrap
    from openlfr.operations.clock import describe_clock_problem

    with bootstrap.open_records(settings) as records:
        try:
            _erase_due(settings, records)
        except OpenLFRError as error:
            say(f"note: not all due data could be erased: {error}", err=True)
        if text := describe_clock_problem(records, datetime.now(UTC)):
            say(f"warning: {text}", err=True)
        yield records


@contextmanager
def load_and_open(config: Path) -> Iterator[tuple[Settings, Records]]:
    """Load a configuration; yield the settings and the records after the erasure of due data."""
    from openlfr.settings import load

    settings = load(config)
    with open_records_after_erasure(settings) as records:
        yield settings, records


def erase_rows_from_disk(records: Records) -> bool:
    """Remove erased rows from the disk.

    Returns:
        Whether the removal is complete. If another program prevents the removal, a message is
        printed.
    """
    from openlfr.operations.purge import ROWS_REMAIN

    if records.erase_for_good():
        return True
    say(ROWS_REMAIN.format(where=records.erased_rows_location), err=True)
    return False


def _erase_due(settings: Settings, records: Records) -> None:
    from openlfr import bootstrap
    from openlfr.adapters.run_lock import is_run_active
    from openlfr.cli.watchlist_changes import apply_changes
    from openlfr.operations.erasure_words import describe_erasures
    from openlfr.operations.purge import erase_due
    from openlfr.operations.written_files import erase_again

    is_active = is_run_active(settings.data_dir)
    if not is_active:
        bootstrap.erase_calibration_films(settings)
    if settings.services.sql is not None:
        # The alerting service erases the rest, but cannot reach the reports on this machine.
        erase_again(records, records.written_files())
        return
    if is_active:
        return  # the run erases
    if not (settings.data_dir / "vault").is_dir():
        return  # nothing is stored yet, and this check must not create a key
    vault = bootstrap.open_vault(settings)
    deployment_id = settings.deployment_entry.identity
    with ExitStack() as closing:
        due = erase_due(
            records=records,
            vault=vault,
            book=_LazyAlertBook(settings, closing),
            retention=settings.alerting.retention,
            now=datetime.now(UTC),
            deployments=[deployment_id] if deployment_id else [],
        )
    if due.lost_records:
        say(f"warning: {due.lost_records}", err=True)
    removed, facts = records.watchlist.awaiting_erasure(), records.watchlist.bound_model()
    if removed and facts is not None:
        ids = [reference.reference_id for reference in removed]
        _, problem = apply_changes(settings, records, vault, facts, ids)
        if problem:
            raise problem
    if due or removed:
        erase_rows_from_disk(records)
    if text := describe_erasures(due.counts):
        say(f"Erased due data first: {text}.", err=True)


class _LazyAlertBook:
    """An alert book whose server starts at the first call; most commands make no call."""

    def __init__(self, settings: Settings, closing: ExitStack) -> None:
        self._settings = settings
        self._closing = closing
        self._book: AlertBook | None = None

    def _open(self) -> AlertBook:
        from openlfr import bootstrap

        if self._book is None:
            self._book = bootstrap.open_alert_book(self._settings)
            self._closing.callback(self._book.close)
        return self._book

    def events(self, deployment: str) -> list[AlertEvent]:
        """See `AlertBook`."""
        return self._open().events(deployment)

    def erase(self, deployment: str, sighting_ids: Sequence[str]) -> None:
        """See `AlertBook`."""
        self._open().erase(deployment, sighting_ids)
