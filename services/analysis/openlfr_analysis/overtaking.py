"""Which waiting frames give way to newer ones of their camera.

A worker that cannot look at every frame must leave some out, and whichever it leaves out, as many
are looked at. Left out as they age, those that remain are all as old as a frame may be, and every
alert is late by that much. Here the newer ones are looked at, so that what is told is of now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openlfr.adapters.faust.agents import Message

FRESH_S = 1.0
"""So long a frame may wait, whatever comes after it: a worker that is held up for a moment catches
up and leaves nothing out."""


def overtaken(messages: Sequence[Message], *, now: float) -> set[int]:
    """Positions of those that have waited for long and after which one of their camera has come.

    Args:
        messages: That wait, in order.
        now: Seconds since 1970.
    """
    newest = {message.key: position for position, message in enumerate(messages)}
    return {
        position
        for position, message in enumerate(messages)
        if position != newest[message.key] and now - message.written_at > FRESH_S
    }
