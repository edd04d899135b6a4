"""Of frames that have waited for long, only the newest of each camera is analysed."""

from __future__ import annotations

import pytest

from openlfr.adapters.faust.agents import Message
from openlfr_analysis.overtaking import find_overtaken

NOW = 1_800_000_000.0


def waiting(*frames: tuple[str, float]) -> list[Message]:
    """Frames of these cameras, that the broker has had for so many seconds."""
    return [
        Message("frames.v1", 0, n, b"", [], NOW - waited, None, camera.encode())
        for n, (camera, waited) in enumerate(frames)
    ]


@pytest.mark.parametrize(
    ("frames", "left_out"),
    [
        ([], set()),
        # One camera: the newest is looked at however long it has waited.
        ([("gate", 9.0)], set()),
        ([("gate", 1.9), ("gate", 1.7)], {0}),
        # What has not waited for long is looked at, whatever comes after it.
        ([("gate", 0.4), ("gate", 0.2), ("gate", 0.0)], set()),
        ([("gate", 1.4), ("gate", 1.2), ("gate", 0.9), ("gate", 0.2)], {0, 1}),
        # A camera is overtaken by itself alone.
        ([("gate", 2.0), ("yard", 1.9), ("yard", 1.7), ("hall", 1.0)], {1}),
    ],
)
def test_overtaken_frames_are_found(frames, left_out):
    assert find_overtaken(waiting(*frames), now=NOW) == left_out
