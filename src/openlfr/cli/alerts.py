"""`openlfr alerts`: list them, look at one, decide it."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from openlfr.cli import arguments, config_option, verdicts
from openlfr.cli.alerts_output import print_alert, print_alerts, print_second_looks
from openlfr.cli.erasing import opened
from openlfr.domain.errors import BadInput
from openlfr.terminal import say

_ALL = 2**31


@click.group(context_settings={"max_content_width": 100})
def command() -> None:
    """List alerts, look at them and decide them."""


@command.command("list")
@config_option
@click.option("--open", "undecided", is_flag=True, help="Only those that nobody has decided.")
@click.option(
    "--second-look",
    is_flag=True,
    help="Only those that another person is to look at now, without what was decided.",
)
@click.option(
    "--subject", default=None, callback=arguments.subject, help="Only about this subject."
)
@click.option(
    "--limit", type=click.IntRange(1), default=None, help="So many at most. Default: all."
)
@click.option(
    "--after", default="", callback=arguments.words, help="Go on where a list with --limit ended."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_alerts(
    config: Path,
    undecided: bool,
    second_look: bool,
    subject: str | None,
    limit: int | None,
    after: str,
    as_json: bool,
) -> None:
    """List alerts, the latest first."""
    if second_look:
        _list_second_looks(config, subject, as_json=as_json)
        return
    with opened(config) as (_, records):
        page = records.alerts.page(limit or _ALL, after, undecided=undecided, subject=subject)
    print_alerts(page.alerts, undecided=undecided, as_json=as_json)
    if page.after:
        say(f"There are more: --after {page.after}", err=True)


def _list_second_looks(config: Path, subject: str | None, *, as_json: bool) -> None:
    """Whoever looks a second time does not see what the first person saw, nor who it was."""
    from openlfr import bootstrap
    from openlfr.operations.second_looks import second_looks

    with opened(config) as (settings, records):
        found = second_looks(
            records,
            share=settings.alerting.second_look,
            vault=bootstrap.open_vault(settings),
            now=datetime.now(UTC),
        )
    print_second_looks([a for a in found if subject in (None, a.subject)], as_json=as_json)


@command.command("show")
@click.argument("alert_id", metavar="ID", callback=arguments.words)
@config_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="Write probe beside reference to FILE.jpg, or every sighting to FILE.html.",
)
@click.option(
    "--reason", default="", callback=arguments.words, help="Why you look; sealed pictures need it."
)
@click.option("--json", "as_json", is_flag=True, help="Facts and sightings as JSON.")
def show(alert_id: str, config: Path, out: Path | None, reason: str, as_json: bool) -> None:
    """Say what is known of an alert.

    ID is its id or the beginning of it.

    Pictures are encrypted; --out decrypts them into a file that you must erase yourself, and
    that you did so is recorded. Those of a person who was stopped by mistake are sealed: a
    supervisor opens them with --reason.
    """
    from openlfr import bootstrap
    from openlfr.operations.show_alert import PictureRequest, show_alert

    if out is not None and out.suffix.lower() not in (".jpg", ".jpeg", ".html"):
        raise BadInput(f"{out} ends in neither .jpg nor .html, so what to write is not clear.")
    with opened(config) as (settings, records):
        alert = records.alerts.find(alert_id)
        case = records.alerts.case(alert.alert_id)
        print_alert(alert, case, list(records.alerts.events(alert.alert_id)), as_json=as_json)
        if out is not None:
            content = show_alert(
                PictureRequest(alert.alert_id, out.name, reason),
                records=records,
                vault=bootstrap.open_vault(settings),
                by=arguments.who(),
                at=datetime.now(UTC),
            )
            _write_private(out, content)
            say(
                f"Wrote {out}, decrypted and readable by you alone: erase it when it is no "
                "longer needed.",
                err=as_json,
            )


for _each in verdicts.COMMANDS:
    command.add_command(_each)


def _write_private(path: Path, content: bytes) -> None:
    """Write for the owner alone, a file that stood there with other permissions too."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
