"""Batches of a Faust stream omit messages that were received before a rebalance."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from openlfr.adapters.faust.agents import read_batches

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass(frozen=True)
class Message:
    offset: int
    topic: str = "frames.v1"
    partition: int = 1
    value: bytes = b""
    timestamp: float = 0.0
    key: bytes = b""


@dataclass(frozen=True)
class Event:
    message: Message
    headers: dict[str, bytes] = field(default_factory=dict)


class Stream:
    """A stream of the offsets that a test adds."""

    def __init__(self) -> None:
        self.offsets: asyncio.Queue[int] = asyncio.Queue()

    async def events(self) -> AsyncIterator[Any]:
        while True:
            yield Event(Message(await self.offsets.get()))


async def settle(stream: Stream) -> None:
    """Let the reader collect the added offsets, as many as it has room for."""
    for _ in range(50):
        await asyncio.sleep(0)


def test_messages_received_before_a_rebalance_are_left_for_kafka_to_redeliver() -> None:
    async def go() -> list[list[int]]:
        stream, generation, batches = Stream(), 0, []
        for offset in (7, 8, 9, 10, 11):
            stream.offsets.put_nowait(offset)
        batch = read_batches(stream, 2, 0.0, generation=lambda: generation)
        batches.append([each.offset for each in await anext(batch)])
        await settle(stream)  # 9 and 10 wait in the queue, 11 for room
        generation = 1  # after a rebalance Kafka restarts at the acknowledged offset
        for offset in (5, 6, 7):
            stream.offsets.put_nowait(offset)
        while sum(map(len, batches)) < 5:
            batches.append([each.offset for each in await anext(batch)])
        await batch.aclose()
        return batches

    assert [offset for batch in asyncio.run(go()) for offset in batch] == [7, 8, 5, 6, 7]
