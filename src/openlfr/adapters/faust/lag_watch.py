"""Asks the brokers now and then what waits in a worker's partitions, by a client of its own.

The worker's own consumer cannot be asked: where it has died quietly it believes that all is read.
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
    """Keeps a worker's progress told of what waits, in a thread of its own."""

    def __init__(
        self, kafka: KafkaAccess, progress: Progress, *, group: str, from_beginning: bool
    ) -> None:
        """Prepare.

        Args:
            kafka: How Kafka is reached.
            progress: Of the worker.
            group: Whose committed offsets say where a partition begins.
            from_beginning: Where it begins without one: at the oldest record, or at the newest.
        """
        self._kafka = kafka
        self._progress = progress
        self._group = group
        self._from_beginning = from_beginning
        self._thread = threading.Thread(target=self._watch, name="lag-watch", daemon=True)

    def start(self) -> None:
        """Ask from now on, for as long as the process lives."""
        self._thread.start()

    def _watch(self) -> None:
        consumer: Any = None
        while True:
            time.sleep(INTERVAL_S)
            try:
                consumer = consumer or self._connect()
                self._ask(consumer)
            except (KafkaError, OpenLFRError, OSError) as error:
                # Brokers that are away are no fault of this worker: nothing new is known.
                log.warning("lag_unknown", why=f"{type(error).__name__}: {error}")
                _close(consumer)  # kafka-python would leak a socket for each refusal
                consumer = None
            except Exception as error:
                log.warning("lag_unknown", why=f"{type(error).__name__}: {error}", exc_info=error)
                _close(consumer)
                consumer = None

    def _connect(self) -> Any:
        await_listener(self._kafka, time.monotonic())
        # In a group only to read what it has committed: it never subscribes.
        return KafkaConsumer(
            **self._kafka.client_arguments(),
            group_id=self._group,
            client_id="openlfr-lag",
            enable_auto_commit=False,
        )

    def _ask(self, consumer: Any) -> None:
        partitions = [TopicPartition(*each) for each in self._progress.partitions]
        if not partitions:
            return
        # The oldest first: what is deleted between both answers still counts as waiting, never the
        # other way round.
        starts = consumer.beginning_offsets(partitions)
        ends = consumer.end_offsets(partitions)
        positions: dict[tuple[str, int], int] = {}
        first = starts if self._from_beginning else ends
        for name in self._progress.unpositioned():
            each = TopicPartition(*name)
            if each not in ends:
                continue  # it came with a balance in this moment; the next look knows it
            committed = consumer.committed(each)
            positions[name] = first[each] if committed is None else committed
        self._progress.record_offsets(
            {tuple(each): end for each, end in ends.items()},
            positions,
            {tuple(each): start for each, start in starts.items()},
        )


def _close(consumer: Any) -> None:
    if consumer is not None:
        consumer.close()
