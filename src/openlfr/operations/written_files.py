"""Erases alerts from the files of runs: alert lines, reports and annexes.

Only the files at their original paths are changed; copies cannot be found.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import structlog

from openlfr.operations.report import ANNEX, DATA, PAGE, replace_private
from openlfr.operations.report.canonical import ERASED_VALUES, REJECTED_VALUES, canonical_json
from openlfr.operations.report.figures import plural, render_meter

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from openlfr.domain.runs import WrittenFiles
    from openlfr.ports import Records

_KEPT_KEYS = ("event", "event_id", "alert_id")  # `--resume` needs them to recognise an erased line
_ERASED_NOTE = b'<p class="lost">This alert was erased.</p>'
SEALED = "The pictures are sealed: somebody was stopped by mistake. A supervisor may open them."
"""Text in an annex instead of sealed pictures."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ErasedIds:
    """Alerts and events to erase from files.

    Attributes:
        alerts: Ids of alerts, with all their events.
        events: Ids of single events.
    """

    alerts: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.alerts or self.events)

    def matches(self, entry: dict[str, Any]) -> bool:
        """Return whether an event, as read from a line or a report, must be erased."""
        return entry.get("alert_id") in self.alerts or entry.get("event_id") in self.events


def erase_written(files: Collection[WrittenFiles], erased: ErasedIds) -> int:
    """Erase alerts and events from files; return the number of changed files.

    If a file cannot be changed, the problem is logged, and all other files are still changed. For
    example, another file may be at the path by now, or the disk may be missing.
    """
    changed = 0
    if not erased:
        return changed
    for path in {each.alerts for each in files if each.alerts is not None}:
        changed += _try_rewrite(path, _erase_lines, erased)
    for folder in {each.report for each in files if each.report is not None}:
        changed += _try_rewrite(folder, _erase_from_report, erased)
    return changed


def erase_again(records: Records, files: Collection[WrittenFiles]) -> int:
    """Erase from reports all alerts and rejected sightings that are erased in the records.

    Another process may have erased them before these files were written, or another machine that
    cannot reach these files.

    Returns:
        The number of changed reports.
    """
    return sum(
        _try_rewrite(folder, _erase_recorded, records)
        for folder in {each.report for each in files if each.report is not None}
    )


def _erase_recorded(folder: Path, records: Records) -> bool:
    data_file = folder / DATA
    if not data_file.exists():
        return False
    entries = json.loads(data_file.read_bytes())["alerts"]
    ids = {each["alert_id"] for each in entries if not each.get("erased")}
    deployments = {each["sighting"]["deployment"] for each in entries}
    alerts = [each for name in deployments for each in records.alerts.list(deployment=name)]
    erased = {each.alert_id for each in alerts if each.erased_at is not None}
    rejected = {
        event.event.event_id
        for alert_id in ids & {each.alert_id for each in alerts}
        for event in records.alerts.events(alert_id)
        if event.rejected_at is not None
    }
    return _erase_from_report(folder, ErasedIds(frozenset(erased & ids), frozenset(rejected)))


def seal_written(files: Collection[WrittenFiles], alerts: Collection[str]) -> int:
    """Remove the pictures of sealed alerts from annexes; return the number of changed reports.

    If a supervisor later opens the alert, the pictures are read from the vault, and are not
    restored in the annex.

    Args:
        files: Paths of the files of runs.
        alerts: Ids of the sealed alerts.
    """
    folders = {each.report for each in files if each.report is not None} if alerts else set()
    return sum(_try_rewrite(folder, _seal_annex, alerts) for folder in folders)


def _try_rewrite(path: Path, rewrite: Any, ids: Any) -> bool:
    try:
        return bool(path.exists() and rewrite(path, ids))
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("file_not_rewritten", file=str(path), why=f"{type(error).__name__}: {error}")
        return False


def _erase_lines(path: Path, erased: ErasedIds) -> bool:
    """Overwrite lines in place, since a run may append lines at the same time."""
    changed = False
    with path.open("r+b") as file:
        start = 0
        while line := file.readline():
            if (replacement := _erased_line(line, erased)) is not None:
                file.seek(start)
                file.write(replacement)
                changed = True
            start += len(line)
            file.seek(start)
        if changed:
            file.flush()
            os.fsync(file.fileno())
    return changed


def _erased_line(line: bytes, erased: ErasedIds) -> bytes | None:
    """Return the erased line, with the same length; None if the line must stay unchanged."""
    if not line.endswith(b"\n"):
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    if not isinstance(entry, dict) or entry.get("erased") or not erased.matches(entry):
        return None
    kept = {name: entry[name] for name in _KEPT_KEYS if name in entry} | {"erased": True}
    return json.dumps(kept).encode().ljust(len(line) - 1) + b"\n"


def _erase_from_report(folder: Path, erased: ErasedIds) -> bool:
    data_file, page_file, annex_file = (folder / name for name in (DATA, PAGE, ANNEX))
    if not data_file.exists():
        return False
    before = data_file.read_bytes()
    figures = json.loads(before)
    concerned = [each for each in figures["alerts"] if erased.matches(each)]
    if not any(_must_change(each, erased) for each in concerned):
        return False
    hashes = {}
    if annex_file.exists():
        annex = annex_file.read_bytes()
        cut = _remove_parts(annex, erased)
        hashes[sha256(annex).hexdigest()] = sha256(cut).hexdigest()
        replace_private(annex_file, cut)
        if figures.get("annex"):
            figures["annex"]["sha256"] = sha256(cut).hexdigest()
    for each in concerned:
        each["sighting"] |= ERASED_VALUES
        if each["event_id"] in erased.events:
            each["sighting"] |= REJECTED_VALUES
            each["rejected"] = True
        each |= {"category": "", "legal_basis": "", "pictures_sha256": {}, "erased": True}
        each.pop("impossible", None)
    after = canonical_json(figures)
    hashes[sha256(before).hexdigest()] = sha256(after).hexdigest()
    if page_file.exists():
        page = _remove_parts(page_file.read_bytes(), erased)
        for alert_id in {each["alert_id"] for each in concerned}:
            remaining = [
                each
                for each in figures["alerts"]
                if each["alert_id"] == alert_id and not each.get("erased")
            ]
            page = _update_card(page, alert_id, remaining) if remaining else page
        for old, new in hashes.items():
            page = page.replace(old.encode(), new.encode())
        replace_private(page_file, page)
    replace_private(data_file, after)  # last, so that an interrupted erasure is repeated
    return True


def _must_change(entry: dict[str, Any], erased: ErasedIds) -> bool:
    is_rejected = entry["event_id"] in erased.events
    return not entry.get("erased") or (is_rejected and not entry.get("rejected"))


def _update_card(page: bytes, alert_id: str, remaining: Sequence[dict[str, Any]]) -> bytes:
    """Replace the figures of an alert's card by those of its remaining events."""
    best = max(
        remaining, key=lambda each: ("probe" in each["pictures_sha256"], each["sighting"]["score"])
    )["sighting"]
    meter = render_meter(best["score"], best["threshold"], best["quality"])
    caption = f"<caption>{plural(len(remaining), 'sighting')}</caption>"
    begin = re.escape(f"<!-- alert {alert_id} -->")

    def update(card: re.Match[bytes]) -> bytes:
        text = card[0].decode()
        text = re.sub(r'<div class="meter".*?</p>\s*</div>', lambda _: meter, text, flags=re.DOTALL)
        return re.sub(r"<caption>.*?</caption>", lambda _: caption, text).encode()

    whole = rf"{begin}.*?<!-- /alert -->"
    return re.sub(whole.encode(), update, page, flags=re.DOTALL)


def _seal_annex(folder: Path, alerts: Collection[str]) -> bool:
    data_file, page_file, annex_file = (folder / name for name in (DATA, PAGE, ANNEX))
    if not annex_file.exists():
        return False
    annex = cut = annex_file.read_bytes()
    for one in alerts:  # the comments around an alert remain, since a later erasure needs them
        begin, end = f"<!-- alert {one} -->", "<!-- /alert -->"
        instead = f'{begin}<p class="lost"><code>{one}</code> {SEALED}</p>{end}'.encode()
        part = re.escape(begin) + ".*?" + re.escape(end)
        cut = re.sub(part.encode(), instead, cut, flags=re.DOTALL)
    if cut != annex:
        replace_private(annex_file, cut)  # first, so that no failure leaves a face there
    if not data_file.exists():
        return cut != annex
    before = data_file.read_bytes()
    figures = json.loads(before)
    after_sha256 = sha256(cut).hexdigest()
    before_sha256 = (figures.get("annex") or {}).get("sha256", after_sha256)
    if before_sha256 == after_sha256:
        return cut != annex
    figures["annex"]["sha256"] = after_sha256
    after = canonical_json(figures)
    if page_file.exists():
        page = page_file.read_bytes().replace(before_sha256.encode(), after_sha256.encode())
        old, new = (sha256(each).hexdigest().encode() for each in (before, after))
        replace_private(page_file, page.replace(old, new))
    replace_private(data_file, after)  # last, so that an interrupted sealing is repeated
    return True


def _remove_parts(page: bytes, erased: ErasedIds) -> bytes:
    """Remove the parts of alerts and events that comments enclose."""
    replacements = (("alert", erased.alerts, _ERASED_NOTE), ("event", erased.events, b""))
    for kind, ids, instead in replacements:
        for one in ids:
            part = rf"<!-- {kind} {re.escape(one)} -->.*?<!-- /{kind} -->"
            page = re.sub(part.encode(), instead, page, flags=re.DOTALL)
    return page
