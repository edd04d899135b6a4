"""Decides which waiting frames are skipped in favour of newer frames of their camera.

A slow worker must skip frames, and it analyses the same number of frames whichever it skips. If it
skipped only frames older than `max_age`, every analysed frame would be nearly that old, and every
alert would be late by that time. So the worker analyses the newest frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openlfr.adapters.faust.agents import Message

FRESH_S = 1.0
"""A frame that has waited for less than this is not skipped, so that a worker that is slow for a
moment skips no frame."""


def find_overtaken(messages: Sequence[Message], *, now: float) -> set[int]:
    """Return the positions of the messages to skip.

    These have waited for more than `FRESH_S`, and a newer message of their camera waits.

    Args:
        messages: The waiting messages, in order.
        now: The present time, in seconds since 1970.
    """
    newest = {message.key: position for position, message in enumerate(messages)}
    return {
        position
        for position, message in enumerate(messages)
        if position != newest[message.key] and now - message.written_at > FRESH_S
    }
