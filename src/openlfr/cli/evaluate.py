"""`openlfr evaluate`: measure error rates on a folder of faces."""

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
    help="Also write the result to this file as JSON ('-': to stdout instead of the table).",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Use the models of this configuration instead of the default ones.",
)
def command(set_dir: Path, json_file: Path | None, config: Path | None) -> None:
    """Measure identification rates on SET_DIR/images/NAME/*.jpg.

    Of each person with two photos or more the first photo is enrolled, and the others are searched
    for. People with one photo are strangers. The face nearest the centre of a photo counts; a
    photo without a usable face is a miss.
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
    say(text if str(json_file) == "-" else table(result))
    for name in result.unreadable:
        say(f"not a picture, counted as a failure: {name}", err=True)


def table(result: EvaluationResult) -> str:
    """The result as a table."""
    from openlfr.operations.error_rates import Unsupported

    width, height = result.input_size
    model = f"{result.model_name} ({result.model_sha256[:12]}), detector input {width}x{height}"
    people = f"{result.gallery} people enrolled, {result.mated} photos of them searched for"
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
        here, fpir_here, wrong = point.tpir_here, point.fpir, point.as_another
        lines.append(
            f"{name:10}{point.tpir:8.4f}  {_span(point.low, point.high)}  {point.threshold:9.3f}  "
            f"{below} to {above}"
        )
        lines.append(
            f"{'':12}with {point.threshold:.3f}: {_span(here.low, here.high)} are found; "
            f"{point.false_positives} of {result.nonmated} strangers alert, "
            f"{_span(fpir_here.low, fpir_here.high)}; {wrong.value:.4f} of the photos searched for "
            f"alert as somebody else, {_span(wrong.low, wrong.high)}"
        )
        notes += [f"FPIR {fpir:g}: {point.reason}"] if point.reason else []
    if not result.tpir_at_fpir:
        notes.append("Nobody in the set has just one photo: without strangers there is no FPIR.")
    return "\n".join([*lines, *notes])


def _span(low: float, high: float) -> str:
    return f"{low:.4f} to {high:.4f}"
