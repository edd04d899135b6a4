"""Which trace a message is in: W3C Trace Context, from a frame to the alert that it made.

    00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
    version, trace id (of the frame and of everything made of it), span id (of this step), flags

Ingest begins a trace with each frame; analysis and alerting go on with it, each step under a span
id of its own. Ids are random: they tell nothing of a camera or a person.
https://www.w3.org/TR/trace-context/
"""

from __future__ import annotations

import os
from collections import OrderedDict

KEPT = 1000
"""Frames of a camera whose trace is known still: 100 s at 10 frames a second, longer than all
but a few passes."""


def begin() -> str:
    """The header of a new trace."""
    ids = _ids(24)
    return f"00-{ids[:32]}-{ids[32:]}-01"


def go_on(traceparent: str) -> str:
    """The header of the next step in a trace; of a new trace where there is none."""
    if not traceparent:
        return begin()
    version, trace, _, flags = traceparent.split("-")[:4]
    if version != "00":  # of a later version only what this one knows is passed on
        flags = f"{int(flags, 16) & 1:02x}"
    return f"00-{trace}-{_ids(8)}-{flags}"


def trace_id(traceparent: str) -> str:
    """The trace's id, 32 hex digits, as logs give it; empty without a trace."""
    return traceparent.split("-")[1] if traceparent else ""


class FrameTraces:
    """The traces of frames that a live track may still begin with; one thread uses it."""

    def __init__(self, kept: int = KEPT) -> None:
        """Keep those of the last `kept` frames of each camera."""
        self._kept = kept
        self._cameras: dict[str, OrderedDict[tuple[int, int], str]] = {}

    def note(self, camera: str, epoch: int, seq: int, traceparent: str) -> None:
        """A frame came, in this trace; without one nothing is noted."""
        if not traceparent:
            return
        frames = self._cameras.setdefault(camera, OrderedDict())
        frames[epoch, seq] = traceparent
        while len(frames) > self._kept:
            frames.popitem(last=False)

    def of(self, camera: str, epoch: int, seq: int) -> str:
        """The header with which a frame came; empty where that is not known."""
        return self._cameras.get(camera, OrderedDict()).get((epoch, seq), "")


def _ids(size: int) -> str:
    """Random bytes as hex, of which neither id is all zeros: the standard forbids that."""
    found = os.urandom(size)
    return found.hex() if any(found[:16]) and any(found[-8:]) else _ids(size)
