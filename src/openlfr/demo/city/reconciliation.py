"""Compares published sightings with recorded events, and sent frames with analysed frames.

Sightings and events are counted in the topics, from beginning to end, and in the rows of the
records. The services' own counters are not used.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kafka import KafkaConsumer, TopicPartition

from openlfr.adapters.kafka.topics import ALERTS, DEAD_LETTERS, SIGHTINGS
from openlfr.wire import codec

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from openlfr.adapters.kafka.access import KafkaAccess
    from openlfr.domain.alert_records import RecordedEvent
    from openlfr.domain.tallies import CameraTotals


@dataclass(frozen=True, slots=True)
class SightingTotals:
    """Number of sightings on sightings.v1, on alerts.v1 and in the records.

    Attributes:
        published: Distinct sightings on sightings.v1.
        repeated: Repetitions on sightings.v1, since a restarted worker analyses frames again.
        recorded: Sightings with an event in the records.
        lost: Published sightings without an event in the records.
        doubled: Sightings with more than one event, in the records or on alerts.v1.
        unpublished: Recorded sightings that are not on sightings.v1.
        untold: Recorded sightings without an event on alerts.v1.
        dead_letters: Messages on dead-letters.v1.
    """

    published: int
    repeated: int
    recorded: int
    lost: int
    doubled: int
    unpublished: int
    untold: int
    dead_letters: int

    @property
    def is_clean(self) -> bool:
        """Whether each sighting has exactly one event, and there are no dead letters."""
        errors = self.lost, self.doubled, self.unpublished, self.untold, self.dead_letters
        return not any(errors)


def reconcile(
    published: Iterable[str],
    alerted: Iterable[tuple[str, str]],
    recorded: Iterable[tuple[str, str]],
    dead_letters: int = 0,
) -> SightingTotals:
    """Compare the sightings on both topics with the sightings in the records.

    Args:
        published: The sighting_id of each record of sightings.v1.
        alerted: (sighting_id, event_id) of each record of alerts.v1.
        recorded: (sighting_id, event_id) of each row of the records.
        dead_letters: Number of records of dead-letters.v1.
    """
    times = Counter(published)
    on_topic = _group_events(alerted)
    rows = Counter(sighting_id for sighting_id, _ in recorded)
    doubled = {each for each, events in on_topic.items() if len(events) > 1}
    doubled |= {each for each, number in rows.items() if number > 1}
    return SightingTotals(
        published=len(times),
        repeated=times.total() - len(times),
        recorded=len(rows),
        lost=len(times.keys() - rows.keys()),
        doubled=len(doubled),
        unpublished=len(rows.keys() - times.keys()),
        untold=len(rows.keys() - on_topic.keys()),
        dead_letters=dead_letters,
    )


def reconcile_topics(access: KafkaAccess, recorded: Sequence[RecordedEvent]) -> SightingTotals:
    """Read the whole topics, and compare them with the records.

    Args:
        access: Address and credentials of Kafka.
        recorded: Every event in the records.
    """
    published = [
        codec.decode_sighting(each.value)[0] for each in read_topic(access, SIGHTINGS.name)
    ]
    alerted = [codec.decode_alert(each.value)[0] for each in read_topic(access, ALERTS.name)]
    return reconcile(
        [each.sighting_id for each in published],
        [(each.sighting.sighting_id, each.event_id) for each in alerted],
        [(each.event.sighting.sighting_id, each.event.event_id) for each in recorded],
        sum(1 for _ in read_topic(access, DEAD_LETTERS.name)),
    )


def read_topic(access: KafkaAccess, topic: str) -> Iterator[Any]:
    """Yield every record of a topic, from its beginning to its current end."""
    consumer = KafkaConsumer(
        **access.client_arguments(), group_id=None, enable_auto_commit=False,
        max_partition_fetch_bytes=8 << 20,
    )  # fmt: skip
    with closing(consumer):
        parts = _partitions(consumer, topic)
        consumer.assign(parts)
        consumer.seek_to_beginning(*parts)
        ends = consumer.end_offsets(parts)
        while any(consumer.position(part) < end for part, end in ends.items()):
            for records in consumer.poll(timeout_ms=500).values():
                yield from records


def has_acknowledged_all(access: KafkaAccess, group: str, topics: Collection[str]) -> bool:
    """Return whether a consumer group has acknowledged every record of these topics."""
    consumer = KafkaConsumer(**access.client_arguments(), group_id=group, enable_auto_commit=False)
    with closing(consumer):
        parts = [part for topic in topics for part in _partitions(consumer, topic)]
        ends = consumer.end_offsets(parts)
        return all((consumer.committed(part) or 0) >= end for part, end in ends.items())


@dataclass(frozen=True, slots=True)
class FrameTotals:
    """Number of one camera's frames: sent, analysed and dropped.

    Attributes:
        sent: Number of frames in the camera's log, sent while an ingest process was connected.
        analysed: Number of frames on which the detector ran.
        dropped: Number of frames that were not analysed, by reason.
    """

    camera: str
    sent: int
    analysed: int
    dropped: Mapping[str, int]

    @property
    def missing(self) -> int:
        """Number of sent frames that are neither analysed nor dropped.

        They were in transit when the camera was switched off, or not yet analysed when the
        demonstration stopped waiting.
        """
        return self.sent - self.analysed - sum(self.dropped.values())


def count_frames(camera: str, sent: int, totals: CameraTotals | None) -> FrameTotals:
    """Return a camera's sent frames (from its log) beside its tallies; zeros without a tally."""
    if totals is None:
        return FrameTotals(camera, sent, 0, {})
    dropped = {
        "too late": totals.frames_dropped_late,
        "outside the hours": totals.frames_outside_hours,
        "while it was paused": totals.frames_paused,
        "unreadable": totals.frames_unreadable,
        "above the configured rate": totals.frames_sampled_away,
        "of an ended connection": totals.frames_discarded,
    }
    not_zero = {reason: number for reason, number in dropped.items() if number}
    return FrameTotals(camera, sent, totals.frames_analysed, not_zero)


def _group_events(alerted: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    events: dict[str, set[str]] = defaultdict(set)
    for sighting_id, event_id in alerted:
        events[sighting_id].add(event_id)
    return events


def _partitions(consumer: Any, topic: str) -> list[Any]:
    return [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
