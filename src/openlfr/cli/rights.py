"""`openlfr rights`: print users and rights for Kafka, Redis and PostgreSQL.

Each service gets only the rights that it uses. The command changes nothing itself: an
administrator of the server reads and runs the printed commands.
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
    help="Folder with a file for each user. The file's name is the user, its first line the"
    " password. Only the hash that the server stores is printed.",
)


@click.group(name="rights")
def command() -> None:
    """Print commands that grant users their rights on Kafka, Redis and PostgreSQL.

    An administrator of the server runs the printed commands. In Kubernetes the chart creates
    Kafka's users itself if Strimzi runs Kafka.
    """


@command.command()
@click.option(
    "--principal",
    default=_PRINCIPAL,
    show_default=True,
    help="Kafka principal. {} becomes ingest, analysis, alerting, operator, topics or scaler.",
)
@click.option(
    "--groups",
    default="openlfr-",
    show_default=True,
    help="Prefix of the consumer groups (OPENLFR_GROUP), before the name of the service.",
)
def kafka(principal: str, groups: str) -> None:
    """Print a shell script that grants each Kafka user its rights.

    The script passes its own arguments on to kafka-acls.sh (or the program in KAFKA_ACLS). Run it
    by `sh -s -- --bootstrap-server HOST:PORT --command-config admin.properties`.
    """
    from openlfr.adapters.kafka.rights import acl_commands, rights_by_user
    from openlfr.domain.errors import BadInput

    if "{}" not in principal:
        raise BadInput(f"--principal must contain {{}} for the user's name, such as {_PRINCIPAL}.")
    users = {name: principal.replace("{}", name) for name in rights_by_user(groups)}
    say("set -eu")
    for words in acl_commands(users, groups=groups):
        say(f'"${{KAFKA_ACLS:-kafka-acls.sh}}" "$@" {words}')


@command.command()
@_passwords_option
def redis(folder: Path | None) -> None:
    """Print the users as lines of Redis' ACL file.

    Redis' configuration names the file (aclfile). A user without a password cannot log in. The
    default user is disabled (`user default off`).
    """
    from openlfr.adapters.redis.rights import USERS, acl_lines

    for line in acl_lines(_passwords(folder, USERS)):
        say(line)


@command.command()
@click.option("--owner", default="openlfr", show_default=True, help="Role that owns the records.")
@click.option("--database", default="openlfr", show_default=True, help="Database to create.")
@_passwords_option
def sql(owner: str, database: str, folder: Path | None) -> None:
    """Print SQL for psql that creates the roles and the database.

    Then run `openlfr records upgrade` as the owner, now and with each new version. It creates the
    tables and grants the other roles their rights.
    """
    from openlfr import bootstrap

    passwords = _passwords(folder, bootstrap.list_sql_roles())
    for statement in bootstrap.list_sql_statements(owner, database, passwords):
        say(statement)


@command.command("control-key")
@click.argument("vault_key", type=click.File("r", encoding="ascii", errors="replace"))
def control_key(vault_key: TextIO) -> None:
    """Print the key of control.v1, derived from a vault's key.

    VAULT_KEY is the file with the vault's key (- reads stdin).

    Ingest uses the key to read the deployment's state and to sign its tallies. The key decrypts no
    picture, and the vault's key cannot be derived from it. Store it in a separate file
    (OPENLFR_CONTROL_KEY_FILE).
    """
    from openlfr import bootstrap
    from openlfr.domain.errors import BadInput

    try:
        line = bootstrap.derive_control_key(vault_key.read(4096))
    except BadInput:
        raise BadInput(f"{vault_key.name} is not a vault's key (vault.key).") from None
    say(line)


def _passwords(folder: Path | None, users: Iterable[str]) -> dict[str, str | None]:
    from openlfr.settings.servers import read_secret

    if folder is None:
        return dict.fromkeys(users)
    return {name: read_secret(folder / name, "--passwords") for name in users}
