"""`openlfr rights`: users of Kafka, Redis and PostgreSQL, as these servers take them.

Each service is given what it uses and no more. What is printed is for an administrator of that
server to read, and then to run; nothing is changed here.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from openlfr.terminal import say

if TYPE_CHECKING:
    from collections.abc import Iterable

_PRINCIPAL = "User:openlfr-{}"

_passwords_option = click.option(
    "--passwords",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder with a file for each user, named like it, whose first line is the password."
    " Only what a server proves it by is printed.",
)


@click.group(name="rights")
def command() -> None:
    """Print who may do what on Kafka, Redis and PostgreSQL, for their administrators to run.

    And the key that a service gets of its own.

    In Kubernetes the chart makes Kafka's users itself where Strimzi runs Kafka.
    """


@command.command()
@click.option(
    "--principal",
    default=_PRINCIPAL,
    show_default=True,
    help="What Kafka calls a user; {} is ingest, analysis, alerting, operator, topics or scaler.",
)
@click.option(
    "--groups",
    default="openlfr-",
    show_default=True,
    help="What consumer groups begin with; each is named for its service (OPENLFR_GROUP).",
)
def kafka(principal: str, groups: str) -> None:
    """Print a shell script that gives each user its rights.

    It calls kafka-acls.sh (or what KAFKA_ACLS names) with its own arguments first: run it by
    `sh -s -- --bootstrap-server HOST:PORT --command-config admin.properties`.
    """
    from openlfr.adapters.kafka.rights import acl_commands, rights
    from openlfr.domain.errors import BadInput

    if "{}" not in principal:
        raise BadInput(f"--principal must hold {{}} where the user's name stands: {_PRINCIPAL}.")
    users = {name: principal.replace("{}", name) for name in rights(groups)}
    say("set -eu")
    for words in acl_commands(users, groups=groups):
        say(f'"${{KAFKA_ACLS:-kafka-acls.sh}}" "$@" {words}')


@command.command()
@_passwords_option
def redis(folder: Path | None) -> None:
    """Print users as lines of Redis' ACL file (aclfile in its configuration).

    A user without a password cannot log in. The last resort is closed too: nobody gets in without
    a name (`user default off`).
    """
    from openlfr.adapters.redis.rights import USERS, acl_lines

    for line in acl_lines(_passwords(folder, USERS)):
        say(line)


@command.command()
@click.option("--owner", default="openlfr", show_default=True, help="Role that owns the records.")
@click.option("--database", default="openlfr", show_default=True, help="Database to be made.")
@_passwords_option
def sql(owner: str, database: str, folder: Path | None) -> None:
    """Print SQL that makes the roles and a database of their own, for psql.

    The owner then runs `openlfr records upgrade`, which makes the tables and says what the other
    roles may do with them, now and with each new version.
    """
    from openlfr import bootstrap

    passwords = _passwords(folder, bootstrap.sql_roles())
    for statement in bootstrap.sql_statements(owner, database, passwords):
        say(statement)


@command.command("control-key")
@click.argument("vault_key", type=click.File("r", encoding="ascii", errors="replace"))
def control_key(vault_key: TextIO) -> None:
    """Print the key of control.v1, made of the file VAULT_KEY (vault.key; - reads it).

    It is for ingest, which reads there how the deployment stands, signs its tallies and opens no
    picture: this key says nothing of the vault's. Keep it as a file of its own
    (OPENLFR_CONTROL_KEY_FILE).
    """
    from openlfr import bootstrap
    from openlfr.domain.errors import BadInput

    try:
        line = bootstrap.control_key_of(vault_key.read(4096))
    except BadInput:
        raise BadInput(f"{vault_key.name} is no key of a vault (vault.key).") from None
    say(line)


def _passwords(folder: Path | None, users: Iterable[str]) -> dict[str, str | None]:
    from openlfr.settings.servers import read_secret

    if folder is None:
        return dict.fromkeys(users)
    return {name: read_secret(folder / name, "--passwords") for name in users}
