"""`openlfr watchlist`: import, list, check, suspend, resume and remove entries."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from openlfr.cli import DONE, SOMETHING_FAILED, arguments, config_option
from openlfr.domain.errors import BadInput
from openlfr.domain.watchlist import EntryStatus
from openlfr.terminal import say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from openlfr.domain.watchlist import Reference
    from openlfr.operations.entries import Entries
    from openlfr.operations.examine import EnrolmentRules
    from openlfr.settings import Settings

_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
_list_option = click.option(
    "--watchlist",
    metavar="NAME",
    callback=arguments.parse_words,
    help="Only entries of this watchlist.",
)
_by_option = click.option(
    "--by", metavar="NAME", required=True, callback=arguments.parse_person, help="Your name."
)
_reason_option = click.option(
    "--reason", default="", callback=arguments.parse_words, help="The reason; it is recorded."
)

_DONE = {EntryStatus.SUSPENDED: "suspended", EntryStatus.REMOVED: "removed"}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Import, list, check, suspend, resume and remove entries."""


@command.command("import")
@click.argument("manifest", type=click.Path(path_type=Path, dir_okay=False))
@config_option
@click.option(
    "--watchlist",
    metavar="NAME",
    callback=arguments.parse_words,
    help="The list; default: the first configured one.",
)
@_json_option
def import_entries(manifest: Path, config: Path, watchlist: str | None, as_json: bool) -> None:
    """Enrol the people of MANIFEST, a CSV file.

    The columns are subject,image,category,legal_basis,source,captured_on,enrolled_by,
    authorised_by,expires; all are required in every row, and authoriser and enroller must be two
    people. Image paths are relative to the manifest. Accepted and refused rows are printed with
    the reason. The command works also during `openlfr run`.
    """
    from openlfr import bootstrap, settings
    from openlfr.cli import watchlist_output as output
    from openlfr.cli.due_erasure import open_records_after_erasure
    from openlfr.cli.watchlist_changes import apply_changes
    from openlfr.operations.enrol import Enrolment, RowReport, RowResult, enrol
    from openlfr.operations.gallery import erase_unrecorded_pictures
    from openlfr.operations.manifest import read_manifest

    chosen = settings.load(config)
    name = watchlist or chosen.watchlists[0]
    now = datetime.now(UTC)
    read = read_manifest(manifest, chosen.enrolment.limits, now)
    if read.ignored_columns:
        say(f"ignored columns: {', '.join(read.ignored_columns)}", err=True)
    if name not in chosen.watchlists:
        say(
            f"note: {chosen.path} does not search the watchlist {name!r}; add it to watchlists",
            err=True,
        )
    outcomes = [
        RowReport(row.line, row.subject, row.image, RowResult.REFUSED, row.reason)
        for row in read.refused
    ]
    settled: Sequence[Reference] = ()
    if read.rows:
        detector, embedder = bootstrap.load_detector(chosen), bootstrap.load_embedder(chosen)
        vault = bootstrap.open_vault(chosen)
        with open_records_after_erasure(chosen) as records:
            erase_unrecorded_pictures(records.watchlist, vault, now)
            made = enrol(
                read.rows,
                Enrolment(name, detector, embedder, _rules(chosen)),
                records=records,
                vault=vault,
                by=arguments.identify_person(),
                now=now,
            )
            problem = None
            try:
                for outcome in output.with_progress(made, len(read.rows)):
                    outcomes.append(outcome)  # noqa: PERF402 - those before an error are kept
                recorded = [o.reference_id for o in outcomes if o.reference_id]
                settled, problem = apply_changes(chosen, records, vault, embedder.facts, recorded)
            finally:
                outcomes.sort(key=lambda outcome: outcome.line)
                output.print_import(outcomes, settled, name, as_json=as_json)
            if problem:
                raise problem
    else:
        output.print_import(outcomes, settled, name, as_json=as_json)


@command.command("list")
@config_option
@_list_option
@click.option(
    "--subject",
    metavar="NAME",
    callback=arguments.parse_subject,
    help="Only entries of this subject.",
)
@click.option("--all", "everything", is_flag=True, help="Include removed and refused entries.")
@_json_option
def list_entries(
    config: Path, watchlist: str | None, subject: str | None, everything: bool, as_json: bool
) -> None:
    """Print the entries with their authority, expiry and status.

    An `altered` entry was changed in the database after its enrolment, and is not searched.
    """
    from openlfr import settings
    from openlfr.cli import watchlist_output as output
    from openlfr.cli.due_erasure import open_records_after_erasure

    chosen = settings.load(config)
    gone = (EntryStatus.REMOVED, EntryStatus.REFUSED)
    with open_records_after_erasure(chosen) as records:
        entries = records.watchlist.references(
            watchlists=None if watchlist is None else (watchlist,),
            subject=subject,
            statuses=None if everything else [s for s in EntryStatus if s not in gone],
        )
        altered = records.watchlist.altered_entries({each.watchlist for each in entries})
    output.print_entries(entries, altered, datetime.now(UTC), as_json=as_json)


@command.command("check")
@click.argument(
    "pictures", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False)
)
@config_option
@_json_option
def check_pictures(pictures: tuple[Path, ...], config: Path, as_json: bool) -> None:
    """Check PICTURES, or those of a MANIFEST.csv, without listing anybody."""
    from openlfr import bootstrap, settings
    from openlfr.cli import watchlist_output as output
    from openlfr.operations.enrol import RowReport, RowResult
    from openlfr.operations.examine import examine
    from openlfr.operations.manifest import read_manifest

    chosen = settings.load(config)
    now = datetime.now(UTC)
    outcomes: list[RowReport] = []
    wanted: list[tuple[int, str, Path]] = []
    for path in pictures:
        if path.suffix.lower() == ".csv":
            read = read_manifest(path, chosen.enrolment.limits, now)
            wanted += [(row.line, row.subject, Path(row.image)) for row in read.rows]
            outcomes += [
                RowReport(row.line, row.subject, row.image, RowResult.REFUSED, row.reason)
                for row in read.refused
            ]
        else:
            wanted.append((0, "", path))
    if wanted:
        detector, embedder = bootstrap.load_detector(chosen), bootstrap.load_embedder(chosen)
        for line, subject, path in wanted:
            try:
                found = examine(path, detector, embedder, _rules(chosen))
            except BadInput as error:
                outcomes.append(RowReport(line, subject, str(path), RowResult.REFUSED, str(error)))
            else:
                outcomes.append(
                    RowReport(
                        line,
                        subject,
                        str(path),
                        RowResult.ACCEPTED,
                        warnings=found.warnings,
                        quality=found.quality.score,
                    )
                )
    output.print_check(outcomes, as_json=as_json)


@command.command("suspend")
@click.argument("subject", callback=arguments.parse_subject)
@config_option
@_list_option
@click.option(
    "--by",
    metavar="NAME",
    callback=arguments.parse_person,
    help="Your name; default: your login.",
)
@_reason_option
def suspend_entries(
    subject: str, config: Path, watchlist: str | None, by: str | None, reason: str
) -> None:
    """Stop searching for SUBJECT until the entries are resumed."""
    from openlfr.operations.entries import Entries, suspend

    _move(config, suspend, Entries(subject, watchlist, reason), by)


@command.command("resume")
@click.argument("subject", callback=arguments.parse_subject)
@config_option
@_list_option
@_by_option
@_reason_option
def resume_entries(subject: str, config: Path, watchlist: str | None, by: str, reason: str) -> None:
    """Search for SUBJECT again."""
    from openlfr.operations.entries import Entries, resume

    _move(config, resume, Entries(subject, watchlist, reason), by)


@command.command("remove")
@click.argument("subject", callback=arguments.parse_subject)
@config_option
@_list_option
@_by_option
@_reason_option
def remove_entries(subject: str, config: Path, watchlist: str | None, by: str, reason: str) -> int:
    """Remove SUBJECT from the list, and erase the templates and reference pictures.

    Exit code 1 if a part has to wait; the reason is printed.
    """
    from openlfr.operations.entries import Entries, remove

    return _move(config, remove, Entries(subject, watchlist, reason), by)


def _rules(chosen: Settings) -> EnrolmentRules:
    from openlfr.operations.examine import EnrolmentRules

    return EnrolmentRules(
        min_eye_distance=chosen.enrolment.min_eye_distance,
        min_quality=chosen.enrolment.min_quality,
        min_sharpness=chosen.enrolment.min_sharpness,
        min_exposure=chosen.enrolment.min_exposure,
    )


def _move(
    config: Path, operation: Callable[..., list[Reference]], entries: Entries, by: str | None
) -> int:
    from openlfr import bootstrap, settings
    from openlfr.cli.due_erasure import erase_rows_from_disk, open_records_after_erasure
    from openlfr.cli.watchlist_changes import apply_changes

    chosen = settings.load(config)
    with open_records_after_erasure(chosen) as records:
        now = datetime.now(UTC)
        moved = operation(entries, records=records, by=arguments.identify_person(by), at=now)
        to = moved[0].status
        done = _DONE.get(to, "resumed")  # one that is pending again was resumed
        count = "1 entry" if len(moved) == 1 else f"{len(moved)} entries"
        say(f"{done} {count} of {entries.subject}; a run at work applies it within 2 seconds")
        facts = records.watchlist.bound_model()
        if facts is None or to is EntryStatus.SUSPENDED:
            return DONE
        vault = bootstrap.open_vault(chosen)
        ids = [reference.reference_id for reference in moved]
        after, problem = apply_changes(chosen, records, vault, facts, ids)
        whole = to is not EntryStatus.REMOVED or erase_rows_from_disk(records)
    if to is EntryStatus.REMOVED and all(not reference.picture for reference in after):
        say("their templates and reference pictures are erased")
        if chosen.services.milvus is not None:
            say("the Milvus server erases its files later, by its own rules: docs/operations.md")
    elif to is EntryStatus.REMOVED:
        say("the run at work will erase their templates and reference pictures")
    if problem:
        raise problem
    return DONE if whole else SOMETHING_FAILED
