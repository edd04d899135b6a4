"""The block `topics` of the configuration: replication, partitions and retention in Kafka."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from openlfr.adapters.kafka.topics import TRANSIT, Topic, plan_topics
from openlfr.domain.errors import Misconfigured
from openlfr.settings.values import Duration, Section


def _check_partitions(value: Any) -> Any:
    """Return the value unchanged, or raise ValueError if `plan_topics` does not permit it.

    Only whole numbers are accepted; pydantic would also accept "12" and True.
    """
    if isinstance(value, dict):
        for name, number in value.items():
            if not isinstance(number, int) or isinstance(number, bool):
                raise ValueError(f"has {number!r} for {name}, which is no whole number")  # noqa: TRY004
        try:
            plan_topics(partitions=value)
        except Misconfigured as error:
            raise ValueError(str(error).removeprefix("topics.partitions ").rstrip(".")) from None
    return value


class Topics(Section):
    """The topics of the city-wide mode."""

    replication: Annotated[int, Field(strict=True)] = Field(
        default=3, ge=1, le=9, title="Replication",
        description="Copies of each partition, at most one per broker; 1 for a single broker.",
    )  # fmt: skip
    partitions: Annotated[dict[str, int], BeforeValidator(_check_partitions)] = Field(
        default_factory=dict, title="Partitions",
        description="Numbers of partitions by topic that differ from the default.",
    )  # fmt: skip
    frames_transit: Duration = Field(
        default=TRANSIT, title="Frames in transit",
        description="Longest time for which a frame may exist on the brokers' disks.",
    )  # fmt: skip
    frames_retention: Duration | None = Field(
        default=None, title="Retention of frames",
        description="Retention of frames in Kafka, 30 s by default. If no frame may be lost in an"
        " outage (max_age: off), this time and frames_transit must both be longer than the outage.",
    )  # fmt: skip

    @property
    def plan(self) -> tuple[Topic, ...]:
        """All topics, with the configured replication, partitions and retention of frames."""
        return plan_topics(
            replication=self.replication,
            partitions=self.partitions,
            frames_retention=self.frames_retention,
        )
