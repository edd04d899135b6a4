"""Checks of the offsets of a worker's partitions: waiting records, and records deleted unread."""

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
    """Return the partitions whose newest records were not processed yet.

    Args:
        app: The app whose consumer has the newest offsets.
        topic: Name of the partitions' topic.
        next_offsets: For each topic and partition, the offset after the last record processed.
            Partitions without an entry are left out.
    """
    behind = set()
    for partition in app.consumer.assignment():
        newest = app.consumer.highwater(partition)
        position = next_offsets.get((partition.topic, partition.partition))
        if partition.topic == topic and None not in (newest, position) and newest > position:
            behind.add(partition.partition)
    return behind


async def commit_past_deleted(app: faust.App, progress: Progress) -> None:
    """Commit the start offset of partitions whose committed offset is before their start.

    After a time without workers, frames have been deleted unread. Then the group's offset is before
    the oldest message until the next message arrives. An autoscaler by lag counts the deleted
    messages and retains idle workers. Deleted messages can never be delivered, so committing past
    them loses nothing.
    """
    consumer = app.consumer
    if consumer is None or app.rebalancing:
        return
    starts = {}
    # Faust commits only acknowledged messages and has no public call to commit an offset. Its
    # private method also sets the offset from which Faust counts acknowledgements.
    for partition in consumer.assignment():
        start = progress.starts().get((partition.topic, partition.partition), 0)
        committed = consumer._committed_offset[partition]  # noqa: SLF001
        if committed is not None and committed < start:
            starts[partition] = start
    if not starts:
        return
    for partition, start in starts.items():
        # The committed offset does not exist any more, so the consumer would begin at the newest
        # message and miss earlier messages. After its first message the consumer has an offset.
        if not progress.has_delivered((partition.topic, partition.partition), start):
            await consumer.seek(partition, start)
    log.warning(
        "messages_gone",
        partitions={f"{each.topic}/{each.partition}": start for each, start in starts.items()},
        why="they were deleted before a worker read them",
    )
    await consumer._commit_offsets(starts)  # noqa: SLF001
