"""Erases what is due before a command works with the records.

A run and the alerting service erase regularly while they work. If neither works, commands erase,
so that nothing waits for a call of `openlfr purge`.
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
def opened_records(settings: Settings) -> Iterator[Records]:
    """Open the records and erase what is due; a failure to erase is printed, and ignored."""
    from openlfr import bootstrap
    from openlfr.operations.clock import warning

    with bootstrap.open_records(settings) as records:
        try:
            _erase_first(settings, records)
        except OpenLFRError as error:
            say(f"note: not all that is due could be erased: {error}", err=True)
        if words := warning(records, datetime.now(UTC)):
            say(f"warning: {words}", err=True)
        yield records


@contextmanager
def opened(config: Path) -> Iterator[tuple[Settings, Records]]:
    """Load a configuration, and open its records as `opened_records` does."""
    from openlfr.settings import load

    settings = load(config)
    with opened_records(settings) as records:
        yield settings, records


def finish(records: Records) -> bool:
    """Remove erased rows from the disk; False, with a message, if another program prevents it."""
    from openlfr.operations.purge import ROWS_WAIT

    if records.erase_for_good():
        return True
    say(ROWS_WAIT.format(where=records.erased_rows_location), err=True)
    return False


def _erase_first(settings: Settings, records: Records) -> None:
    from openlfr import bootstrap
    from openlfr.adapters.run_lock import run_is_at_work
    from openlfr.cli.watchlist_settling import settle
    from openlfr.operations.erasure_words import in_words
    from openlfr.operations.purge import erase_due

    if settings.services.sql is not None or run_is_at_work(settings.data_dir):
        return  # the alerting service or the run erases
    if not (settings.data_dir / "vault").is_dir():
        return  # nothing was stored yet, so no key must be created
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
    leaving, facts = records.watchlist.awaiting_erasure(), records.watchlist.facts()
    if leaving and facts is not None:
        ids = [reference.reference_id for reference in leaving]
        _, problem = settle(settings, records, vault, facts, ids)
        if problem:
            raise problem
    if due or leaving:
        finish(records)
    if words := in_words(due.counts):
        say(f"Erased first, since it was due: {words}.", err=True)


class _LazyAlertBook:
    """The alert book; its server is started at the first call, which is rare."""

    def __init__(self, settings: Settings, closing: ExitStack) -> None:
        self._settings = settings
        self._closing = closing
        self._book: AlertBook | None = None

    def _opened(self) -> AlertBook:
        from openlfr import bootstrap

        if self._book is None:
            self._book = bootstrap.open_alert_book(self._settings)
            self._closing.callback(self._book.close)
        return self._book

    def events(self, deployment: str) -> list[AlertEvent]:
        """As of `AlertBook`."""
        return self._opened().events(deployment)

    def erase(self, deployment: str, sighting_ids: Sequence[str]) -> None:
        """As of `AlertBook`."""
        self._opened().erase(deployment, sighting_ids)
