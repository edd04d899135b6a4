"""Writes the report of a deployment from the records, so that an erasure finds the files."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from openlfr.domain.audit import AuditEvent
from openlfr.domain.audit_deployments import ReportWritten
from openlfr.domain.permissions import Action, require
from openlfr.domain.runs import WrittenFiles
from openlfr.operations.report import write_report
from openlfr.operations.report.from_records import summarise_deployment
from openlfr.operations.written_files import erase_again

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from openlfr.domain.principals import Principal
    from openlfr.domain.summary import RunSummary
    from openlfr.ports import Records


def report_deployment(
    id_or_name: str, folder: Path | None, *, records: Records, by: Principal, at: datetime
) -> RunSummary:
    """Collect the figures of a deployment, and write its report.

    The act is recorded before the files are written, so that an erasure by another process also
    rewrites these files. If that erasure came before the files, this function repeats it in them.

    Args:
        id_or_name: Id of the deployment, the beginning of the id, or its name.
        folder: Absolute path of the report's folder; None to write no file and record no act.
        records: The records.
        by: The person who makes the report.
        at: Time of the act, UTC.

    Returns:
        The collected figures.

    Raises:
        NotAllowed: The person may not write reports.
        BadInput: No deployment or several match, or the deployment has no recorded baseline.
        Unavailable: The folder or a file cannot be written.
    """
    require(by, Action.WRITE_REPORT)
    deployment = records.deployments.find(id_or_name)
    summary = summarise_deployment(deployment, records)
    if folder is None:
        return summary
    host = socket.gethostname()
    act = ReportWritten(deployment.deployment_id, deployment.name, folder=str(folder), host=host)
    with records.unit_of_work() as work:
        work.record(AuditEvent(at, by, act))
    write_report(summary, folder)
    erase_again(records, [WrittenFiles(report=folder)])
    return summary
