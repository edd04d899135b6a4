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

_ENDS = ("deployment.stopped", "deployment.closed")
_named = click.argument("deployment", metavar="DEPLOYMENT", callback=arguments.parse_words)
_by = click.option(
    "--by", required=True, metavar="NAME", callback=arguments.parse_person, help="Your name."
)
_reason = click.option(
    "--reason", default="", callback=arguments.parse_words, help="The reason; it is recorded."
)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")


@click.group(context_settings={"max_content_width": 100})
def command() -> None:
    """List deployments; pause, resume, stop and close them.

    DEPLOYMENT is an id, the beginning of an id, or a name. `openlfr run CONFIG` drafts, authorises
    and starts a deployment; city-wide `openlfr records upgrade` does.
    """


@command.command("list")
@config_option
@_json
def list_deployments(config: Path, as_json: bool) -> None:
    """List the recorded deployments, the latest start first."""
    from openlfr import settings
    from openlfr.cli.due_erasure import open_records_after_erasure

    with open_records_after_erasure(settings.load(config)) as records:
        found = records.deployments.list()
    for each in found:
        say(json.dumps(_plain(each)) if as_json else _line(each))
    if not found and not as_json:
        say("No deployment is recorded yet: openlfr run records one.")


@command.command("show")
@_named
@config_option
@_json
def show(deployment: str, config: Path, as_json: bool) -> None:
    """Show the authorisation, all acts with their persons, and the figures.

    Figures are given for each baseline: a period in which list, threshold, models, rules and
    camera inputs did not change.
    """
    from openlfr import settings
    from openlfr.cli import deployment_baselines as shown
    from openlfr.cli.due_erasure import open_records_after_erasure
    from openlfr.operations.baseline_figures import figures_by_baseline

    with open_records_after_erasure(settings.load(config)) as records:
        found = records.deployments.find(deployment)
        acts = records.audit.all(object_kind="deployment", object_id=found.deployment_id)
        figures = figures_by_baseline(
            records.baselines,
            records.tallies,
            found.deployment_id,
            records.alerts.events_of_run(found.deployment_id, None),
        )
    if as_json:
        acted = {"acts": [_act(each) for each in acts]}
        say(json.dumps(_plain(found) | acted | shown.as_json(figures)))
        return
    say(_line(found))
    given = found.authorisation
    for what, value in (
        ("purpose", given.purpose),
        ("place", given.place),
        ("legal basis", given.legal_basis),
        ("authorised by", given.authorised_by),
    ):
        say(f"  {what}: {value}")
    for each in acts:
        if each.kind == "baseline.opened":
            continue  # shown below with its figures
        who = each.by.name if each.by.authenticated else f"{each.by.name} (unauthenticated)"
        reason = f": {each.detail['reason']}" if each.detail.get("reason") else ""
        threshold = each.detail.get("threshold")
        at = f", threshold {threshold:.3f}" if isinstance(threshold, float) else ""
        say(f"  {_moment(each.at)}  {each.kind}{at} by {who}{reason}")
    ends = [each.at for each in acts if each.kind in _ENDS]
    over = found.status in (DeploymentStatus.STOPPED, DeploymentStatus.CLOSED)
    for line in shown.lines(figures, ends[-1] if over and ends else None):
        say(line)


def _changing(name: str, does: str, *, done: str) -> None:
    """Add a command that calls the operation of the same name."""

    @command.command(name, help=does)
    @_named
    @config_option
    @_by
    @_reason
    def change(deployment: str, config: Path, by: str, reason: str) -> None:
        from openlfr import settings
        from openlfr.cli.due_erasure import open_records_after_erasure
        from openlfr.operations import deployments

        operation: Callable[..., Deployment] = getattr(deployments, name)
        loaded = settings.load(config)
        with open_records_after_erasure(loaded) as records:
            moved = operation(
                deployment,
                reason,
                records=records,
                by=arguments.identify_person(by),
                at=datetime.now(UTC),
            )
        say(f"{done} {moved.name} ({moved.deployment_id})")
        say(_follows(moved, city=loaded.services.kafka is not None))


def _follows(deployment: Deployment, *, city: bool) -> str:
    """A sentence: when the change takes effect, and where to see it."""
    if not city:
        return "a run at work follows within 2 seconds"
    follows = (
        "ingest and analysis follow within 2 seconds, as alerting publishes it; their "
        "/health/ready and openlfr_deployment show it"
    )
    if deployment.status is DeploymentStatus.STARTED:
        return follows
    return f"{follows}. Where alerting does not run, they stop by themselves within 30 seconds"


_changing("pause", "Search no face until the deployment is resumed.", done="paused")
_changing("resume", "Search faces again, after a pause or a stop.", done="resumed")
_changing("stop", "Stop a deployment; it may be started again.", done="stopped")
_changing("close", "End a deployment for good.", done="closed")


def _line(deployment: Deployment) -> str:
    given = deployment.authorisation
    return (
        f"{deployment.deployment_id}  {deployment.status}  {deployment.name}  "
        f"{_moment(given.starts)} to {_moment(given.ends)}  revision {deployment.revision}"
        + (f"  ALTERED in the database: {deployment.altered}" if deployment.altered else "")
    )


def _plain(deployment: Deployment) -> dict[str, object]:
    given = asdict(deployment.authorisation)
    return {
        "deployment_id": deployment.deployment_id,
        "status": str(deployment.status),
        "revision": deployment.revision,
        "altered": deployment.altered,
        **given,
        "starts": deployment.authorisation.starts.isoformat(),
        "ends": deployment.authorisation.ends.isoformat(),
    }


def _act(act: RecordedAct) -> dict[str, object]:
    return {
        "at": act.at.isoformat(),
        "kind": act.kind,
        "by": {"issuer": act.by.issuer, "subject": act.by.subject, "name": act.by.name},
        **act.detail,
    }


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
