"""`openlfr demo`: the whole pipeline on a simulated street, compared with its ground truth."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from openlfr.cli import DONE, SOMETHING_FAILED, cli
from openlfr.demo.steps import step
from openlfr.domain.errors import Unavailable
from openlfr.terminal import say

if TYPE_CHECKING:
    from openlfr.domain.summary import KnownTruth, RunSummary
    from openlfr.simulate import SimulatedStreet

_CAMERAS = ("entrance", "square")
_SEED = 7
_NOTE_ON_PACKAGED_FACES = (
    "This demonstration shows that the pipeline works. It is no evidence of accuracy, because both"
    " photos of each listed person are made from one picture."
)
_NOTE_ON_OWN_FACES = (
    "This demonstration shows that the pipeline works. It is no evidence of accuracy, because the"
    " street is simulated and the people of one folder do not represent a population."
)


@click.command(context_settings={"show_default": True})
@click.option("--faces", type=click.Path(path_type=Path, file_okay=False),
              help="Your own photos, NAME/*.jpg; people with two photos or more can be listed."
              " Without it: sample pictures of installed packages.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), default=Path("demo-output"),
              help="Output folder; an existing folder is replaced.")  # fmt: skip
@click.option(
    "--seconds", type=click.IntRange(10, 600), default=40, help="Length of each camera's video."
)
@click.option("--astronaut-only", is_flag=True,
              help="List only the astronaut, so that no other face is shown.")  # fmt: skip
@click.option("--open", "show", is_flag=True, help="Open the report in a browser.")
def command(faces: Path | None, out: Path, seconds: int, astronaut_only: bool, show: bool) -> int:
    """Simulate a street, list a few of its people, search for them, and compare with the truth.

    The demo shows that the pipeline works on this machine. It is no evidence of accuracy.
    """
    if faces is not None and astronaut_only:
        raise click.UsageError("--faces and --astronaut-only exclude each other")
    started = time.monotonic()
    from openlfr.demo.folder import prepare_folder

    prepare_folder(out)
    say(_NOTE_ON_OWN_FACES if faces else _NOTE_ON_PACKAGED_FACES)
    with step("Models"):
        _install_models()
    with step("Street"):
        street = _simulate_street(out, faces, seconds=seconds, only_astronaut=astronaut_only)
    with step("Watchlist"):
        manifest, config = str(street.manifest), str(street.configuration)
        cli.main(["watchlist", "import", manifest, "--config", config], standalone_mode=False)
    with step("Run"):
        summary, printed = _run(
            street, out, note=_NOTE_ON_OWN_FACES if faces else _NOTE_ON_PACKAGED_FACES
        )
    assert summary.truth is not None  # noqa: S101 - `_run` sets it
    _print_result(summary.truth, out, time.monotonic() - started)
    for problem in summary.problems:
        if problem not in printed:
            say(f"problem: {problem}", err=True)
    if show:
        import webbrowser

        webbrowser.open((out / "report" / "report.html").absolute().as_uri())
    failed = bool(summary.problems or (faces is None and _has_errors(summary.truth)))
    return SOMETHING_FAILED if failed else DONE


def _has_errors(truth: KnownTruth) -> bool:
    return truth.found < truth.passes or truth.wrong > 0


def _install_models() -> None:
    from openlfr import bootstrap

    store = bootstrap.open_models()
    for model in store.install(report=lambda line: say(f"  {line}")):
        say(f"  {model.name}: verified, {model.model.licence}")


def _simulate_street(
    out: Path, faces: Path | None, *, seconds: int, only_astronaut: bool
) -> SimulatedStreet:
    from functools import cache

    from rich.console import Console

    from openlfr import bootstrap
    from openlfr.cli.street_progress import StreetProgress
    from openlfr.demo.faces import write_packaged_faces
    from openlfr.simulate import StreetOptions, make_street

    detector = cache(bootstrap.load_detector)
    if faces is None:
        faces = out / "faces"
        try:
            write_packaged_faces(faces, detector(), only_astronaut=only_astronaut)
        except OSError as error:
            raise Unavailable(f"{error.filename} cannot be written: {error.strerror}") from error
    options = StreetOptions(
        seed=_SEED, seconds=seconds, cameras=_CAMERAS, people=max(6, seconds // 3),
        watchlist=_count_to_list(faces), enrol=1, min_px=50, max_px=150, eligible_px=64,
        watch_share=0.4, crf=25, onward=0.8,
    )  # fmt: skip
    with StreetProgress(Console(), options) as progress:
        street = make_street(faces, out, options, detector=detector, progress=progress)
    for camera in street.cameras:
        say(
            f"  {camera.camera}: {camera.frames} frames, {camera.passes} passes,"
            f" {camera.listed_passes} of them by listed people"
        )
        for problem in camera.problems:
            say(f"  {problem}", err=True)
    return street


def _count_to_list(faces: Path) -> int:
    """Return the number of people to list.

    Only people with two photos or more are listed: at most 3, and at most half of all people, but
    one of them in any case.
    """
    from openlfr.simulate.people import read_people

    people = read_people(faces)
    return min(3, sum(len(person.photos) > 1 for person in people), max(1, len(people) // 2))


def _run(street: SimulatedStreet, out: Path, *, note: str) -> tuple[RunSummary, set[str]]:
    """Run the pipeline, write the report, and return the summary and the printed problems."""
    from openlfr import embedded, settings
    from openlfr.cli.live_view import live_view
    from openlfr.demo.compare import compare
    from openlfr.operations.report import write_report

    loaded = settings.load(street.configuration)
    # The run writes the report, so that its folder is recorded and erasure finds the pictures.
    options = embedded.RunOptions(
        alerts=out / "alerts.jsonl", report=out / "report", as_fast_as_possible=True
    )
    with live_view(loaded, is_verbose=True) as view:
        summary = embedded.run(loaded, options, on_progress=view)
    folders = {camera.camera: camera.folder for camera in street.cameras}
    summary = replace(
        summary,
        notes=(note,),
        truth=compare(
            folders, [(item.event, (item.event.sighting.seq,)) for item in summary.alerts]
        ),
    )
    write_report(summary, out / "report")
    return summary, view.printed


def _print_result(truth: KnownTruth, out: Path, seconds: float) -> None:
    false_alerts = f"{truth.wrong} false alerts" if truth.wrong else "no false alert"
    say(
        f"\nFound {truth.found} of {truth.passes} passes of listed people; {false_alerts}"
        f" ({truth.strangers} passes of strangers). {seconds:.0f} s in total."
    )
    for sentence in truth.missed:
        say(f"  {sentence}")
    say(
        f"\nReport:  {out / 'report' / 'report.html'}\n"
        f"Alerts:  openlfr alerts list --config {out / 'CONFIG.yaml'}\n"
        f"Again:   openlfr run {out / 'CONFIG.yaml'}   (in real time)"
    )
