"""`openlfr alerts decide` and what follows: what people make of an alert, and what is held."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from openlfr.cli import DONE, SOMETHING_FAILED, arguments, config_option
from openlfr.cli.erasing import finish, opened
from openlfr.domain.adjudication import REASONS, Judgement, Reason
from openlfr.domain.alert_records import HoldKind
from openlfr.domain.alerts import Adjudication, Outcome
from openlfr.domain.errors import BadInput
from openlfr.terminal import say

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from openlfr.domain.alert_records import RecordedAlert

    Function = Callable[..., None]

_ALERT = click.argument("alert_id", metavar="ID", callback=arguments.words)
_FINDING = click.argument(
    "finding", metavar="|".join(Adjudication), type=click.Choice([str(a) for a in Adjudication])
)
_RESULT = click.argument(
    "result", metavar="|".join(Outcome), type=click.Choice([str(o) for o in Outcome])
)
_BY = click.option(
    "--by", required=True, metavar="NAME", callback=arguments.person, help="Who does it."
)
_CODES = "; ".join(f"{each}: {', '.join(REASONS[each])}" for each in Adjudication)
_BECAUSE = click.option(
    "--because",
    type=click.Choice([str(r) for r in Reason]),
    metavar="CODE",
    default=None,
    help=f"Why, as it is counted. {_CODES}.",
)
_REASON = click.option("--reason", default="", callback=arguments.words, help="Why, in your words.")
_VERSION = click.option(
    "--if-version",
    "version",
    type=click.IntRange(min=1),
    default=None,
    help="Refuse where the alert is not in this version any more (alerts show --json says which).",
)


def _verdict(function: Function) -> Function:
    """What every command takes that gives a verdict."""
    for option in (_VERSION, _REASON, _BECAUSE, _BY, config_option, _FINDING, _ALERT):
        function = option(function)
    return function


@click.command("decide")
@_verdict
@click.option(
    "--outcome",
    type=click.Choice([str(o) for o in Outcome]),
    default=None,
    help="What became of it, if known already.",
)
def decide(
    alert_id: str,
    finding: str,
    config: Path,
    by: str,
    because: str | None,
    reason: str,
    version: int | None,
    outcome: str | None,
) -> None:
    """Record what you decided about an alert.

    ID is its id or the beginning of it. Where somebody decided it before, what they decided is
    said, and nothing is changed.

    You can undo it for 8 seconds (alerting.undo); another person can look at it again (alerts
    second) until it is settled. What is kept of a person who is not engaged, pictures, positions
    and the event in the alert book, is erased when that is settled, within 15 minutes. That it
    happened, when and where, and who decided, stays on record.
    """
    from openlfr.operations.adjudicate import AlertVersion, OutcomeReport, record_outcome
    from openlfr.operations.adjudicate import decide as decide_alert

    which, what = AlertVersion(alert_id, version), _judgement(finding, because, reason)
    who, at = arguments.who(by), datetime.now(UTC)
    with opened(config) as (settings, records):
        times = settings.alerting.times
        alert = decide_alert(which, what, records=records, by=who, at=at, times=times)
        if outcome:
            became = OutcomeReport(Outcome(outcome))
            which = AlertVersion(alert.alert_id)
            alert = record_outcome(which, became, records=records, by=who, at=at, times=times)
    _say(alert)


@click.command("second")
@_verdict
def second(
    alert_id: str,
    finding: str,
    config: Path,
    by: str,
    because: str | None,
    reason: str,
    version: int | None,
) -> None:
    """Look a second time at an alert that another person decided.

    One that agrees settles it; where the two differ a supervisor settles it (alerts settle). Look
    at the pictures before you read what the other one decided.
    """
    from openlfr.operations.adjudicate import AlertVersion, look_again

    which, what = AlertVersion(alert_id, version), _judgement(finding, because, reason)
    with opened(config) as (settings, records):
        alert = look_again(
            which,
            what,
            records=records,
            by=arguments.who(by),
            at=datetime.now(UTC),
            times=settings.alerting.times,
        )
    _say(alert)


@click.command("settle")
@_verdict
def settle(
    alert_id: str,
    finding: str,
    config: Path,
    by: str,
    because: str | None,
    reason: str,
    version: int | None,
) -> None:
    """Say which verdict holds, as a supervisor who gave none of them.

    Without it a verdict is settled by itself 14 minutes after it was given (alerting.settle); in a
    dispute the first one holds then, which was acted on.
    """
    from openlfr.operations.adjudicate import AlertVersion
    from openlfr.operations.adjudicate import settle as settle_alert

    which, what = AlertVersion(alert_id, version), _judgement(finding, because, reason)
    with opened(config) as (settings, records):
        alert = settle_alert(
            which,
            what,
            records=records,
            by=arguments.who(by),
            at=datetime.now(UTC),
            times=settings.alerting.times,
        )
    _say(alert)


@click.command("undo")
@_ALERT
@config_option
@_BY
@_REASON
@_VERSION
def undo(alert_id: str, config: Path, by: str, reason: str, version: int | None) -> None:
    """Take back your own verdict, within 8 seconds (alerting.undo)."""
    from openlfr.operations.adjudicate import AlertVersion
    from openlfr.operations.adjudicate import undo as undo_verdict

    with opened(config) as (_, records):
        alert = undo_verdict(
            AlertVersion(alert_id, version),
            reason=reason,
            records=records,
            by=arguments.who(by),
            at=datetime.now(UTC),
        )
    say(f"Alert {alert.alert_id} about {alert.about}: undone; it is {alert.state} now.")


@click.command("outcome")
@_ALERT
@_RESULT
@config_option
@_BY
@_REASON
@_VERSION
@click.option(
    "--minutes-stopped",
    type=click.IntRange(min=0),
    default=None,
    help="How long somebody was stopped.",
)
def outcome(
    alert_id: str,
    result: str,
    config: Path,
    by: str,
    reason: str,
    version: int | None,
    minutes_stopped: int | None,
) -> None:
    """Record what became of an alert.

    ID is its id or the beginning of it; it must have been decided. After refuted somebody was
    stopped by mistake: what is kept is sealed for 24 hours (alerting.sealed), for that person's
    complaint, and then erased.
    """
    from openlfr.operations.adjudicate import AlertVersion, OutcomeReport, record_outcome

    with opened(config) as (settings, records):
        alert = record_outcome(
            AlertVersion(alert_id, version),
            OutcomeReport(Outcome(result), minutes_stopped, reason),
            records=records,
            by=arguments.who(by),
            at=datetime.now(UTC),
            times=settings.alerting.times,
        )
    _say(alert)


@click.command("reject")
@_ALERT
@click.argument("sighting", metavar="SIGHTING", callback=arguments.words)
@config_option
@_BY
@_REASON
@_VERSION
def reject(
    alert_id: str, sighting: str, config: Path, by: str, reason: str, version: int | None
) -> int:
    """Take a sighting out of an alert that shows another person than the others.

    SIGHTING is the id that `alerts show` prints before it, or the beginning of it. What is kept of
    it is erased at once: picture, position, camera and the event in the alert book. Exit code 1
    where a part of it has to wait, and for what.
    """
    from openlfr import bootstrap
    from openlfr.operations.reject import Rejection, reject_sighting

    rejection = Rejection(alert_id, sighting, reason, version)
    with (
        opened(config) as (settings, records),
        closing(bootstrap.open_alert_book(settings)) as book,
    ):
        alert = reject_sighting(
            rejection,
            records=records,
            vault=bootstrap.open_vault(settings),
            book=book,
            by=arguments.who(by),
            at=datetime.now(UTC),
        )
        whole = finish(records)
    say(f"Alert {alert.alert_id} about {alert.about}: {alert.events} sightings stay.")
    return DONE if whole else SOMETHING_FAILED


def _until(_: click.Context, __: click.Parameter, text: str) -> timedelta:
    from openlfr.settings.values import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise BadInput(f"--for {error}") from None


@click.command("hold")
@_ALERT
@click.argument("kind", type=click.Choice([str(k) for k in HoldKind]))
@config_option
@_BY
@click.option("--reason", required=True, callback=arguments.words, help="Why, in your words.")
@click.option(
    "--for",
    "lasts",
    callback=_until,
    default="31d",
    show_default=True,
    metavar="TIME",
    help="After which the hold expires, such as 31d.",
)
def hold(alert_id: str, kind: str, config: Path, by: str, reason: str, lasts: timedelta) -> None:
    """Keep an alert from being erased, for a complaint or a disclosure.

    It overrides every rule by which pictures and positions go, until it expires or is released
    (alerts release). A supervisor or an auditor places it.
    """
    from openlfr.operations.holds import WantedHold, place_hold

    now = datetime.now(UTC)
    wanted = WantedHold(alert_id, HoldKind(kind), now + lasts, reason)
    with opened(config) as (_, records):
        placed = place_hold(wanted, records=records, by=arguments.who(by), at=now)
    say(f"Alert {placed.alert_id} is held until {placed.expires_at:%Y-%m-%d %H:%M} UTC.")


@click.command("release")
@_ALERT
@config_option
@_BY
@click.option("--reason", required=True, callback=arguments.words, help="Why, in your words.")
def release(alert_id: str, config: Path, by: str, reason: str) -> None:
    """Let an alert's holds go: it is erased by the rules again."""
    from openlfr.operations.holds import release_holds

    now = datetime.now(UTC)
    with opened(config) as (_, records):
        released = release_holds(alert_id, reason, records=records, by=arguments.who(by), at=now)
    say(f"Released {len(released)} of alert {released[0].alert_id}.")


COMMANDS = (decide, undo, second, settle, outcome, reject, hold, release)


def _judgement(finding: str, because: str | None, reason: str) -> Judgement:
    return Judgement(Adjudication(finding), Reason(because) if because else None, reason)


def _say(alert: RecordedAlert) -> None:
    said = ", ".join(str(part) for part in (alert.adjudication, alert.outcome) if part)
    say(f"Alert {alert.alert_id} about {alert.about}: {said}. It is {alert.state} now.")
    if alert.erase_at is not None and alert.erased_at is None:
        why = "sealed for a complaint" if alert.outcome is Outcome.REFUTED else "kept"
        say(
            f"Pictures, positions and event are {why} until {alert.erase_at:%Y-%m-%d %H:%M:%S} "
            "UTC, and erased then by a run or by alerting, else by the next command."
        )
