"""`openlfr alerts decide`, `second`, `settle`, `undo`, `outcome` and `reject`."""

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


def _verdict_options(function: Function) -> Function:
    """Add the arguments and options of a command that records a verdict."""
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
@_verdict_options
@click.option(
    "--outcome",
    type=click.Choice([str(o) for o in Outcome]),
    default=None,
    help="The outcome, if already known.",
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

    ID is the alert's id or the beginning of the id. If the alert is decided already, that decision
    is printed and stays unchanged.

    You can undo your decision for 8 seconds (alerting.undo). It is final after 14 minutes
    (alerting.settle); until then another person can give a second verdict (alerts second). If the
    final verdict is not to engage the person, the alert's pictures, positions and events are
    erased within a minute. Times, cameras and the names of the deciders stay on record.
    """
    from openlfr.operations.adjudicate import AlertVersion, OutcomeReport, record_outcome
    from openlfr.operations.adjudicate import decide as decide_alert

    alert_version = AlertVersion(alert_id, version)
    judgement = _build_judgement(finding, because, reason)
    person, at = arguments.identify_person(by), datetime.now(UTC)
    with load_and_open(config) as (settings, records):
        times = settings.alerting.times
        alert = decide_alert(
            alert_version, judgement, records=records, by=person, at=at, times=times
        )
        if outcome:
            alert = record_outcome(
                AlertVersion(alert.alert_id),
                OutcomeReport(Outcome(outcome)),
                records=records,
                by=person,
                at=at,
                times=times,
            )
    _print_state(alert)


@click.command("second")
@_verdict_options
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

    If the two verdicts agree, they are final. If they differ, a supervisor gives the final verdict
    (alerts settle). Look at the pictures before you read the first verdict.
    """
    from openlfr.operations.adjudicate import AlertVersion, look_again

    with load_and_open(config) as (settings, records):
        alert = look_again(
            AlertVersion(alert_id, version),
            _build_judgement(finding, because, reason),
            records=records,
            by=arguments.identify_person(by),
            at=datetime.now(UTC),
            times=settings.alerting.times,
        )
    _print_state(alert)


@click.command("settle")
@_verdict_options
def settle(
    alert_id: str,
    finding: str,
    config: Path,
    by: str,
    because: str | None,
    reason: str,
    version: int | None,
) -> None:
    """Settle an alert by a supervisor's final verdict.

    The supervisor must have given no earlier verdict on the alert. Without this command a verdict
    is final automatically after 14 minutes (alerting.settle). If two verdicts differ, the first is
    then the final verdict, because people have acted on it.
    """
    from openlfr.operations.adjudicate import AlertVersion
    from openlfr.operations.adjudicate import settle as settle_alert

    with load_and_open(config) as (settings, records):
        alert = settle_alert(
            AlertVersion(alert_id, version),
            _build_judgement(finding, because, reason),
            records=records,
            by=arguments.identify_person(by),
            at=datetime.now(UTC),
            times=settings.alerting.times,
        )
    _print_state(alert)


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
    say(
        f"Alert {alert.alert_id} about {alert.subject_label}: verdict withdrawn. "
        f"It is {alert.state} now."
    )


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
    help="Number of minutes for which a person was stopped.",
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

    ID is the id of a decided alert, or the beginning of the id. 'refuted' means that a person was
    stopped by mistake. The pictures are then sealed for 24 hours (alerting.sealed), in case the
    person complains, and erased afterwards.
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
    _print_state(alert)


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
    """Remove a sighting of another person from an alert.

    SIGHTING is the id that `alerts show` prints before the sighting, or the beginning of the id.
    The sighting's picture, position, camera and event in the alert book are erased immediately.
    While the alert is sealed, this requires a supervisor and --reason.
    Exit code 1 if a part must be erased later; the reason is printed.
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
        is_complete = erase_rows_from_disk(records)
    say(f"Alert {alert.alert_id} about {alert.subject_label}: {alert.events} sightings remain.")
    return DONE if is_complete else SOMETHING_FAILED


COMMANDS = (decide, undo, second, settle, outcome, reject)


def _build_judgement(finding: str, because: str | None, reason: str) -> Judgement:
    return Judgement(Adjudication(finding), Reason(because) if because else None, reason)


def _print_state(alert: RecordedAlert) -> None:
    decision = ", ".join(str(part) for part in (alert.adjudication, alert.outcome) if part)
    say(f"Alert {alert.alert_id} about {alert.subject_label}: {decision}. It is {alert.state} now.")
    if alert.erase_at is not None and alert.erased_at is None:
        state = "sealed for a complaint" if alert.outcome is Outcome.REFUTED else "retained"
        say(
            f"Pictures, positions and events are {state} until {alert.erase_at:%Y-%m-%d %H:%M:%S} "
            "UTC. Afterwards an active run, the alerting service or the next command erases them."
        )
