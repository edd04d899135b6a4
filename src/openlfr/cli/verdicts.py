"""`openlfr alerts decide` and what follows: what people make of an alert, and what is held."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from openlfr.cli import DONE, SOMETHING_FAILED, arguments, config_option
from openlfr.cli import alert_options as options
from openlfr.cli.due_erasure import erase_rows_from_disk, load_and_open
from openlfr.domain.adjudication import Judgement, Reason
from openlfr.domain.alerts import Adjudication, Outcome
from openlfr.terminal import say

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from openlfr.domain.alert_records import RecordedAlert

    Function = Callable[..., None]


def _verdict(function: Function) -> Function:
    """Add the arguments and options of every command that gives a verdict."""
    for option in (
        options.VERSION,
        options.REASON,
        options.BECAUSE,
        options.BY,
        config_option,
        options.FINDING,
        options.ALERT,
    ):
        function = option(function)
    return function


@click.command("decide")
@_verdict
@click.option(
    "--outcome",
    type=click.Choice([str(o) for o in Outcome]),
    default=None,
    help="The outcome, if it is known already.",
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
    """Record your decision about an alert.

    ID is the alert's id or the beginning of it. If the alert was decided before, the earlier
    decision is printed and nothing is changed.

    You can undo your decision for 8 seconds (alerting.undo). Another person can give a second
    verdict (alerts second) until the alert is settled. If the person is not to be engaged, the
    pictures, positions and events of the alert are erased when it is settled, within 15 minutes.
    Times, cameras and the names of those who decided stay on record.
    """
    from openlfr.operations.adjudicate import AlertVersion, OutcomeReport, record_outcome
    from openlfr.operations.adjudicate import decide as decide_alert

    which, what = AlertVersion(alert_id, version), _judgement(finding, because, reason)
    who, at = arguments.identify_person(by), datetime.now(UTC)
    with load_and_open(config) as (settings, records):
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
    """Give a second verdict on an alert that another person decided.

    If both agree, the alert is settled; if they differ, a supervisor settles it (alerts settle).
    Look at the pictures before you read the first verdict.
    """
    from openlfr.operations.adjudicate import AlertVersion, look_again

    which, what = AlertVersion(alert_id, version), _judgement(finding, because, reason)
    with load_and_open(config) as (settings, records):
        alert = look_again(
            which,
            what,
            records=records,
            by=arguments.identify_person(by),
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
    """Settle an alert, as a supervisor who gave none of its verdicts.

    Otherwise a verdict is settled automatically 14 minutes after it was given (alerting.settle);
    in a dispute the first verdict then stands, since people acted on it.
    """
    from openlfr.operations.adjudicate import AlertVersion
    from openlfr.operations.adjudicate import settle as settle_alert

    which, what = AlertVersion(alert_id, version), _judgement(finding, because, reason)
    with load_and_open(config) as (settings, records):
        alert = settle_alert(
            which,
            what,
            records=records,
            by=arguments.identify_person(by),
            at=datetime.now(UTC),
            times=settings.alerting.times,
        )
    _say(alert)


@click.command("undo")
@options.ALERT
@config_option
@options.BY
@options.REASON
@options.VERSION
def undo(alert_id: str, config: Path, by: str, reason: str, version: int | None) -> None:
    """Withdraw your own verdict, within 8 seconds (alerting.undo)."""
    from openlfr.operations.adjudicate import AlertVersion
    from openlfr.operations.adjudicate import undo as undo_verdict

    with load_and_open(config) as (_, records):
        alert = undo_verdict(
            AlertVersion(alert_id, version),
            reason=reason,
            records=records,
            by=arguments.identify_person(by),
            at=datetime.now(UTC),
        )
    say(f"Alert {alert.alert_id} about {alert.about}: undone; it is {alert.state} now.")


@click.command("outcome")
@options.ALERT
@options.RESULT
@config_option
@options.BY
@options.REASON
@options.VERSION
@click.option(
    "--minutes-stopped",
    type=click.IntRange(min=0),
    default=None,
    help="Minutes for which a person was stopped.",
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
    """Record the outcome of an alert.

    ID is the id of a decided alert, or the beginning of it. 'refuted' means that a person was
    stopped by mistake: the pictures are then sealed for 24 hours (alerting.sealed), in case that
    person complains, and erased after that.
    """
    from openlfr.operations.adjudicate import AlertVersion, OutcomeReport, record_outcome

    with load_and_open(config) as (settings, records):
        alert = record_outcome(
            AlertVersion(alert_id, version),
            OutcomeReport(Outcome(result), minutes_stopped, reason),
            records=records,
            by=arguments.identify_person(by),
            at=datetime.now(UTC),
            times=settings.alerting.times,
        )
    _say(alert)


@click.command("reject")
@options.ALERT
@click.argument("sighting", metavar="SIGHTING", callback=arguments.parse_words)
@config_option
@options.BY
@options.REASON
@options.VERSION
def reject(
    alert_id: str, sighting: str, config: Path, by: str, reason: str, version: int | None
) -> int:
    """Remove a sighting that shows another person than the rest of its alert.

    SIGHTING is the id that `alerts show` prints before the sighting, or the beginning of the id.
    Its picture, position, camera and event in the alert book are erased at once. Exit code 1 if a
    part has to wait; the reason is printed.
    """
    from openlfr import bootstrap
    from openlfr.operations.reject import Rejection, reject_sighting

    rejection = Rejection(alert_id, sighting, reason, version)
    with (
        load_and_open(config) as (settings, records),
        closing(bootstrap.open_alert_book(settings)) as book,
    ):
        alert = reject_sighting(
            rejection,
            records=records,
            vault=bootstrap.open_vault(settings),
            book=book,
            by=arguments.identify_person(by),
            at=datetime.now(UTC),
        )
        whole = erase_rows_from_disk(records)
    say(f"Alert {alert.alert_id} about {alert.about}: {alert.events} sightings remain.")
    return DONE if whole else SOMETHING_FAILED


COMMANDS = (decide, undo, second, settle, outcome, reject)


def _judgement(finding: str, because: str | None, reason: str) -> Judgement:
    return Judgement(Adjudication(finding), Reason(because) if because else None, reason)


def _say(alert: RecordedAlert) -> None:
    decision = ", ".join(str(part) for part in (alert.adjudication, alert.outcome) if part)
    say(f"Alert {alert.alert_id} about {alert.about}: {decision}. It is {alert.state} now.")
    if alert.erase_at is not None and alert.erased_at is None:
        why = "sealed for a complaint" if alert.outcome is Outcome.REFUTED else "kept"
        say(
            f"Pictures, positions and event are {why} until {alert.erase_at:%Y-%m-%d %H:%M:%S} "
            "UTC. A running run or the alerting service erases them then, else the next command."
        )
