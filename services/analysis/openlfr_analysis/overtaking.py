"""Decides which waiting frames are skipped in favour of newer frames of their camera.

A worker that cannot analyse every frame skips some, and the number that it analyses is the same
whichever it skips. If it skipped only frames that exceed their greatest age, those that it analyses
would all be nearly that old, and every alert late by as much. So the newest frames are analysed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openlfr.adapters.faust.agents import Message

FRESH_S = 1.0
"""A frame may wait this long whatever comes after it: a worker that is slow for a moment catches up
and skips nothing."""


def find_overtaken(messages: Sequence[Message], *, now: float) -> set[int]:
    """Positions of messages older than `FRESH_S` after which a newer one of their camera waits.

    Args:
        messages: Waiting messages, in order.
        now: Seconds since 1970.
    """
    newest = {message.key: position for position, message in enumerate(messages)}
    return {
        position
        for position, message in enumerate(messages)
        if position != newest[message.key] and now - message.written_at > FRESH_S
    }
