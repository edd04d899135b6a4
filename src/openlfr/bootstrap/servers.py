"""Opens Kafka and its topics, camera leases and leader elections, all on servers."""

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


def require_kafka(settings: Settings) -> KafkaAccess:
    """Return addresses and login of Kafka.

    Raises:
        Misconfigured: No Kafka is configured, or a secret's file cannot be read.
    """
    from openlfr.domain.errors import Misconfigured

    if settings.services.kafka is None:
        raise Misconfigured(
            f"{settings.path} names no Kafka: a service needs services.kafka, such as "
            "kafka://broker-1:9092."
        )
    return settings.services.kafka.access


def require_topics(settings: Settings, used: Collection[Topic], *, wait: float = 30.0) -> None:
    """Check that the topics of a service match the settings.

    Only the service's own topics are checked, since a service has no right to describe other topics
    or the brokers. `openlfr topics apply` checks how long a frame may exist on the brokers.

    Args:
        settings: The configuration of Kafka and its topics.
        used: The topics that this service reads or writes.
        wait: Seconds to wait for a broker's answer.

    Raises:
        Misconfigured: No Kafka is configured, or topics differ from the settings; then the message
            has a line for each difference.
        Unavailable: Kafka does not answer.
    """
    from datetime import timedelta

    from openlfr.adapters.kafka.admin import open_topics
    from openlfr.domain.errors import Misconfigured

    names = {topic.name for topic in used}
    wanted = [topic for topic in settings.topics.plan if topic.name in names]
    topics = open_topics(require_kafka(settings), timeout=timedelta(seconds=wait))
    try:
        found = topics.find_differences(wanted)
    finally:
        topics.close()
    if found:
        lines = "\n".join(f"  {each.line}" for each in found)
        raise Misconfigured(
            f"The topics on Kafka are not as they must be (openlfr topics apply):\n{lines}"
        )


def open_leases(settings: Settings, deployment: str) -> CameraLeases:
    """Open the leases of cameras in the configured Redis.

    Raises:
        Misconfigured: No Redis is configured.
    """
    from datetime import timedelta

    from openlfr.adapters.redis.connection import connect
    from openlfr.adapters.redis.leases import CameraLeases

    url = require_redis(settings)
    return CameraLeases(connect(url), deployment, ttl=timedelta(seconds=6))


def open_leader_election(settings: Settings, job: str, *, ttl: timedelta) -> LeaderElection:
    """Open the leader election for a job, in the configured Redis.

    Raises:
        Misconfigured: No Redis is configured.
    """
    from openlfr.adapters.redis.connection import connect
    from openlfr.adapters.redis.leader_election import LeaderElection

    return LeaderElection(connect(require_redis(settings)), job, ttl=ttl)


def require_milvus(settings: Settings) -> Milvus:
    """Return the configured Milvus server; services cannot share Milvus Lite.

    Raises:
        Misconfigured: No Milvus server is configured.
    """
    from openlfr.domain.errors import Misconfigured

    if settings.services.milvus is None:
        raise Misconfigured(
            f"{settings.path} names no Milvus: a service needs services.milvus, such as "
            "http://host:19530."
        )
    return settings.services.milvus


def require_redis(settings: Settings) -> str:
    """Return the address of the Redis that services share; the address contains the password.

    Raises:
        Misconfigured: No Redis is configured, or its password's file cannot be read.
    """
    from openlfr.domain.errors import Misconfigured

    if not settings.services.redis:
        raise Misconfigured(
            f"{settings.path} names no Redis: a service needs services.redis, such as "
            "redis://host:6379/0."
        )
    return settings.services.redis.address
