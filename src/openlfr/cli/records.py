"""`openlfr records`: upgrade the database of the records."""

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
    """Maintain the database of the records."""


@command.command("confirm-clock")
@config_option
@click.option(
    "--by", required=True, metavar="NAME", callback=arguments.parse_person, help="Who confirms it."
)
@click.option("--reason", required=True, callback=arguments.parse_words, help="Why; recorded.")
def confirm_clock(config: Path, by: str, reason: str) -> None:
    """Say that this machine's clock is right, where acts are dated ahead of it.

    Until then entries that have expired by such an act, and not by the clock, are neither searched
    nor erased. Afterwards they are searched again, and those acts say nothing of how late it is.
    """
    from openlfr import bootstrap, settings
    from openlfr.operations.clock import confirm

    with bootstrap.open_records(settings.load(config)) as records:
        now = datetime.now(UTC)
        ahead, again = confirm(reason, records=records, by=arguments.identify_person(by), at=now)
    dated = f"{ahead.at:%Y-%m-%d %H:%M} UTC"
    say(f"The date of {ahead.kind} ({dated}) counts no longer: the clock is right.")
    say(f"{len(again)} entries are searched again.")


@command.command()
@config_option
def upgrade(config: Path) -> None:
    """Upgrade the database to the schema of this version.

    Only this command changes the schema of services.sql: run it once before the services of a new
    version start. It also records the configuration's deployment: a new one is drafted, authorised
    and started; another place or other hours are a revision; a paused or stopped one stays so. Any
    command upgrades records in the data folder. PostgreSQL roles other than the owner (openlfr
    rights sql) get the rights that this version needs.
    """
    from openlfr import bootstrap, settings
    from openlfr.operations.deployments import register_and_start

    loaded = settings.load(config)
    before, now, roles = bootstrap.upgrade_records(loaded)
    if before is None:
        say(f"The records are created, with schema {now}.")
    elif before == now:
        say(f"The records have schema {now} already.")
    else:
        say(f"The records were upgraded from schema {before} to {now}.")
    in_a_city = loaded.services.kafka is not None or loaded.services.sql is not None
    if in_a_city and loaded.deployment is not None:
        with bootstrap.open_records(loaded) as records:
            known = register_and_start(
                loaded.deployment,
                records=records,
                by=arguments.identify_person(),
                at=datetime.now(UTC),
            )
        say(f"The deployment {known.name} ({known.deployment_id}) is {known.status}.")
    if roles:
        say(f"The rights of {' and '.join(roles)} are as this version needs them.")
