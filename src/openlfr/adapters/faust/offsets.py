"""Offsets of a worker's partitions: which have records waiting, which were deleted unread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Mapping

    import faust

    from openlfr.adapters.faust.progress import Progress

log = structlog.get_logger()


def partitions_behind(
    app: faust.App, topic: str, next_offsets: Mapping[tuple[str, int], int]
) -> set[int]:
    """The partitions with records that the brokers have and that were not processed yet.

    Args:
        app: The app whose consumer knows the newest offsets.
        topic: Name of the partitions' topic.
        next_offsets: For each topic and partition, the offset after the last record processed.
            Partitions without an entry do not count.
    """
    found = set()
    for partition in app.consumer.assignment():
        newest = app.consumer.highwater(partition)
        position = next_offsets.get((partition.topic, partition.partition))
        if partition.topic == topic and None not in (newest, position) and newest > position:
            found.add(partition.partition)
    return found


async def commit_past_deleted(app: faust.App, progress: Progress) -> None:
    """Commit the start of partitions whose committed offset was deleted by retention.

    Where frames were deleted unread, as after a night without workers, the group's offset lies
    before the oldest message until the next message comes. An autoscaler by lag counts the deleted
    messages, and keeps workers that have nothing to do. Deleted messages can never be delivered,
    so committing past them loses nothing.
    """
    consumer = app.consumer
    if consumer is None or app.rebalancing:
        return
    starts = {}
    # Faust commits acknowledged messages only and has no call to commit an offset. Hence its
    # private method, which also tells Faust from which offset on acknowledgements count.
    for partition in consumer.assignment():
        start = progress.starts().get((partition.topic, partition.partition), 0)
        committed = consumer._committed_offset[partition]  # noqa: SLF001
        if committed is not None and committed < start:
            starts[partition] = start
    if not starts:
        return
    for partition, start in starts.items():
        # The committed offset does not exist any more, so the consumer would begin at the newest
        # message and miss those before it. Once it has received a message it has an offset.
        if not progress.has_delivered((partition.topic, partition.partition), start):
            await consumer.seek(partition, start)
    log.warning(
        "messages_gone",
        partitions={f"{each.topic}/{each.partition}": start for each, start in starts.items()},
        why="they were deleted before anybody read them",
    )
    await consumer._commit_offsets(starts)  # noqa: SLF001
