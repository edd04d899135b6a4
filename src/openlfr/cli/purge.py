"""`openlfr purge`: erase data whose retention period has ended."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from openlfr.cli import DONE, SOMETHING_FAILED, arguments, config_option
from openlfr.domain.errors import BadInput
from openlfr.terminal import say

if TYPE_CHECKING:
    from pathlib import Path

    from openlfr.operations.purge import DueErasures
    from openlfr.ports import Records, Vault
    from openlfr.settings import Settings


def _duration(_: click.Context, parameter: click.Parameter, text: str | None) -> timedelta | None:
    if text is None:
        return None
    from openlfr.settings.values import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        name = parameter.opts[0]
        raise BadInput(f"{name} {error}") from None


@click.command(context_settings={"max_content_width": 100})
@config_option
@click.option(
    "--older-than",
    callback=_duration,
    metavar="TIME",
    default=None,
    help="Erase alerts whose last event is older than TIME, such as 31d or 12h. Default:"
    " alerting.retention.",
)
@click.option(
    "--names-older-than",
    "names",
    callback=_duration,
    metavar="TIME",
    default=None,
    help="Erase names and texts of persons in acts that are older than TIME, such as 1095d."
    " Acts on held and sealed alerts keep both.",
)
@click.option(
    "--without-alert",
    is_flag=True,
    help="Also erase more pictures without an alert than crashes leave. Without this option they"
    " are only reported, since the records may be older than the vault.",
)
@click.option("--dry-run", is_flag=True, help="Print what would be erased, and erase nothing.")
@click.option(
    "--by",
    default=None,
    metavar="NAME",
    callback=arguments.parse_person,
    help="Your name. Default: your login.",
)
def command(
    config: Path,
    older_than: timedelta | None,
    names: timedelta | None,
    without_alert: bool,
    dry_run: bool,
    by: str | None,
) -> int:
    """Erase data whose retention period has ended.

    The command erases pictures and positions of alerts beyond the retention, and of people who
    were mistaken for listed people. It also erases evidence that a crash left without an alert,
    and pictures and templates of expired entries. Times, cameras, scores, decisions and acts stay
    on record.

    A run and the alerting service erase regularly. If neither is active, every command that opens
    the records erases. Exit code 1 if a part must be erased later; the reason is printed.
    """
    from openlfr import bootstrap
    from openlfr.cli.due_erasure import erase_rows_from_disk
    from openlfr.operations.adjudicate import apply_deadlines
    from openlfr.operations.clock import suspend_entries_of_unclear_expiry
    from openlfr.operations.purge import erase_names, find_due, forget_entries, purge
    from openlfr.settings import load

    settings = load(config)
    now = datetime.now(UTC)
    retention = older_than if older_than is not None else settings.alerting.retention
    deployment_id = settings.deployment_entry.identity
    vault = bootstrap.open_vault(settings)
    with bootstrap.open_records(settings) as records:
        if not dry_run:
            apply_deadlines(records, now)
            suspend_entries_of_unclear_expiry(records, now)
            forget_entries(records, now - retention, now=now)
        with closing(bootstrap.open_alert_book(settings)) as book:
            due = find_due(
                records=records,
                vault=vault,
                book=book,
                retention=retention,
                now=now,
                deployments=[deployment_id] if deployment_id else [],
            )
            if due.warning:
                say(f"warning: {due.warning}", err=True)
            if due.lost_records and not without_alert:
                say(f"warning: {due.lost_records}", err=True)
                due = due.without_lost_records()
            _print_due(due, retention, dry_run=dry_run)
            if dry_run:
                return DONE
            purge(
                due,
                records=records,
                vault=vault,
                book=book,
                now=now,
                by=arguments.identify_person(by),
            )
        if names is not None:
            done = erase_names(records, now - names, by=arguments.identify_person(by), at=now)
            say(f"Erased names and texts of {done.erased} acts.")
            if done.retained:
                say(f"Kept names and texts of {done.retained} acts on held or sealed alerts.")
        _erase_removed_entries(settings, records, vault)
        is_complete = erase_rows_from_disk(records)
    say(
        "Erased files are deleted, not overwritten. Copies may remain in backups, in snapshots "
        "and in blocks that an SSD has not reused."
    )
    return DONE if is_complete else SOMETHING_FAILED


def _print_due(due: DueErasures, retention: timedelta, *, dry_run: bool) -> None:
    from openlfr.operations.erasure import describe_mistake

    verb = "Would erase" if dry_run else "Erasing"
    days = f"{retention / timedelta(days=1):g} days"
    for alert in due.alerts:
        say(f"{verb} alert {alert.alert_id} about {alert.subject_label}: older than {days}.")
    for alert in due.mistaken:
        say(
            f"{verb} alert {alert.alert_id} about {alert.subject_label}: {describe_mistake(alert)}."
        )
    for name in due.orphans:
        say(f"{verb} {name}: no alert refers to it.")
    for entry in due.entries:
        say(
            f"{verb} entry {entry.reference_id} of {entry.subject}: expired "
            f"{entry.expires:%Y-%m-%d}."
        )
    if not due:
        say("No data is due for erasure.")


def _erase_removed_entries(settings: Settings, records: Records, vault: Vault) -> None:
    """Erase templates and pictures of removed entries, or leave these to an active run.

    Also erase reference pictures without an entry, and those that no held or sealed alert needs
    any more.
    """
    from openlfr.cli.watchlist_changes import apply_changes
    from openlfr.operations.gallery import erase_retained_pictures, erase_unrecorded_pictures

    erase_retained_pictures(records, vault, now=datetime.now(UTC))
    unrecorded = erase_unrecorded_pictures(records.watchlist, vault, datetime.now(UTC))
    if unrecorded:
        say(f"Erased {unrecorded} reference pictures that belong to no entry.")
    removed = records.watchlist.awaiting_erasure()
    facts = records.watchlist.bound_model()
    if not removed or facts is None:
        return
    ids = [reference.reference_id for reference in removed]
    after, problem = apply_changes(settings, records, vault, facts, ids)
    if problem:
        raise problem
    awaiting_ids = {each.reference_id for each in records.watchlist.awaiting_erasure()}
    erased = sum(reference.reference_id not in awaiting_ids for reference in after)
    if erased:
        say(f"Erased templates and pictures of {erased} entries.")
    if retained := sum(bool(r.picture) and r.reference_id not in awaiting_ids for r in after):
        say(f"Kept {retained} of these pictures, since held or sealed alerts name them.")
    if erased < len(after):
        say(
            f"The active run will erase templates and pictures of {len(after) - erased} entries, "
            "which cannot match any more."
        )
