"""`openlfr report`: the report of a deployment, from the records alone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from openlfr.cli import DONE, arguments, config_option
from openlfr.terminal import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openlfr.domain.summary import RunSummary


@click.command(name="report", context_settings={"max_content_width": 100})
@click.argument("deployment", metavar="DEPLOYMENT", callback=arguments.parse_words)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write report.html and report.json into this folder. They contain names of alerted "
    "people: protect them.",
)
@click.option(
    "--csv",
    "table",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a table of one row into this file: first the columns that the Home Office "
    "publishes per deployment. It contains no names of alerted people.",
)
@config_option
@click.option(
    "--by",
    default=None,
    metavar="NAME",
    callback=arguments.parse_person,
    help="Your name. Default: your login.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def command(
    deployment: str,
    out: Path | None,
    table: Path | None,
    config: Path,
    by: str | None,
    as_json: bool,
) -> int:
    """Report the figures of a deployment from the records alone.

    DEPLOYMENT is an id, the beginning of an id, or a name. The command needs no camera and no
    model. It works after a run, while a run or a city is active, and for past deployments.

    The report has the same page as `openlfr run --report`, without pictures and stage timings.
    Without --out, some figures are printed. The folder is recorded, and a later erasure also
    changes the files there.
    """
    from openlfr.cli.due_erasure import load_and_open
    from openlfr.operations.report.canonical import canonical_json, figures_of
    from openlfr.operations.report.table import write_table
    from openlfr.operations.report_deployment import report_deployment

    folder = out.absolute() if out is not None else None
    with load_and_open(config) as (_, records):
        summary = report_deployment(
            deployment,
            folder,
            records=records,
            by=arguments.identify_person(by),
            at=datetime.now(UTC),
        )
    if table is not None:
        write_table(summary, table)
    if as_json:
        say(canonical_json(figures_of(summary)).decode())
        return DONE
    for line in _format_lines(summary):
        say(line)
    if folder is not None:
        say(f"Wrote {folder}/report.html and report.json.")
    if table is not None:
        say(f"Wrote {table}.")
    return DONE


def _format_lines(summary: RunSummary) -> Iterator[str]:
    from openlfr.operations.report.figures import funnel, headline

    yield f"{summary.deployment.name} ({summary.deployment_id}), {summary.ended_how}"
    yield headline(summary)
    for step in funnel(summary):
        yield f"  {step.count:>8,}  {step.name}" + (f" ({step.lost})" if step.lost else "")
    yield from summary.notes
