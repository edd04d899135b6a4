"""`openlfr passage`: plan and log walks of control subjects, and count how many were recognised."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from openlfr.cli import arguments, config_option
from openlfr.terminal import say

if TYPE_CHECKING:
    from pathlib import Path

    from openlfr.ports import Records
    from openlfr.settings import Settings

_deployment_option = click.option(
    "--deployment",
    metavar="DEPLOYMENT",
    callback=arguments.parse_words,
    help="Id or name of the deployment. Default: the deployment of the configuration.",
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _parse_moment(_: click.Context, __: click.Parameter, text: str) -> datetime:
    from openlfr.settings.values import parse_moment

    try:
        return parse_moment(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.group(name="passage", context_settings={"max_content_width": 100})
def command() -> None:
    """Plan and log walks of control subjects; measure how many were recognised.

    Control subjects are listed with the category control, and have consented to walk past the
    cameras. Each walk is planned before it takes place, and logged by a person who sees no alerts.
    """


@command.command("plan")
@click.argument("subject", callback=arguments.parse_subject)
@_deployment_option
@click.option(
    "--camera", "cameras", multiple=True, metavar="NAME",
    help="A camera that the subject will pass. Repeatable. Default: all cameras.",
)  # fmt: skip
@config_option
@click.option(
    "--by", metavar="NAME", callback=arguments.parse_person, help="Your name. Default: the account."
)
@_json_option
def plan(
    subject: str, deployment: str | None, cameras: tuple[str, ...], config: Path, by: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Commit a walk of the control subject SUBJECT before it takes place.

    The command prints the id of the plan, and a hash of the plan that can be published: it proves
    later what was planned, and reveals neither the subject nor the cameras.
    """
    from openlfr.cli.due_erasure import load_and_open
    from openlfr.operations.passages import WalkToPlan, plan_passage

    with load_and_open(config) as (settings, records):
        planned = plan_passage(
            WalkToPlan(subject, deployment or _configured_deployment(settings, records), cameras),
            records=records,
            by=arguments.identify_person(by),
            at=datetime.now(UTC),
        )
    if as_json:
        values = {
            "plan_id": planned.plan_id,
            "deployment_id": planned.deployment_id,
            "subject": subject,
            "cameras": list(planned.cameras),
            "planned_at": planned.planned_at.isoformat(),
            "commitment": planned.commitment,
        }
        say(json.dumps(values))
        return
    say(f"planned {planned.plan_id}: {subject} will pass {', '.join(planned.cameras)}")
    say(f"  commitment {planned.commitment}")


@command.command("log")
@click.argument("plan_id", metavar="PLAN", callback=arguments.parse_words)
@click.option(
    "--from", "begins", required=True, metavar="TIME", callback=_parse_moment,
    help="Time at which the subject came before the first camera, such as 2026-11-23T12:00:05Z.",
)  # fmt: skip
@click.option(
    "--to", "ends", required=True, metavar="TIME", callback=_parse_moment,
    help="Time at which the subject left the last camera.",
)  # fmt: skip
@click.option(
    "--camera", "cameras", multiple=True, metavar="NAME",
    help="A planned camera that the subject passed. Repeatable. Default: all planned cameras.",
)  # fmt: skip
@config_option
@click.option(
    "--by", required=True, metavar="NAME", callback=arguments.parse_person, help="Your name."
)
@_json_option
def log(
    plan_id: str, begins: datetime, ends: datetime, cameras: tuple[str, ...], config: Path, by: str,
    as_json: bool,
) -> None:  # fmt: skip
    """Record that a planned walk took place. PLAN is the id of the plan, or its beginning.

    A person who has acted on an alert of the deployment may not log a walk: the log must not
    depend on whether the subject was recognised. Log a walk soon: when an alert was erased before
    the log, it is unknown whether it was the subject's.
    """
    from openlfr.cli.due_erasure import load_and_open
    from openlfr.operations.passages import Walk, log_passage

    with load_and_open(config) as (_, records):
        passage = log_passage(
            Walk(plan_id, begins, ends, cameras),
            records=records,
            by=arguments.identify_person(by),
            at=datetime.now(UTC),
        )
    walked = passage.log.cameras if passage.log else ()
    if as_json:
        values = {
            "plan_id": passage.plan.plan_id,
            "from": begins.isoformat(),
            "to": ends.isoformat(),
            "cameras": list(walked),
        }
        say(json.dumps(values))
        return
    say(f"logged {passage.plan.plan_id}: {', '.join(walked)}")


@command.command("result")
@_deployment_option
@config_option
@_json_option
def result(deployment: str | None, config: Path, as_json: bool) -> None:
    """Count the passages in which the subject was recognised, whole and by camera.

    The interval is that of Korn and Graubard (1998), since passages of one subject are correlated.
    With fewer than 5 subjects there are only counts.
    """
    from openlfr.cli.due_erasure import load_and_open
    from openlfr.cli.passage_output import format_result, result_as_json
    from openlfr.operations.passage_results import passage_result
    from openlfr.settings import require_authorisation

    with load_and_open(config) as (settings, records):
        named = deployment or require_authorisation(settings).deployment_id
        counted = passage_result(named, records=records)
    if as_json:
        say(json.dumps(result_as_json(counted)))
        return
    for line in format_result(counted):
        say(line)


def _configured_deployment(settings: Settings, records: Records) -> str:
    """Return the id of the configured deployment; record an unrecorded deployment first.

    So passages can be planned before the first start.
    """
    from openlfr.operations.deployments import register
    from openlfr.settings import require_authorisation

    configured = require_authorisation(settings)
    if records.deployments.get(configured.deployment_id) is None:
        person = arguments.identify_person()
        register(configured, records=records, by=person, at=datetime.now(UTC))
    return configured.deployment_id
