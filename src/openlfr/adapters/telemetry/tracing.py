"""Trace headers of messages (W3C Trace Context), from a frame to the alerts that it causes.

    00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
    version, trace id (of the frame and its consequences), span id (of this step), flags

Ingest begins a trace with each frame; analysis and alerting continue it, each step under its own
span id. Ids are random, so that they reveal nothing about a camera or a person.
https://www.w3.org/TR/trace-context/
"""

from __future__ import annotations

import os
from collections import OrderedDict

MAX_FRAMES = 1000
"""Number of frames per camera whose traces are retained: 100 s at 10 frames per second, which is
longer than almost every track."""


def begin_trace() -> str:
    """Make the header of a new trace."""
    ids = _ids(24)
    return f"00-{ids[:32]}-{ids[32:]}-01"


def continue_trace(traceparent: str) -> str:
    """Make the header of the next step of a trace; of a new trace if `traceparent` is empty."""
    if not traceparent:
        return begin_trace()
    version, trace, _, flags = traceparent.split("-")[:4]
    if version != "00":  # a later version: copy only the flag that version 00 defines
        flags = f"{int(flags, 16) & 1:02x}"
    return f"00-{trace}-{_ids(8)}-{flags}"


def trace_id(traceparent: str) -> str:
    """Return the trace id for logs, 32 hex digits; empty without a trace."""
    return traceparent.split("-")[1] if traceparent else ""


class FrameTraces:
    """The traces of recent frames, so that a track continues its first frame's trace.

    Not for use by several threads.
    """

    def __init__(self, max_frames: int = MAX_FRAMES) -> None:
        """Retain the traces of the last `max_frames` frames of each camera."""
        self._max_frames = max_frames
        self._cameras: dict[str, OrderedDict[tuple[int, int], str]] = {}

    def record(self, camera: str, epoch: int, seq: int, traceparent: str) -> None:
        """Record the trace of a frame; an empty trace is not recorded."""
        if not traceparent:
            return
        frames = self._cameras.setdefault(camera, OrderedDict())
        frames[epoch, seq] = traceparent
        while len(frames) > self._max_frames:
            frames.popitem(last=False)

    def find(self, camera: str, epoch: int, seq: int) -> str:
        """Return the trace header of a frame; empty if unknown."""
        return self._cameras.get(camera, OrderedDict()).get((epoch, seq), "")


def _ids(size: int) -> str:
    """Return random bytes as hex; neither id is all zeros, which the standard forbids."""
    content = os.urandom(size)
    return content.hex() if any(content[:16]) and any(content[-8:]) else _ids(size)
