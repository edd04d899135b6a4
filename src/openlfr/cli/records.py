"""`openlfr records`: the database in which everything is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from openlfr.cli import config_option
from openlfr.terminal import say

if TYPE_CHECKING:
    from pathlib import Path


@click.group(name="records")
def command() -> None:
    """Look after the records' database."""


@command.command()
@config_option
def upgrade(config: Path) -> None:
    """Bring the database to the schema of this version.

    The database of services.sql is changed by this alone: run it once before the services of a
    new version start. Records in the data folder are brought up to date by any command. Roles of
    PostgreSQL beside the owner's (openlfr rights sql) are given what this version needs.
    """
    from openlfr import bootstrap, settings

    before, now, roles = bootstrap.upgrade_records(settings.load(config))
    if before is None:
        say(f"The records are made, with schema {now}.")
    elif before == now:
        say(f"The records have schema {now} already.")
    else:
        say(f"The records went from schema {before} to {now}.")
    if roles:
        say(f"The rights of {' and '.join(roles)} are as this version needs them.")
