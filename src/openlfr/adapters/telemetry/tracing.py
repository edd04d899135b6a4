"""Trace headers of messages (W3C Trace Context), from a frame to the alerts that it causes.

    00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
    version, trace id (of the frame and all that follows from it), span id (of this step), flags

Ingest begins a trace with each frame; analysis and alerting continue it, each step under its own
span id. Ids are random, so that they reveal nothing about a camera or a person.
https://www.w3.org/TR/trace-context/
"""

from __future__ import annotations

import os
from collections import OrderedDict

KEPT = 1000
"""Frames of a camera whose traces are kept: 100 s at 10 frames a second, longer than almost all
passes."""


def begin_trace() -> str:
    """Make the header of a new trace."""
    ids = _ids(24)
    return f"00-{ids[:32]}-{ids[32:]}-01"


def continue_trace(traceparent: str) -> str:
    """Make the header of the next step of a trace, or of a new trace if there is none."""
    if not traceparent:
        return begin_trace()
    version, trace, _, flags = traceparent.split("-")[:4]
    if version != "00":  # a later version: pass on only the flag that version 00 defines
        flags = f"{int(flags, 16) & 1:02x}"
    return f"00-{trace}-{_ids(8)}-{flags}"


def trace_id(traceparent: str) -> str:
    """The trace id for logs, 32 hex digits; empty without a trace."""
    return traceparent.split("-")[1] if traceparent else ""


class FrameTraces:
    """Traces of the frames with which a live track may have begun; for one thread."""

    def __init__(self, kept: int = KEPT) -> None:
        """Keep the traces of the last `kept` frames of each camera."""
        self._kept = kept
        self._cameras: dict[str, OrderedDict[tuple[int, int], str]] = {}

    def record(self, camera: str, epoch: int, seq: int, traceparent: str) -> None:
        """Record the trace of a frame; an empty trace is not recorded."""
        if not traceparent:
            return
        frames = self._cameras.setdefault(camera, OrderedDict())
        frames[epoch, seq] = traceparent
        while len(frames) > self._kept:
            frames.popitem(last=False)

    def find(self, camera: str, epoch: int, seq: int) -> str:
        """The trace header of a frame; empty if unknown."""
        return self._cameras.get(camera, OrderedDict()).get((epoch, seq), "")


def _ids(size: int) -> str:
    """Random bytes as hex; neither id is all zeros, which the standard forbids."""
    content = os.urandom(size)
    return content.hex() if any(content[:16]) and any(content[-8:]) else _ids(size)
