"""`openlfr alerts`: list them, look at one, decide it."""

from __future__ import annotations

import os
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from openlfr.cli import DONE, SOMETHING_FAILED, arguments, config_option
from openlfr.cli.alerts_output import print_alert, print_alerts
from openlfr.domain.alerts import Adjudication, Outcome
from openlfr.domain.errors import BadInput, Misconfigured, Unavailable
from openlfr.terminal import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openlfr.adapters.sql import Records
    from openlfr.domain.alert_records import RecordedAlert
    from openlfr.operations.adjudicate import Decision
    from openlfr.settings import Settings

_OUTCOMES = click.Choice([str(o) for o in Outcome])
_BY = click.option(
    "--by", required=True, metavar="NAME", callback=arguments.person, help="Who decides."
)
_REASON = click.option("--reason", default="", callback=arguments.words, help="Why, in your words.")


@click.group(context_settings={"max_content_width": 100})
def command() -> None:
    """List alerts, look at them and decide them."""


@command.command("list")
@config_option
@click.option("--open", "undecided", is_flag=True, help="Only those that nobody has decided.")
@click.option(
    "--subject", default=None, callback=arguments.subject, help="Only about this subject."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_alerts(config: Path, undecided: bool, subject: str | None, as_json: bool) -> None:
    """List alerts, the latest first."""
    with _open(config) as (_, records):
        alerts = records.alerts.list(undecided=undecided, subject=subject)
    print_alerts(alerts, undecided=undecided, as_json=as_json)


@command.command("show")
@click.argument("alert_id", metavar="ID", callback=arguments.words)
@config_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="Write probe beside reference to FILE.jpg, or every sighting to FILE.html.",
)
@click.option("--json", "as_json", is_flag=True, help="Facts and sightings as JSON.")
def show(alert_id: str, config: Path, out: Path | None, as_json: bool) -> None:
    """Say what is known of an alert.

    ID is its id or the beginning of it.

    Pictures are encrypted; --out decrypts them into a file that you must erase yourself, and
    that you did so is recorded.
    """
    from openlfr import bootstrap
    from openlfr.operations.show_alert import show_alert

    if out is not None and out.suffix.lower() not in (".jpg", ".jpeg", ".html"):
        raise BadInput(f"{out} ends in neither .jpg nor .html, so what to write is not clear.")
    with _open(config) as (settings, records):
        alert = records.alerts.find(alert_id)
        print_alert(alert, list(records.alerts.events(alert.alert_id)), as_json=as_json)
        if out is not None:
            content = show_alert(
                alert.alert_id,
                out.name,
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


@command.command("decide")
@click.argument("alert_id", metavar="ID", callback=arguments.words)
@click.argument("decision", type=click.Choice([str(a) for a in Adjudication]))
@config_option
@_BY
@_REASON
@click.option("--outcome", type=_OUTCOMES, default=None, help="What became of it, if known.")
def decide(
    alert_id: str, decision: str, config: Path, by: str, reason: str, outcome: str | None
) -> int:
    """Record what you decided about an alert.

    ID is its id or the beginning of it.

    A person who is not engaged, or was refuted to be the listed one, is erased: pictures,
    positions and the event in the alert book. That it happened, when and where, and who decided,
    stays on record. Exit code 1 where a part of it has to wait, and for what.
    """
    from openlfr.operations.adjudicate import Decision

    made = Decision(alert_id, Adjudication(decision), Outcome(outcome) if outcome else None, reason)
    return _adjudicate(config, made, by)


@command.command("outcome")
@click.argument("alert_id", metavar="ID", callback=arguments.words)
@click.argument("result", metavar="|".join(Outcome), type=_OUTCOMES)
@config_option
@_BY
@_REASON
def record_outcome(alert_id: str, result: str, config: Path, by: str, reason: str) -> int:
    """Record what became of an alert.

    ID is its id or the beginning of it; it must have been decided.
    """
    from openlfr.operations.adjudicate import Decision

    return _adjudicate(config, Decision(alert_id, outcome=Outcome(result), reason=reason), by)


def _adjudicate(config: Path, decision: Decision, by: str) -> int:
    from openlfr.cli.erasing import finish
    from openlfr.operations.adjudicate import adjudicate

    with _open(config) as (settings, records):
        alert = adjudicate(decision, records=records, by=arguments.who(by), at=datetime.now(UTC))
        said = ", ".join(str(part) for part in (alert.adjudication, alert.outcome) if part)
        say(f"Alert {alert.alert_id} about {alert.subject}: {said}.")
        if not records.alerts.mistaken():
            return DONE
        try:
            erased = _erase_mistaken(settings, records)
        except (Unavailable, Misconfigured) as error:
            raise Unavailable(
                "The decision is recorded, but what is kept of the person could not be erased: "
                f"{error} `openlfr purge` finishes it."
            ) from error
        whole = finish(records)
    for one in erased:
        say(f"Erased pictures, positions and event of alert {one.alert_id}.")
    say("Files made before (alert lines, reports, pictures shown) are not reached by this.")
    return DONE if whole else SOMETHING_FAILED


def _erase_mistaken(settings: Settings, records: Records) -> list[RecordedAlert]:
    from openlfr import bootstrap
    from openlfr.operations.erasure import erase_mistaken

    with closing(bootstrap.open_alert_book(settings)) as book:
        return erase_mistaken(
            records=records,
            vault=bootstrap.open_vault(settings),
            book=book,
            at=datetime.now(UTC),
        )


@contextmanager
def _open(config: Path) -> Iterator[tuple[Settings, Records]]:
    from openlfr.cli.erasing import opened_records
    from openlfr.settings import load

    settings = load(config)
    with opened_records(settings) as records:
        yield settings, records


def _write_private(path: Path, content: bytes) -> None:
    """Write for the owner alone, a file that stood there with other permissions too."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
