"""`openlfr alerts`: list alerts and show one; adds the commands of verdicts and holds."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from openlfr.cli import alert_holds, arguments, config_option, verdicts
from openlfr.cli.alerts_output import print_alert, print_alerts, print_second_looks
from openlfr.cli.due_erasure import load_and_open
from openlfr.domain.errors import BadInput
from openlfr.terminal import say

_NO_LIMIT = 2**31


@click.group(context_settings={"max_content_width": 100})
def command() -> None:
    """List, show and decide alerts."""


@command.command("list")
@config_option
@click.option("--open", "undecided", is_flag=True, help="Only undecided alerts.")
@click.option(
    "--second-look",
    is_flag=True,
    help="Only alerts that need a second verdict. The first verdict is not printed.",
)
@click.option(
    "--subject",
    default=None,
    callback=arguments.parse_subject,
    help="Only alerts about this subject.",
)
@click.option(
    "--limit", type=click.IntRange(1), default=None, help="Maximum number of alerts. Default: all."
)
@click.option(
    "--after",
    default="",
    callback=arguments.parse_words,
    help="Continue after the end of a list with --limit; the end prints the value.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def list_alerts(
    config: Path,
    undecided: bool,
    second_look: bool,
    subject: str | None,
    limit: int | None,
    after: str,
    as_json: bool,
) -> None:
    """List alerts, newest first."""
    if second_look:
        _list_second_looks(config, subject, as_json=as_json)
        return
    with load_and_open(config) as (_, records):
        page = records.alerts.page(limit or _NO_LIMIT, after, undecided=undecided, subject=subject)
    print_alerts(page.alerts, undecided=undecided, as_json=as_json)
    if page.after:
        say(f"There are more alerts: --after {page.after}", err=True)


def _list_second_looks(config: Path, subject: str | None, *, as_json: bool) -> None:
    """List alerts that need a second verdict, without the first verdict and its author."""
    from openlfr import bootstrap
    from openlfr.operations.second_looks import second_looks

    with load_and_open(config) as (settings, records):
        alerts = second_looks(
            records,
            share=settings.alerting.second_look,
            vault=bootstrap.open_vault(settings),
            now=datetime.now(UTC),
        )
    print_second_looks([a for a in alerts if subject in (None, a.subject)], as_json=as_json)


@command.command("show")
@click.argument("alert_id", metavar="ID", callback=arguments.parse_words)
@config_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="Write the best sighting beside the reference to FILE.jpg, or all sightings to FILE.html.",
)
@click.option(
    "--reason",
    default="",
    callback=arguments.parse_words,
    help="Your reason for viewing the pictures; required for sealed pictures.",
)
@click.option("--json", "as_json", is_flag=True, help="Print facts and sightings as JSON.")
def show(alert_id: str, config: Path, out: Path | None, reason: str, as_json: bool) -> None:
    """Print the facts, verdicts and sightings of an alert.

    ID is the alert's id or the beginning of the id.

    Pictures are encrypted. --out decrypts them into a file and records your access. Erase the file
    when you no longer need it. Pictures of a person who was stopped by mistake are sealed: only a
    supervisor can open them, with --reason.
    """
    from openlfr import bootstrap
    from openlfr.operations.show_alert import PictureRequest, show_alert

    if out is not None and out.suffix.lower() not in (".jpg", ".jpeg", ".html"):
        raise BadInput(f"{out} must end in .jpg (one picture) or .html (all sightings).")
    with load_and_open(config) as (settings, records):
        alert = records.alerts.find(alert_id)
        case = records.alerts.case(alert.alert_id)
        print_alert(alert, case, list(records.alerts.events(alert.alert_id)), as_json=as_json)
        if out is not None:
            content = show_alert(
                PictureRequest(alert.alert_id, out.name, reason),
                records=records,
                vault=bootstrap.open_vault(settings),
                by=arguments.identify_person(),
                at=datetime.now(UTC),
            )
            _write_private(out, content)
            say(
                f"Wrote {out}, decrypted and readable by you alone. Erase the file when you no "
                "longer need it.",
                err=as_json,
            )


for _each in (*verdicts.COMMANDS, *alert_holds.COMMANDS):
    command.add_command(_each)


def _write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read; an existing file is replaced."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
