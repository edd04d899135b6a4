"""Reads the records of the topics with their times, by consumers without a group.

The broker stamps each record on arrival (`LogAppendTime`, milliseconds), by the same clock as the
cameras' log of sent frames. So each leg of a frame's way is the difference of two times.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from openlfr.adapters.kafka.topics import ALERTS, FRAMES, SIGHTINGS, TALLIES
from openlfr.simulate import frame_number
from openlfr.wire import codec

if TYPE_CHECKING:
    from collections.abc import Callable

    from openlfr.domain.alerts import AlertEvent
    from openlfr.domain.sightings import Sighting

_EIGHTH = 1 / 8


@dataclass(frozen=True, slots=True)
class FrameSeen:
    """A frame on frames.v1. Times are seconds since 1970.

    Attributes:
        number: The number in the picture; None if unreadable.
        captured: Capture time by ingest.
        appended: Time of arrival at the broker.
        size: Size of the record's value, bytes.
    """

    number: int | None
    captured: float
    appended: float
    size: int


@dataclass(frozen=True, slots=True)
class SightingSeen:
    """A sighting on sightings.v1, and its time of arrival at the broker."""

    sighting: Sighting
    appended: float


@dataclass(frozen=True, slots=True)
class AlertSeen:
    """An event on alerts.v1, with its arrival at the broker and at a consumer."""

    event: AlertEvent
    appended: float
    received: float


class Taps:
    """Reads new frames, sightings, alerts and tallies, each topic in a thread.

    Attributes:
        frames: By camera, epoch and seq.
        sightings, alerts: By sighting_id.
        dropped_late, analysed: Numbers of frames in the tallies.
    """

    def __init__(self, broker: str) -> None:
        self.frames: dict[tuple[str, int, int], FrameSeen] = {}
        self.sightings: dict[str, SightingSeen] = {}
        self.alerts: dict[str, AlertSeen] = {}
        self.dropped_late = self.analysed = 0
        self.ended: list[str] = []
        self._broker = broker
        self._stop = threading.Event()
        takers: dict[str, Callable[[Any], None]] = {
            FRAMES.name: self._frame,
            SIGHTINGS.name: self._sighting,
            ALERTS.name: self._alert,
            TALLIES.name: self._tally,
        }
        self._threads = [
            threading.Thread(target=self._follow, args=each, name=f"tap-{each[0]}", daemon=True)
            for each in takers.items()
        ]
        self._ready = threading.Semaphore(0)
        for thread in self._threads:
            thread.start()
        for _ in self._threads:
            if not self._ready.acquire(timeout=60):
                raise RuntimeError(f"the topics cannot be followed: {self.ended}")

    def close(self) -> None:
        """Stop reading."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _follow(self, topic: str, take: Callable[[Any], None]) -> None:
        consumer = KafkaConsumer(
            bootstrap_servers=self._broker, group_id=None, max_partition_fetch_bytes=4 << 20
        )
        try:
            partitions = [TopicPartition(topic, n) for n in consumer.partitions_for_topic(topic)]
            consumer.assign(partitions)
            consumer.seek_to_end(*partitions)
            for partition in partitions:
                consumer.position(partition)
            self._ready.release()
            while not self._stop.is_set():
                for records in consumer.poll(timeout_ms=200).values():
                    for record in records:
                        take(record)
        except Exception as error:  # noqa: BLE001 - a thread's edge: reported at the end
            self.ended.append(f"{topic}: {type(error).__name__}: {error}")
        finally:
            consumer.close()

    def _frame(self, record: Any) -> None:
        frame = codec.decode_frame(record.value)
        if not frame.jpeg:
            return
        # JPEG decodes an eighth of the size without its cosines; a cell is then one pixel.
        small = cv2.imdecode(np.frombuffer(frame.jpeg, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8)
        number = None
        if small is not None:
            number = frame_number.read_number(np.asarray(small, np.uint8), scale=_EIGHTH)
        self.frames[frame.camera, frame.epoch, frame.seq] = FrameSeen(
            number, frame.captured_at.timestamp(), record.timestamp / 1000, len(record.value)
        )

    def _sighting(self, record: Any) -> None:
        sighting, _ = codec.decode_sighting(record.value)
        self.sightings.setdefault(
            sighting.sighting_id, SightingSeen(sighting, record.timestamp / 1000)
        )

    def _alert(self, record: Any) -> None:
        received = time.time()
        event, *_ = codec.decode_alert(record.value)
        self.alerts.setdefault(
            event.sighting.sighting_id, AlertSeen(event, record.timestamp / 1000, received)
        )

    def _tally(self, record: Any) -> None:
        tally = codec.decode_tally(record.value)
        self.dropped_late += tally.frames_dropped_late
        self.analysed += tally.frames_analysed


class Lag:
    """The lag of a group on a topic."""

    def __init__(self, broker: str, group: str, topic: str = FRAMES.name) -> None:
        self._admin = KafkaAdminClient(bootstrap_servers=broker)
        self._consumer = KafkaConsumer(bootstrap_servers=broker, group_id=None)
        self._group, self._topic = group, topic

    def committed(self) -> int:
        """Return the sum of the group's acknowledged offsets."""
        offsets: Any = self._admin.list_group_offsets([self._group])
        of = offsets.get(self._group, offsets)
        return sum(max(0, int(o.offset)) for p, o in of.items() if p.topic == self._topic)

    def now(self) -> int:
        """Return the number of unacknowledged records on the topic."""
        offsets: Any = self._admin.list_group_offsets([self._group])
        of = offsets.get(self._group, offsets)
        done = {p: int(o.offset) for p, o in of.items() if p.topic == self._topic}
        partitions = [
            TopicPartition(self._topic, n)
            for n in self._consumer.partitions_for_topic(self._topic) or ()
        ]
        ends = self._consumer.end_offsets(partitions)
        return sum(end - done[p] for p, end in ends.items() if done.get(p, -1) >= 0)

    def close(self) -> None:
        """Close the connections."""
        self._admin.close()
        self._consumer.close()


def moment(text: str) -> float:
    """Parse ISO 8601 into seconds since 1970."""
    return datetime.fromisoformat(text).timestamp()
