"""How long a camera was watched, by its frames alone."""

from __future__ import annotations

import pytest

from openlfr.domain.watching import MAX_WATCHED_GAP_US, UnwatchedReason, Watchtime

LATE, UNREADABLE, NO_FRAMES = (
    UnwatchedReason.LATE,
    UnwatchedReason.UNREADABLE,
    UnwatchedReason.NO_FRAMES,
)
MISSED = {"L": LATE, "U": UNREADABLE, "P": UnwatchedReason.PAUSED}


@pytest.mark.parametrize(
    ("frames", "watched", "unwatched"),
    [
        ("", 0, {}),
        ("0", 0, {}),
        ("0 0.1 0.2", 0.2, {}),
        ("0 1 2", 2, {}),  # at most a second apart
        ("0 0.5 1.6 1.7", 0.6, {NO_FRAMES: 1.1}),
        ("0 0.1L 0.2L 0.5 0.6", 0.6, {}),  # left out, and nobody could have slipped through
        ("0 0.5L 0.9U 1.4 1.5", 0.1, {LATE: 1.4}),
        ("0L 0.5L 1.5L 3L 3.2", 0.2, {LATE: 3}),  # seen to be late while it lasts
        ("0U 1.5U", 0, {UNREADABLE: 1.5}),
        ("5 6 0 0.5", 1.5, {}),  # filmed anew from its beginning
        ("0 60 60.5", 0.5, {NO_FRAMES: 60}),
        ("0 0.5P 1.4P 1.5 1.6", 0.2, {UnwatchedReason.PAUSED: 1.4}),
        ("0 0.5 paused 30 30.5", 1, {UnwatchedReason.PAUSED: 29.5}),  # disconnected meanwhile
        ("0 0.5 paused 0.9 40", 0.9, {NO_FRAMES: 39.1}),  # the pause was over
        ("0 0.5L paused 2", 0, {LATE: 2}),
    ],
)
def test_a_moment_is_watched_between_frames_that_were_looked_at(frames, watched, unwatched):
    time = Watchtime()
    for each in frames.split():
        if each == "paused":
            time.record_pause()
            continue
        at = round(float(each.rstrip("LUP")) * 1_000_000)
        if each[-1] in MISSED:
            time.record_skipped(at, MISSED[each[-1]])
        else:
            time.record_analysed(at)
    found, missing = time.take()
    assert found == round(watched * MAX_WATCHED_GAP_US)
    assert missing == {why: round(seconds * 1_000_000) for why, seconds in unwatched.items()}
    assert time.take() == (0, {})
