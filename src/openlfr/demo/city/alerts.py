"""Reads alerts.v1 like any consumer, and writes a line for each event."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from openlfr.adapters.kafka.topics import ALERTS
from openlfr.embedded.lines import alert_line
from openlfr.wire import codec

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from openlfr.adapters.kafka.access import KafkaAccess
    from openlfr.domain.alerts import AlertEvent

_RETRY_S = 1.0


class AlertFollower:
    """Reads alerts.v1 from its beginning, in a thread; repeated events are ignored.

    Attributes:
        events: Events and the times at which they were emitted, in the order of arrival.
        by_camera: Number of events by camera and kind.
    """

    def __init__(self, access: KafkaAccess, lines: Path) -> None:
        """Start the thread, which writes JSON lines to `lines` like `openlfr run --alerts`."""
        self.events: list[tuple[AlertEvent, datetime]] = []
        self.by_camera: Counter[tuple[str, str]] = Counter()
        self._event_ids: set[str] = set()
        self._access = access
        self._lines = lines.open("w", encoding="utf-8")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the thread and close the file."""
        self._stop.set()
        self._thread.join()
        self._lines.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._read()
            except (KafkaError, OSError):
                time.sleep(_RETRY_S)

    def _read(self) -> None:
        consumer = KafkaConsumer(
            **self._access.client_arguments(), group_id=None, enable_auto_commit=False
        )
        with closing(consumer):
            parts = [
                TopicPartition(ALERTS.name, number)
                for number in consumer.partitions_for_topic(ALERTS.name) or ()
            ]
            consumer.assign(parts)
            consumer.seek_to_beginning(*parts)
            while not self._stop.is_set():
                for records in consumer.poll(timeout_ms=200).values():
                    for record in records:
                        self._record(record.value)

    def _record(self, value: bytes) -> None:
        event, emitted_at, _ = codec.decode_alert(value)
        if event.event_id in self._event_ids:
            return
        self._event_ids.add(event.event_id)
        self.by_camera[event.sighting.camera, str(event.event)] += 1
        self.events.append((event, emitted_at))
        self._lines.write(json.dumps(alert_line(event, emitted_at), ensure_ascii=False) + "\n")
        self._lines.flush()
