"""Reads from the acts on deployments which reports were written, and where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from openlfr.domain.audit_deployments import ReportWritten
from openlfr.domain.runs import WrittenFiles

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openlfr.domain.audit import RecordedAct


def files_of_acts(acts: Iterable[RecordedAct]) -> list[WrittenFiles]:
    """Return the folders of reports that were written from the records, without duplicates."""
    folders = (str(act.detail.get("folder", "")) for act in acts if act.kind == ReportWritten.kind)
    return [WrittenFiles(report=Path(folder)) for folder in dict.fromkeys(folders) if folder]
