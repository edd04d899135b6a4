"""`openlfr alerts hold` and `release`: protect an alert from erasure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from openlfr.cli import alert_options as options
from openlfr.cli import arguments, config_option
from openlfr.cli.due_erasure import load_and_open
from openlfr.domain.alert_records import HoldKind
from openlfr.domain.errors import BadInput
from openlfr.terminal import say

if TYPE_CHECKING:
    from pathlib import Path


def _parse_duration(_: click.Context, __: click.Parameter, text: str) -> timedelta:
    from openlfr.settings.values import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise BadInput(f"--for {error}") from None


@click.command("hold")
@options.ALERT
@click.argument("kind", type=click.Choice([str(k) for k in HoldKind]))
@config_option
@options.BY
@click.option(
    "--reason", required=True, callback=arguments.parse_words, help="The reason in your own words."
)
@click.option(
    "--for",
    "duration",
    callback=_parse_duration,
    default="31d",
    show_default=True,
    metavar="TIME",
    help="Time until the hold expires, such as 31d.",
)
def hold(alert_id: str, kind: str, config: Path, by: str, reason: str, duration: timedelta) -> None:
    """Protect an alert from erasure, for a complaint or a disclosure.

    Until the hold expires or is released (alerts release), it overrides every rule that erases
    pictures and positions. Only a supervisor or an auditor may place a hold.
    """
    from openlfr.operations.holds import HoldRequest, place_hold

    now = datetime.now(UTC)
    request = HoldRequest(alert_id, HoldKind(kind), now + duration, reason)
    with load_and_open(config) as (_, records):
        placed = place_hold(request, records=records, by=arguments.identify_person(by), at=now)
    say(f"Alert {placed.alert_id} is held until {placed.expires_at:%Y-%m-%d %H:%M} UTC.")


@click.command("release")
@options.ALERT
@config_option
@options.BY
@click.option(
    "--reason", required=True, callback=arguments.parse_words, help="The reason in your own words."
)
def release(alert_id: str, config: Path, by: str, reason: str) -> None:
    """Release all holds of an alert; the rules of erasure apply again."""
    from openlfr.operations.holds import release_holds

    now = datetime.now(UTC)
    with load_and_open(config) as (_, records):
        person = arguments.identify_person(by)
        released = release_holds(alert_id, reason, records=records, by=person, at=now)
    holds = "1 hold" if len(released) == 1 else f"{len(released)} holds"
    say(f"Released {holds} of alert {released[0].alert_id}.")


COMMANDS = (hold, release)
