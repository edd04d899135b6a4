"""How Kafka keeps our topics, in an installation's own numbers."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from openlfr.adapters.kafka.topics import TRANSIT, Topic, plan
from openlfr.domain.errors import Misconfigured
from openlfr.settings.values import Duration, Section


def _partitions(value: Any) -> Any:
    """Whole numbers (pydantic would take "12" and True as well) that the plan accepts."""
    if isinstance(value, dict):
        for name, number in value.items():
            if not isinstance(number, int) or isinstance(number, bool):
                raise ValueError(f"gives {name} {number!r}, which is no whole number")  # noqa: TRY004
        try:
            plan(partitions=value)
        except Misconfigured as error:
            raise ValueError(str(error).removeprefix("topics.partitions ").rstrip(".")) from None
    return value


class Topics(Section):
    """The topics of the city-wide mode."""

    replication: Annotated[int, Field(strict=True)] = Field(
        default=3, ge=1, le=9, title="Replication",
        description="Copies of each partition, at most one a broker; 1 where there is one broker.",
    )  # fmt: skip
    partitions: Annotated[dict[str, int], BeforeValidator(_partitions)] = Field(
        default_factory=dict, title="Partitions",
        description="Other numbers of partitions than the standard ones, by topic.",
    )  # fmt: skip
    frames_transit: Duration = Field(
        default=TRANSIT, title="Frames in transit",
        description="How long a frame may exist on the brokers' disks.",
    )  # fmt: skip

    frames_retention: Duration | None = Field(
        default=None, title="Retention of frames",
        description="How long Kafka keeps frames, 30 s by default. Where no frame may be lost in an"
        " outage (max_age: off) it must be longer than the outage, and frames_transit with it.",
    )  # fmt: skip

    @property
    def plan(self) -> tuple[Topic, ...]:
        """The topics as they must be."""
        return plan(
            replication=self.replication,
            partitions=self.partitions,
            frames_retention=self.frames_retention,
        )
