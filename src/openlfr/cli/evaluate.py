"""`openlfr evaluate`: measure the error rates on a folder of faces."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from openlfr.terminal import say

if TYPE_CHECKING:
    from openlfr.operations.evaluate import EvaluationResult


@click.command()
@click.argument("set_dir", type=click.Path(path_type=Path))
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="Also write the result to this file as JSON. '-' prints JSON instead of the table.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Use the models of this configuration instead of the default models.",
)
def command(set_dir: Path, json_file: Path | None, config: Path | None) -> None:
    """Measure identification rates on SET_DIR/images/NAME/*.jpg.

    Each person with two photos or more is enrolled with the first photo and searched with the
    others. People with one photo are strangers. The face nearest to the centre of a photo is used.
    A photo without a usable face counts as a miss.
    """
    from openlfr import bootstrap
    from openlfr.operations.evaluate import evaluate
    from openlfr.settings import load

    settings = load(config) if config else None
    detector, embedder = bootstrap.load_detector(settings), bootstrap.load_embedder(settings)

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    terminal = Console(stderr=True)
    with Progress(
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=terminal,
        disable=not sys.stderr.isatty(),
        transient=True,
    ) as bar:
        photos = bar.add_task("photos", total=None)
        result = evaluate(
            set_dir,
            detector,
            embedder,
            progress=lambda done, total: bar.update(photos, completed=done, total=total),
        )
    text = json.dumps(result.as_json(), indent=2)
    if json_file is not None and str(json_file) != "-":
        json_file.write_text(text + "\n", encoding="utf-8")
    say(text if str(json_file) == "-" else format_table(result))
    for name in result.unreadable:
        say(f"{name} is not a picture, and counts as a failure", err=True)


def format_table(result: EvaluationResult) -> str:
    """Return the result as a text table."""
    from openlfr.operations.error_rates import Unsupported

    width, height = result.input_size
    model = f"{result.model_name} ({result.model_sha256[:12]}), detector input {width}x{height}"
    people = f"{result.gallery} people enrolled, searched with {result.mated} other photos of them"
    rank1 = result.rank1
    lines = [
        f"model     {model}",
        f"set       {people}, {result.nonmated} strangers",
        f"failures  {result.failures_to_acquire} photos without a usable face, counted as misses",
        "",
        f"{'':10}{'rate':>8}  {'95% interval':16}  {'threshold':>9}  95% interval",
        f"{'rank 1':10}{rank1.value:8.4f}  {_span(rank1.low, rank1.high)}",
    ]
    notes: list[str] = []
    for fpir, point in result.tpir_at_fpir.items():
        name = f"FPIR {fpir:g}"
        if isinstance(point, Unsupported):
            lines.append(f"{name:10}{'-':>8}  {point.reason}")
            continue
        above = "?" if point.threshold_high is None else f"{point.threshold_high:.3f}"
        below = "?" if point.threshold_low is None else f"{point.threshold_low:.3f}"
        tpir, fpir_range, confused = point.tpir_here, point.fpir, point.as_another
        lines.append(
            f"{name:10}{point.tpir:8.4f}  {_span(point.low, point.high)}  {point.threshold:9.3f}  "
            f"{below} to {above}"
        )
        lines.append(
            f"{'':12}at {point.threshold:.3f}: {_span(tpir.low, tpir.high)} identified; "
            f"{point.false_positives} of {result.nonmated} strangers matched, "
            f"{_span(fpir_range.low, fpir_range.high)}; {confused.value:.4f} of the photos matched "
            f"another person, {_span(confused.low, confused.high)}"
        )
        notes += [f"FPIR {fpir:g}: {point.reason}"] if point.reason else []
    if not result.tpir_at_fpir:
        notes.append("No FPIR: the set has no strangers, that is, people with one photo.")
    return "\n".join([*lines, *notes])


def _span(low: float, high: float) -> str:
    return f"{low:.4f} to {high:.4f}"
