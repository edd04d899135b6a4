"""Prints entries and manifest rows: a table on a terminal, plain lines elsewhere, or JSON."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

from openlfr.domain.text import escape_line
from openlfr.domain.watchlist import EntryStatus
from openlfr.operations.enrol import RowResult
from openlfr.terminal import say, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from openlfr.domain.watchlist import Reference
    from openlfr.operations.enrol import RowReport

_COLOURS = {
    "accepted": "green",
    "active": "green",
    "refused": "red",
    "altered": "red",
    "expired": "red",
    "pending": "yellow",
    "suspended": "yellow",
}
_PENDING_REASON = "recorded; the active run will apply the change"


def with_progress(reports: Iterator[RowReport], total: int) -> Iterator[RowReport]:
    """Yield the reports; on a terminal, print the number of finished photos."""
    for number, report in enumerate(reports, 1):
        if sys.stderr.isatty():
            end = "\n" if number == total else ""
            write(f"\r{number} of {total} photos{end}", nl=False, err=True)
        yield report


def print_import(
    reports: Sequence[RowReport], entries: Sequence[Reference], watchlist: str, *, as_json: bool
) -> None:
    """Print the result of each row of an import."""
    by_id = {entry.reference_id: entry for entry in entries}
    rows = [_build_row(report, by_id.get(report.reference_id)) for report in reports]
    counts = Counter(row["verdict"] for row in rows)
    if as_json:
        say(
            json.dumps(
                {"watchlist": watchlist, "counts": dict(counts), "rows": rows},
                ensure_ascii=False,
                indent=1,
            )
        )
        return
    _print_rows(rows)
    total = ", ".join(f"{count} {verdict}" for verdict, count in counts.items()) or "no rows"
    say(f"watchlist {watchlist}: {total}")


def print_check(reports: Sequence[RowReport], *, as_json: bool) -> None:
    """Print the result of each checked photo."""
    rows = [_build_row(report, None) for report in reports]
    for row in rows:
        row["verdict"] = "good" if row["verdict"] == "accepted" else row["verdict"]
    if as_json:
        say(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    _print_rows(rows)


def print_entries(
    entries: Sequence[Reference], altered: Mapping[str, str], now: datetime, *, as_json: bool
) -> None:
    """Print entries with their status.

    Args:
        entries: The entries, in the order of printing.
        altered: Description of the changes since the enrolment, by id of an altered entry.
        now: Time for the expiry, UTC.
        as_json: Whether to print JSON.
    """
    rows = [
        {
            "watchlist": entry.watchlist,
            "subject": entry.subject or "(erased)",
            "status": _describe_status(entry, altered, now),
            "category": entry.category,
            "legal_basis": entry.legal_basis,
            "source": entry.source,
            "captured_on": entry.captured_on.isoformat(),
            "enrolled_by": entry.enrolled_by,
            "authorised_by": entry.authorised_by,
            "expires": entry.expires.isoformat(),
            "quality": round(entry.quality, 1),
            "reference_id": entry.reference_id,
            "note": "; ".join(filter(None, (altered.get(entry.reference_id), entry.note))),
            "second_authoriser": entry.second_authoriser,
            "second_reason": entry.second_reason,
        }
        for entry in entries
    ]
    if as_json:
        say(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    columns = ("watchlist", "subject", "status", "category", "authorised_by", "expires", "note")
    table = [{key: str(row[key]) for key in columns} for row in rows]
    for line, entry in zip(table, entries, strict=True):
        line["expires"] = f"{entry.expires:%Y-%m-%d %H:%M}"
        if entry.second_authoriser:
            second = f"second authoriser {entry.second_authoriser}: {entry.second_reason}"
            line["note"] = "; ".join(filter(None, (line["note"], second)))
    _print_table(table, "status")
    people = len({(row["watchlist"], row["subject"]) for row in rows})
    count = "1 entry" if len(rows) == 1 else f"{len(rows)} entries"
    say(f"{count} of {people} {'subject' if people == 1 else 'subjects'}")


def _describe_status(entry: Reference, altered: Mapping[str, str], now: datetime) -> str:
    if entry.reference_id in altered:
        return "altered"
    return "expired" if _is_expired(entry, now) else str(entry.status)


def _is_expired(entry: Reference, now: datetime) -> bool:
    can_expire = (EntryStatus.ACTIVE, EntryStatus.PENDING, EntryStatus.SUSPENDED)
    return entry.expires < now and entry.status in can_expire


def _build_row(report: RowReport, entry: Reference | None) -> dict[str, Any]:
    """Return an output row; a refused or pending entry overrides an accepted report."""
    verdict, reason, notes = str(report.result), report.reason, "; ".join(report.warnings)
    if entry is not None and report.result is RowResult.ACCEPTED:
        notes = entry.note
        if entry.status is EntryStatus.REFUSED:
            verdict, reason, notes = "refused", f"line {report.line}: {entry.note}", ""
        elif entry.status is EntryStatus.PENDING:
            verdict, reason = "pending", _PENDING_REASON
    return {
        "line": report.line,
        "subject": report.subject,
        "image": report.image,
        "verdict": verdict,
        "reason": reason,
        "note": notes,
        "quality": None if report.quality is None else round(report.quality, 1),
        "reference_id": report.reference_id,
    }


def _print_rows(rows: Sequence[dict[str, Any]]) -> None:
    _print_table(
        [
            {
                "line": str(row["line"] or ""),
                "verdict": row["verdict"],
                "subject": row["subject"] or row["image"],
                "quality": "" if row["quality"] is None else f"{row['quality']:.0f}",
                "why": "; ".join(filter(None, (row["reason"], row["note"]))),
            }
            for row in rows
        ],
        "verdict",
    )


def _print_table(rows: Sequence[dict[str, str]], coloured: str) -> None:
    if not rows:
        return
    if not sys.stdout.isatty():
        for row in rows:
            say("\t".join(map(escape_line, row.values())).rstrip())
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in rows[0]:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(
            *(
                Text(escape_line(value), style=_COLOURS.get(value, "") if name == coloured else "")
                for name, value in row.items()
            )
        )
    console = Console()
    with console.capture() as capture:
        console.print(table)
    write(capture.get(), nl=False)
