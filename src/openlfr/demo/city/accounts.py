"""What was published against what was recorded, counted from the topics and the database.

Nothing here is taken from what a service says of itself: the topics are read from their beginning
to their end, and the records are asked row by row.
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
class Sightings:
    """Sightings on sightings.v1, events on alerts.v1, and events in the records.

    Attributes:
        published: Different sightings on the topic.
        repeated: Records that say one of them again: a restarted worker looked at frames twice.
        recorded: Sightings of which the records have an event.
        lost: Published ones of which they have none.
        doubled: Those that gave more than one event, in the records or on alerts.v1.
        unpublished: Recorded ones that nobody published.
        untold: Recorded ones without an event on alerts.v1.
        dead_letters: Messages that a service set aside.
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
    def clean(self) -> bool:
        """Whether each sighting made one event, and no message was set aside."""
        wrong = self.lost, self.doubled, self.unpublished, self.untold, self.dead_letters
        return not any(wrong)


def account_for(
    published: Iterable[str],
    told: Iterable[tuple[str, str]],
    recorded: Iterable[tuple[str, str]],
    dead_letters: int = 0,
) -> Sightings:
    """Set them against each other.

    Args:
        published: The sighting_id of each record of sightings.v1.
        told: (sighting_id, event_id) of each record of alerts.v1.
        recorded: (sighting_id, event_id) of each row of the records.
        dead_letters: Records of dead-letters.v1.
    """
    times = Counter(published)
    on_topic = _events(told)
    rows = Counter(sighting_id for sighting_id, _ in recorded)
    several = {each for each, events in on_topic.items() if len(events) > 1}
    several |= {each for each, number in rows.items() if number > 1}
    return Sightings(
        published=len(times),
        repeated=times.total() - len(times),
        recorded=len(rows),
        lost=len(times.keys() - rows.keys()),
        doubled=len(several),
        unpublished=len(rows.keys() - times.keys()),
        untold=len(rows.keys() - on_topic.keys()),
        dead_letters=dead_letters,
    )


def count_sightings(access: KafkaAccess, recorded: Sequence[RecordedEvent]) -> Sightings:
    """Read the topics whole and set them against the records.

    Args:
        access: How Kafka is reached.
        recorded: Every event in the records.
    """
    published = [codec.decode_sighting(each.value)[0] for each in read_all(access, SIGHTINGS.name)]
    told = [codec.decode_alert(each.value)[0] for each in read_all(access, ALERTS.name)]
    return account_for(
        [each.sighting_id for each in published],
        [(each.sighting.sighting_id, each.event_id) for each in told],
        [(each.event.sighting.sighting_id, each.event.event_id) for each in recorded],
        sum(1 for _ in read_all(access, DEAD_LETTERS.name)),
    )


def read_all(access: KafkaAccess, topic: str) -> Iterator[Any]:
    """Every record of a topic, from its beginning to where it ends now."""
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


def is_done(access: KafkaAccess, group: str, topics: Collection[str]) -> bool:
    """Whether a group has acknowledged everything that stands on these topics."""
    consumer = KafkaConsumer(**access.client_arguments(), group_id=group, enable_auto_commit=False)
    with closing(consumer):
        parts = [part for topic in topics for part in _partitions(consumer, topic)]
        ends = consumer.end_offsets(parts)
        return all((consumer.committed(part) or 0) >= end for part, end in ends.items())


@dataclass(frozen=True, slots=True)
class Frames:
    """What became of one camera's frames.

    Attributes:
        sent: By the camera, as its log says, while somebody filmed it.
        analysed: That went through the detector.
        dropped: By reason: those that were not.
    """

    camera: str
    sent: int
    analysed: int
    dropped: Mapping[str, int]

    @property
    def missing(self) -> int:
        """Sent and in none of the counts: on their way when the camera was switched off.

        Where the demonstration gave up waiting also what was not looked at by then.
        """
        return self.sent - self.analysed - sum(self.dropped.values())


def frames_of(camera: str, sent: int, totals: CameraTotals | None) -> Frames:
    """Set a camera's log against the tallies in the records."""
    if totals is None:
        return Frames(camera, sent, 0, {})
    dropped = {
        "too late": totals.frames_dropped_late,
        "outside the hours": totals.frames_outside_hours,
        "while it was paused": totals.frames_paused,
        "unreadable": totals.frames_unreadable,
        "left out by the set rate": totals.frames_sampled_away,
        "of a connection that was over": totals.frames_discarded,
    }
    known = {reason: number for reason, number in dropped.items() if number}
    return Frames(camera, sent, totals.frames_analysed, known)


def _events(told: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    events: dict[str, set[str]] = defaultdict(set)
    for sighting_id, event_id in told:
        events[sighting_id].add(event_id)
    return events


def _partitions(consumer: Any, topic: str) -> list[Any]:
    return [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
