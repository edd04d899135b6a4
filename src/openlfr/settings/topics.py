"""The block `topics` of the configuration: replication, partitions and retention in Kafka."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from openlfr.adapters.kafka.topics import TRANSIT, Topic, plan_topics
from openlfr.domain.errors import Misconfigured
from openlfr.settings.values import Duration, Section


def _partitions(value: Any) -> Any:
    """Accept only whole numbers that the plan allows; pydantic would accept "12" and True too."""
    if isinstance(value, dict):
        for name, number in value.items():
            if not isinstance(number, int) or isinstance(number, bool):
                raise ValueError(f"gives {name} {number!r}, which is no whole number")  # noqa: TRY004
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
    partitions: Annotated[dict[str, int], BeforeValidator(_partitions)] = Field(
        default_factory=dict, title="Partitions",
        description="Number of partitions by topic, where it differs from the standard.",
    )  # fmt: skip
    frames_transit: Duration = Field(
        default=TRANSIT, title="Frames in transit",
        description="How long a frame may exist on the brokers' disks.",
    )  # fmt: skip
    frames_retention: Duration | None = Field(
        default=None, title="Retention of frames",
        description="How long Kafka keeps frames, 30 s by default. If no frame may be lost in an"
        " outage (max_age: off), it and frames_transit must be longer than the outage.",
    )  # fmt: skip

    @property
    def plan(self) -> tuple[Topic, ...]:
        """The topics with the configured numbers."""
        return plan_topics(
            replication=self.replication,
            partitions=self.partitions,
            frames_retention=self.frames_retention,
        )
