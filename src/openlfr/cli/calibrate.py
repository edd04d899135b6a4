"""`openlfr calibrate`: measure the threshold for a target FPIR against the present list."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openlfr.cli import arguments, config_option
from openlfr.terminal import say, write

if TYPE_CHECKING:
    from openlfr.embedded.calibrating import CalibrationReport


@click.command()
@click.argument("cohort_dir", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--target-fpir",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Share of unlisted people who may be stopped by mistake. Default: matching.target_fpir.",
)
@config_option
@click.option(
    "--walks",
    type=click.IntRange(1, 20),
    default=2,
    show_default=True,
    help="Walks of each person. The highest score of all walks counts.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the simulation.")
@click.option("--by", metavar="NAME", callback=arguments.parse_person, help="Your name.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(
    cohort_dir: Path,
    target_fpir: float | None,
    config: Path,
    walks: int,
    seed: int,
    by: str | None,
    as_json: bool,
) -> None:
    """Measure the threshold for a target FPIR, with the unlisted people in COHORT_DIR/NAME/*.jpg.

    FPIR is the share of unlisted people who reach the threshold. The people walk through simulated
    streets, and the pipeline searches for them on the present list with the models and rules of the
    configuration. A run with matching.target_fpir then uses the threshold, until anybody is added
    to the list. A target needs at least 3.7 / target people: 368 for 0.01, and 3688 for 0.001.

    Listed people, and people without a usable photo, are left out and named. Only numbers and
    hashes are recorded: no face, name or template of the people in COHORT_DIR.
    """
    from openlfr import settings
    from openlfr.cli.due_erasure import open_records_after_erasure
    from openlfr.embedded.calibrating import CalibrationRequest, run_calibration

    loaded = settings.load(config)
    target = loaded.matching.target_fpir if target_fpir is None else target_fpir
    if target is None:
        raise click.UsageError(f"add --target-fpir, or set matching.target_fpir in {loaded.path}")
    request = CalibrationRequest(cohort_dir, target, arguments.identify_person(by), walks, seed)
    with open_records_after_erasure(loaded) as records:
        report = run_calibration(loaded, request, records, progress=_print_progress)
    for name, why in report.left_out.items():
        say(f"left out: {name}: {why}", err=True)
    if as_json:
        say(json.dumps(report_as_json(report), ensure_ascii=False, indent=1))
    else:
        say(format_report(report))


def report_as_json(report: CalibrationReport) -> dict[str, Any]:
    """Return the calibration, without the listed entries, and the people left out, as JSON."""
    made = report.calibration
    values = made.to_json()
    del values["entries"]
    return {"calibration_id": made.calibration_id, **values, "left_out": dict(report.left_out)}


def format_report(report: CalibrationReport) -> str:
    """Return the result as text."""
    from openlfr.operations.report.figures import plural

    made = report.calibration
    cohort = made.cohort
    unsearched = cohort.people - cohort.searched
    reach = f"{made.above} of them reach the threshold"
    interval = f"FPIR {made.low:.5f} to {made.high:.5f} (95%)"
    size = f"{made.references} references of {made.subjects} people"
    walks = f"{plural(made.simulation['walks_per_person'], 'walk')} per person"
    return "\n".join(
        (
            f"threshold   {made.threshold:.4f} for a target FPIR of {made.target_fpir:g}",
            f"people      {cohort.people} unlisted people, {reach}; {interval}",
            f"unsearched  {unsearched} of them had no searched face, and count as not stopped",
            f"nobody      {cohort.tracks_of_nobody} searched tracks show no face of these people",
            f"list        {size}; root {made.list_root[:16]}",
            f"passes      simulated, {walks}: your cameras and passers-by differ",
            f"id          {made.calibration_id}",
            "",
            f"Next: set matching.target_fpir: {made.target_fpir:g}. Remove matching.threshold.",
            "After an addition to the list, calibrate again.",
        )
    )


def _print_progress(step: str, done: int, total: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        write(f"\r{step}: {done} of {total} people{end}", nl=False, err=True)
