"""A thread that reads the offsets of a worker's partitions from the brokers.

It has its own Kafka client. The worker's consumer is not suitable: a consumer that has stopped
without an error reports no waiting messages.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import structlog
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from openlfr.adapters.kafka.reachable import await_listener
from openlfr.domain.errors import OpenLFRError

if TYPE_CHECKING:
    from openlfr.adapters.faust.progress import Progress
    from openlfr.adapters.kafka.access import KafkaAccess

INTERVAL_S = 5.0

log = structlog.get_logger()


class LagWatch:
    """A thread that records the brokers' offsets in a worker's progress."""

    def __init__(
        self, kafka: KafkaAccess, progress: Progress, *, group: str, from_beginning: bool
    ) -> None:
        """Create the thread; `start` starts it.

        Args:
            kafka: Address and credentials of Kafka.
            progress: The worker's progress.
            group: Name of the worker's consumer group, whose committed offsets are read.
            from_beginning: Whether a partition without a committed offset begins at the oldest
                record instead of the newest.
        """
        self._kafka = kafka
        self._progress = progress
        self._group = group
        self._from_beginning = from_beginning
        self._thread = threading.Thread(target=self._watch, name="lag-watch", daemon=True)

    def start(self) -> None:
        """Start the thread; it runs until the process ends."""
        self._thread.start()

    def _watch(self) -> None:
        consumer: Any = None
        while True:
            time.sleep(INTERVAL_S)
            try:
                consumer = consumer or self._connect()
                self._record_offsets(consumer)
            except (KafkaError, OpenLFRError, OSError) as error:
                # An outage of the brokers is no fault of the worker, so its last known lag remains.
                log.warning("lag_unknown", why=f"{type(error).__name__}: {error}")
                _close(consumer)  # otherwise kafka-python leaks a socket
                consumer = None
            except Exception as error:
                log.warning("lag_unknown", why=f"{type(error).__name__}: {error}", exc_info=error)
                _close(consumer)
                consumer = None

    def _connect(self) -> Any:
        await_listener(self._kafka, time.monotonic())
        # The group is required for reading its committed offsets. This consumer never subscribes.
        return KafkaConsumer(
            **self._kafka.client_arguments(),
            group_id=self._group,
            client_id="openlfr-lag",
            enable_auto_commit=False,
        )

    def _record_offsets(self, consumer: Any) -> None:
        partitions = [TopicPartition(*each) for each in self._progress.partitions]
        if not partitions:
            return
        # Start offsets first: messages deleted between both calls then count as waiting. In the
        # other order more messages could count as deleted than existed.
        starts = consumer.beginning_offsets(partitions)
        ends = consumer.end_offsets(partitions)
        positions: dict[tuple[str, int], int] = {}
        default = starts if self._from_beginning else ends
        for name in self._progress.unpositioned():
            each = TopicPartition(*name)
            if each not in ends:
                continue  # assigned during this call; the next round reads its offset
            committed = consumer.committed(each)
            positions[name] = default[each] if committed is None else committed
        self._progress.record_offsets(
            {tuple(each): end for each, end in ends.items()},
            positions,
            {tuple(each): start for each, start in starts.items()},
        )


def _close(consumer: Any) -> None:
    if consumer is not None:
        consumer.close()
