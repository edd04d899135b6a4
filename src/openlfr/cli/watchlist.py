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

_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
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

_PAST_TENSE = {EntryStatus.SUSPENDED: "suspended", EntryStatus.REMOVED: "removed"}


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
    help="Name of the list. Default: the first configured list.",
)
@_json_option
def import_entries(manifest: Path, config: Path, watchlist: str | None, as_json: bool) -> None:
    """Enrol the people of MANIFEST, a CSV file.

    The columns are subject,image,category,legal_basis,source,captured_on,enrolled_by,
    authorised_by,expires. Every row needs a value in each column. The authoriser and the enroller
    must be two people. Image paths are relative to the manifest. The result of each row is
    printed, with the reason if the row is refused. The command also works during `openlfr run`.
    """
    from openlfr import bootstrap, settings
    from openlfr.cli import watchlist_output as output
    from openlfr.cli.due_erasure import open_records_after_erasure
    from openlfr.cli.watchlist_changes import apply_changes
    from openlfr.operations.enrol import Enrolment, RowReport, RowResult, enrol
    from openlfr.operations.gallery import erase_unrecorded_pictures
    from openlfr.operations.manifest import read_manifest

    loaded = settings.load(config)
    name = watchlist or loaded.watchlists[0]
    now = datetime.now(UTC)
    content = read_manifest(manifest, loaded.enrolment.limits, now)
    if content.ignored_columns:
        say(f"ignored columns: {', '.join(content.ignored_columns)}", err=True)
    if name not in loaded.watchlists:
        say(
            f"note: {loaded.path} does not search the watchlist {name!r}; add the name to"
            " watchlists",
            err=True,
        )
    reports = [
        RowReport(row.line, row.subject, row.image, RowResult.REFUSED, row.reason)
        for row in content.refused
    ]
    entries: Sequence[Reference] = ()
    if content.rows:
        detector, embedder = bootstrap.load_detector(loaded), bootstrap.load_embedder(loaded)
        vault = bootstrap.open_vault(loaded)
        with open_records_after_erasure(loaded) as records:
            erase_unrecorded_pictures(records.watchlist, vault, now)
            new_reports = enrol(
                content.rows,
                Enrolment(name, detector, embedder, _build_rules(loaded)),
                records=records,
                vault=vault,
                by=arguments.identify_person(),
                now=now,
            )
            problem = None
            try:
                for report in output.with_progress(new_reports, len(content.rows)):
                    reports.append(report)  # noqa: PERF402 - an error must not lose earlier reports
                ids = [report.reference_id for report in reports if report.reference_id]
                entries, problem = apply_changes(loaded, records, vault, embedder.facts, ids)
            finally:
                reports.sort(key=lambda report: report.line)
                output.print_import(reports, entries, name, as_json=as_json)
            if problem:
                raise problem
    else:
        output.print_import(reports, entries, name, as_json=as_json)


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
    """Print the entries with their authoriser, expiry and status.

    An `altered` entry was changed in the database after its enrolment, and is not searched for.
    """
    from openlfr import settings
    from openlfr.cli import watchlist_output as output
    from openlfr.cli.due_erasure import open_records_after_erasure

    loaded = settings.load(config)
    hidden = (EntryStatus.REMOVED, EntryStatus.REFUSED)
    with open_records_after_erasure(loaded) as records:
        entries = records.watchlist.references(
            watchlists=None if watchlist is None else (watchlist,),
            subject=subject,
            statuses=None if everything else [s for s in EntryStatus if s not in hidden],
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
    """Check PICTURES without listing anybody.

    A file whose name ends in .csv is read as a manifest, and its pictures are checked.
    """
    from openlfr import bootstrap, settings
    from openlfr.cli import watchlist_output as output
    from openlfr.operations.enrol import RowReport, RowResult
    from openlfr.operations.examine import examine
    from openlfr.operations.manifest import read_manifest

    loaded = settings.load(config)
    now = datetime.now(UTC)
    reports: list[RowReport] = []
    requests: list[tuple[int, str, Path]] = []
    for path in pictures:
        if path.suffix.lower() == ".csv":
            content = read_manifest(path, loaded.enrolment.limits, now)
            requests += [(row.line, row.subject, Path(row.image)) for row in content.rows]
            reports += [
                RowReport(row.line, row.subject, row.image, RowResult.REFUSED, row.reason)
                for row in content.refused
            ]
        else:
            requests.append((0, "", path))
    if requests:
        detector, embedder = bootstrap.load_detector(loaded), bootstrap.load_embedder(loaded)
        for line, subject, path in requests:
            try:
                examination = examine(path, detector, embedder, _build_rules(loaded))
            except BadInput as error:
                reports.append(RowReport(line, subject, str(path), RowResult.REFUSED, str(error)))
            else:
                reports.append(
                    RowReport(
                        line,
                        subject,
                        str(path),
                        RowResult.ACCEPTED,
                        warnings=examination.warnings,
                        quality=examination.quality.score,
                    )
                )
    output.print_check(reports, as_json=as_json)


@command.command("suspend")
@click.argument("subject", callback=arguments.parse_subject)
@config_option
@_list_option
@click.option(
    "--by",
    metavar="NAME",
    callback=arguments.parse_person,
    help="Your name. Default: your login.",
)
@_reason_option
def suspend_entries(
    subject: str, config: Path, watchlist: str | None, by: str | None, reason: str
) -> None:
    """Stop searching for SUBJECT until its entries are resumed."""
    from openlfr.operations.entries import Entries, suspend

    _change_entries(config, suspend, Entries(subject, watchlist, reason), by)


@command.command("resume")
@click.argument("subject", callback=arguments.parse_subject)
@config_option
@_list_option
@_by_option
@_reason_option
def resume_entries(subject: str, config: Path, watchlist: str | None, by: str, reason: str) -> None:
    """Resume the search for SUBJECT."""
    from openlfr.operations.entries import Entries, resume

    _change_entries(config, resume, Entries(subject, watchlist, reason), by)


@command.command("remove")
@click.argument("subject", callback=arguments.parse_subject)
@config_option
@_list_option
@_by_option
@_reason_option
def remove_entries(subject: str, config: Path, watchlist: str | None, by: str, reason: str) -> int:
    """Remove SUBJECT, and erase its templates and reference pictures.

    Exit code 1 if a part must be erased later; the reason is printed.
    """
    from openlfr.operations.entries import Entries, remove

    return _change_entries(config, remove, Entries(subject, watchlist, reason), by)


def _build_rules(loaded: Settings) -> EnrolmentRules:
    from openlfr.operations.examine import EnrolmentRules

    return EnrolmentRules(
        min_eye_distance=loaded.enrolment.min_eye_distance,
        min_quality=loaded.enrolment.min_quality,
        min_sharpness=loaded.enrolment.min_sharpness,
        min_exposure=loaded.enrolment.min_exposure,
    )


def _change_entries(
    config: Path, operation: Callable[..., list[Reference]], entries: Entries, by: str | None
) -> int:
    from openlfr import bootstrap, settings
    from openlfr.cli.due_erasure import erase_rows_from_disk, open_records_after_erasure
    from openlfr.cli.watchlist_changes import apply_changes

    loaded = settings.load(config)
    with open_records_after_erasure(loaded) as records:
        now = datetime.now(UTC)
        changed = operation(entries, records=records, by=arguments.identify_person(by), at=now)
        status = changed[0].status
        verb = _PAST_TENSE.get(status, "resumed")  # a resumed entry is pending or active
        count = "1 entry" if len(changed) == 1 else f"{len(changed)} entries"
        say(f"{verb} {count} of {entries.subject}; an active run applies this within 2 seconds")
        facts = records.watchlist.bound_model()
        if facts is None or status is EntryStatus.SUSPENDED:
            return DONE
        vault = bootstrap.open_vault(loaded)
        ids = [reference.reference_id for reference in changed]
        after, problem = apply_changes(loaded, records, vault, facts, ids)
        awaiting_ids = {each.reference_id for each in records.watchlist.awaiting_erasure()}
        is_complete = status is not EntryStatus.REMOVED or erase_rows_from_disk(records)
    if status is EntryStatus.REMOVED and awaiting_ids.isdisjoint(ids):
        if retained := sum(bool(reference.picture) for reference in after):
            say(
                f"their templates are erased; {retained} of their reference pictures will be erased"
                " when no held or sealed alert names them any more"
            )
        else:
            say("their templates and reference pictures are erased")
        if loaded.services.milvus is not None:
            say("the Milvus server erases its files later, by its own rules: docs/operations.md")
    elif status is EntryStatus.REMOVED:
        say("the active run will erase their templates and reference pictures")
    if problem:
        raise problem
    return DONE if is_complete else SOMETHING_FAILED
