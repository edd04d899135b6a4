"""`openlfr deployment`: list, show, pause, resume, stop and close deployments."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from openlfr.cli import arguments, config_option
from openlfr.domain.deployment import DeploymentStatus
from openlfr.terminal import say

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from openlfr.domain.audit import RecordedAct
    from openlfr.domain.deployment import Deployment

_ENDING_ACTS = ("deployment.stopped", "deployment.closed")
_deployment_argument = click.argument(
    "deployment", metavar="DEPLOYMENT", callback=arguments.parse_words
)
_by_option = click.option(
    "--by", required=True, metavar="NAME", callback=arguments.parse_person, help="Your name."
)
_reason_option = click.option(
    "--reason", default="", callback=arguments.parse_words, help="The reason; it is recorded."
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(context_settings={"max_content_width": 100})
def command() -> None:
    """List deployments; pause, resume, stop and close them.

    DEPLOYMENT is an id, the beginning of an id, or a name. `openlfr run CONFIG` drafts, authorises
    and starts the deployment of CONFIG. In the city-wide mode `openlfr records upgrade` does so.
    """


@command.command("list")
@config_option
@_json_option
def list_deployments(config: Path, as_json: bool) -> None:
    """List the recorded deployments, latest start first."""
    from openlfr import settings
    from openlfr.cli.due_erasure import open_records_after_erasure

    with open_records_after_erasure(settings.load(config)) as records:
        deployments = records.deployments.list()
    for each in deployments:
        say(json.dumps(_deployment_as_json(each)) if as_json else _format_line(each))
    if not deployments and not as_json:
        say("No deployment is recorded yet: openlfr run records one.")


@command.command("show")
@_deployment_argument
@config_option
@_json_option
def show(deployment: str, config: Path, as_json: bool) -> None:
    """Show the authorisation, acts and figures of a deployment.

    Each baseline has its own figures. A baseline is a period in which list, threshold, models,
    rules and camera inputs did not change.
    """
    from openlfr import settings
    from openlfr.cli.deployment_baselines import baselines_as_json, format_baselines
    from openlfr.cli.due_erasure import open_records_after_erasure
    from openlfr.operations.baseline_figures import figures_by_baseline

    with open_records_after_erasure(settings.load(config)) as records:
        recorded = records.deployments.find(deployment)
        acts = records.audit.all(object_kind="deployment", object_id=recorded.deployment_id)
        figures = figures_by_baseline(
            records.baselines,
            records.tallies,
            recorded.deployment_id,
            records.alerts.events_of_run(recorded.deployment_id, None),
        )
    if as_json:
        values = _deployment_as_json(recorded) | {"acts": [_act_as_json(each) for each in acts]}
        say(json.dumps(values | baselines_as_json(figures)))
        return
    say(_format_line(recorded))
    authorisation = recorded.authorisation
    for field, value in (
        ("purpose", authorisation.purpose),
        ("place", authorisation.place),
        ("legal basis", authorisation.legal_basis),
        ("authorised by", authorisation.authorised_by),
    ):
        say(f"  {field}: {value}")
    for each in acts:
        if each.kind == "baseline.opened":
            continue  # printed below with the baseline's figures
        person = each.by.name if each.by.is_authenticated else f"{each.by.name} (unauthenticated)"
        reason = f": {each.detail['reason']}" if each.detail.get("reason") else ""
        threshold = each.detail.get("threshold")
        at = f", threshold {threshold:.3f}" if isinstance(threshold, float) else ""
        say(f"  {_format_time(each.at)}  {each.kind}{at} by {person}{reason}")
    ends = [each.at for each in acts if each.kind in _ENDING_ACTS]
    has_ended = recorded.status in (DeploymentStatus.STOPPED, DeploymentStatus.CLOSED)
    for line in format_baselines(figures, ends[-1] if has_ended and ends else None):
        say(line)


def _add_status_command(name: str, help_text: str, *, done: str) -> None:
    """Add a command that calls the function with the same name in `operations.deployments`."""

    @command.command(name, help=help_text)
    @_deployment_argument
    @config_option
    @_by_option
    @_reason_option
    def change(deployment: str, config: Path, by: str, reason: str) -> None:
        from openlfr import settings
        from openlfr.cli.due_erasure import open_records_after_erasure
        from openlfr.operations import deployments

        operation: Callable[..., Deployment] = getattr(deployments, name)
        loaded = settings.load(config)
        with open_records_after_erasure(loaded) as records:
            changed = operation(
                deployment,
                reason,
                records=records,
                by=arguments.identify_person(by),
                at=datetime.now(UTC),
            )
        say(f"{done} {changed.name} ({changed.deployment_id})")
        say(_describe_effect(changed, is_city_wide=loaded.services.kafka is not None))


def _describe_effect(deployment: Deployment, *, is_city_wide: bool) -> str:
    """Return a text that states when the change takes effect and where it is visible."""
    if not is_city_wide:
        return "an active run applies the change within 2 seconds"
    effect = (
        "alerting publishes the change, and ingest and analysis apply it within 2 seconds. Their "
        "/health/ready and the metric openlfr_deployment show the state"
    )
    if deployment.status is DeploymentStatus.STARTED:
        return effect
    return (
        f"{effect}. Even if alerting is down, ingest stops filming and analysis stops matching "
        "within 30 seconds"
    )


_add_status_command(
    "pause", "Pause a deployment: no face is searched until it is resumed.", done="paused"
)
_add_status_command("resume", "Resume a paused or stopped deployment.", done="resumed")
_add_status_command("stop", "Stop a deployment. It can be resumed later.", done="stopped")
_add_status_command(
    "close", "End a deployment permanently; its control subjects expire.", done="closed"
)


def _format_line(deployment: Deployment) -> str:
    hours = deployment.authorisation
    return (
        f"{deployment.deployment_id}  {deployment.status}  {deployment.name}  "
        f"{_format_time(hours.starts)} to {_format_time(hours.ends)}  "
        f"revision {deployment.revision}"
        + (f"  ALTERED in the database: {deployment.alteration}" if deployment.alteration else "")
    )


def _deployment_as_json(deployment: Deployment) -> dict[str, object]:
    return {
        "deployment_id": deployment.deployment_id,
        "status": str(deployment.status),
        "revision": deployment.revision,
        "altered": deployment.alteration,
        **asdict(deployment.authorisation),
        "starts": deployment.authorisation.starts.isoformat(),
        "ends": deployment.authorisation.ends.isoformat(),
    }


def _act_as_json(act: RecordedAct) -> dict[str, object]:
    return {
        "at": act.at.isoformat(),
        "kind": act.kind,
        "by": {"issuer": act.by.issuer, "subject": act.by.subject, "name": act.by.name},
        **act.detail,
    }


def _format_time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
