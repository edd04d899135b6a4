"""Opens what only servers give: Kafka and its topics, leases and turns in Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import timedelta

    from openlfr.adapters.kafka.access import KafkaAccess
    from openlfr.adapters.kafka.topics import Topic
    from openlfr.adapters.redis.leader_election import LeaderElection
    from openlfr.adapters.redis.leases import CameraLeases
    from openlfr.settings import Settings
    from openlfr.settings.servers import Milvus


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


def require_topics(settings: Settings, used: Collection[Topic], *, wait: float = 30.0) -> None:
    """Refuse to start on topics that are not as they must be.

    Those of others are none of a service's business: it has no right to look at them. Nor at the
    brokers themselves: how long a frame may exist `openlfr topics apply` proves.

    Args:
        settings: Say how Kafka is reached, and how topics are to be.
        used: The topics that this service reads or writes.
        wait: Seconds until a broker has answered.

    Raises:
        Misconfigured: With a line for each difference.
        Unavailable: Kafka does not answer.
    """
    from datetime import timedelta

    from openlfr.adapters.kafka.admin import open_topics
    from openlfr.domain.errors import Misconfigured

    names = {topic.name for topic in used}
    wanted = [topic for topic in settings.topics.plan if topic.name in names]
    topics = open_topics(kafka_brokers(settings), timeout=timedelta(seconds=wait))
    try:
        found = topics.differences(wanted)
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

    from openlfr.adapters.redis.connection import connect
    from openlfr.adapters.redis.leases import CameraLeases

    url = require_redis(settings)
    return CameraLeases(connect(url), deployment, ttl=timedelta(seconds=6))


def open_leader_election(settings: Settings, job: str, *, ttl: timedelta) -> LeaderElection:
    """Which of several processes does a job: the configured Redis.

    Raises:
        Misconfigured: None is configured.
    """
    from openlfr.adapters.redis.connection import connect
    from openlfr.adapters.redis.leader_election import LeaderElection

    return LeaderElection(connect(require_redis(settings)), job, ttl=ttl)


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
