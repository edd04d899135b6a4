"""Batches of a Faust stream: what a balancing of the group makes old is not given out."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from openlfr.adapters.faust.agents import read_batches

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Stream:
    """Gives what is put into it."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[int] = asyncio.Queue()

    async def events(self) -> AsyncIterator[Any]:
        while True:
            offset = await self.came.get()
            message = SimpleNamespace(
                topic="frames.v1", partition=1, offset=offset, value=b"", timestamp=0.0, key=b""
            )
            yield SimpleNamespace(message=message, headers={})


async def settle(stream: Stream) -> None:
    """Until all that was put in has been collected, as far as there is room."""
    for _ in range(50):
        await asyncio.sleep(0)


def test_messages_received_before_a_rebalance_are_left_for_kafka_to_redeliver() -> None:
    async def go() -> list[list[int]]:
        stream, generation, given = Stream(), 0, []
        for offset in (7, 8, 9, 10, 11):
            stream.came.put_nowait(offset)
        batch = read_batches(stream, 2, 0.0, generation=lambda: generation)
        given.append([each.offset for each in await anext(batch)])
        await settle(stream)  # 9 and 10 wait for their turn, 11 for room
        generation = 1  # the group is balanced: Kafka begins again where was acknowledged
        for offset in (5, 6, 7):
            stream.came.put_nowait(offset)
        while sum(map(len, given)) < 5:
            given.append([each.offset for each in await anext(batch)])
        await batch.aclose()
        return given

    assert [each for given in asyncio.run(go()) for each in given] == [7, 8, 5, 6, 7]
