"""`openlfr records`: upgrade the records' database, and confirm the clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from openlfr.cli import arguments, config_option
from openlfr.terminal import say

if TYPE_CHECKING:
    from pathlib import Path


@click.group(name="records")
def command() -> None:
    """Upgrade the records' database, and confirm the clock."""


@command.command("confirm-clock")
@config_option
@click.option(
    "--by", required=True, metavar="NAME", callback=arguments.parse_person, help="Your name."
)
@click.option(
    "--reason", required=True, callback=arguments.parse_words, help="The reason; it is recorded."
)
def confirm_clock(config: Path, by: str, reason: str) -> None:
    """Confirm that this machine's clock is right.

    The confirmation is needed if recorded acts have later dates than the clock. Entries that have
    expired by the date of such an act, but not by the clock, are neither searched for nor erased.
    After the confirmation they are searched for again, and the later dates are ignored.
    """
    from openlfr import bootstrap, settings
    from openlfr.operations.clock import confirm

    with bootstrap.open_records(settings.load(config)) as records:
        now = datetime.now(UTC)
        ahead, resumed = confirm(reason, records=records, by=arguments.identify_person(by), at=now)
    dated = f"{ahead.at:%Y-%m-%d %H:%M} UTC"
    say(f"The clock is confirmed. The date of {ahead.kind} ({dated}) is ignored from now on.")
    say(f"{len(resumed)} entries are searched again.")


@command.command()
@config_option
def upgrade(config: Path) -> None:
    """Upgrade the database to the schema of this version.

    Only this command changes the schema of services.sql. Run it once before the services of a new
    version start. Records in the data folder are upgraded by any command. PostgreSQL roles other
    than the owner (openlfr rights sql) get the rights that this version needs.

    The command also records the configuration's deployment. A new deployment is drafted,
    authorised and started. Another place or other hours are a revision. A paused or stopped
    deployment stays paused or stopped.
    """
    from openlfr import bootstrap, settings
    from openlfr.operations.deployments import register_and_start

    loaded = settings.load(config)
    before, after, roles = bootstrap.upgrade_records(loaded)
    if before is None:
        say(f"The records are created, with schema {after}.")
    elif before == after:
        say(f"The records have schema {after} already.")
    else:
        say(f"The records were upgraded from schema {before} to {after}.")
    is_city_wide = loaded.services.kafka is not None or loaded.services.sql is not None
    if is_city_wide and loaded.deployment is not None:
        with bootstrap.open_records(loaded) as records:
            deployment = register_and_start(
                loaded.deployment,
                records=records,
                by=arguments.identify_person(),
                at=datetime.now(UTC),
            )
        identity = f"{deployment.name} ({deployment.deployment_id})"
        say(f"The deployment {identity} is {deployment.status}.")
    if roles:
        say(f"{' and '.join(roles)} have the rights that this version needs.")
