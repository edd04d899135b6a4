"""A track contains the faces of one person."""

from __future__ import annotations

import numpy as np
import pytest

from openlfr.domain.faces import Box, Detection
from openlfr.domain.moments import SECOND
from openlfr.stages.track import TrackerState, looks, track

SIZE = 40.0


def look_of(person: int, seed: int = 0) -> np.ndarray:
    """A person's looks in one frame: their own pattern and a little noise."""
    pattern = np.random.default_rng(person).standard_normal(192)
    noise = 0.15 * np.random.default_rng([person, seed]).standard_normal(192)
    seen = (pattern + noise).astype(np.float32)
    return seen / np.linalg.norm(seen)


def face(x: float, y: float = 100.0, size: float = SIZE, score: float = 0.9) -> Detection:
    box = Box(x - size / 2, y - size / 2, size, size)
    return Detection(box, np.zeros((5, 2), np.float32), score)


def follow(frames, *, fps=10.0, reverse=False, start=0):
    """Track [[(person, Detection)]]; per frame {person: track}, and {track: frame it ended in}."""
    state, seen, ends = TrackerState(), [], {}
    for n, faces in enumerate(frames):
        order = list(reversed(faces)) if reverse else list(faces)
        appearances = np.array([look_of(p, n) for p, _ in order], np.float32).reshape(-1, 192)
        state, tracked = track(
            state, [d for _, d in order], appearances, at=start + round(n / fps * SECOND)
        )
        seen.append({p: t for (p, _), t in zip(order, tracked.tracks, strict=True)})
        ends |= dict.fromkeys(tracked.ended, n)
    return seen, ends


def tracks_of(seen, person):
    return {frame[person] for frame in seen if person in frame}


def walk(person, frames, *, start=100.0, speed=12.0, y=100.0, size=SIZE):
    return [(person, face(start + speed * n, y, size)) for n in range(frames)]


@pytest.mark.parametrize("apart", [0.0, 15.0])
def test_people_who_cross_keep_their_tracks(apart):
    left = walk(1, 30, start=100)
    right = walk(2, 30, start=460, speed=-12, y=100 + apart)
    seen, ends = follow([list(pair) for pair in zip(left, right, strict=True)])
    assert tracks_of(seen, 1) == {seen[0][1]}
    assert tracks_of(seen, 2) == {seen[0][2]}
    assert ends == {}


def test_a_face_behind_another_does_not_hand_over_its_track():
    # 1 stands still; 2 comes in front of it, hides it for half a second and stays in its place.
    still = walk(1, 30, start=300, speed=0)
    comes = [(2, face(min(100 + 20 * n, 300))) for n in range(30)]
    frames = [
        [visible, other] if n < 9 else [other]
        for n, (visible, other) in enumerate(zip(still, comes, strict=True))
    ]
    seen, ends = follow(frames)
    assert tracks_of(seen, 1).isdisjoint(tracks_of(seen, 2))
    assert seen[0][1] in ends


def test_a_person_who_reappears_from_behind_another_continues_their_track():
    left = walk(1, 30, start=100)
    right = walk(2, 30, start=460, speed=-12)
    hidden = range(14, 18)  # 1 is not seen while they pass
    frames = [
        [other] if n in hidden else [one, other]
        for n, (one, other) in enumerate(zip(left, right, strict=True))
    ]
    seen, _ = follow(frames)
    assert tracks_of(seen, 1).isdisjoint(tracks_of(seen, 2))
    assert len(tracks_of(seen, 2)) == 1


@pytest.mark.parametrize(("gap", "survives"), [(0, True), (5, True), (7, True), (9, False)])
def test_a_track_outlives_a_gap_no_longer_than_its_patience(gap, survives):
    frames = [[step] for step in walk(1, 5)]
    after = [[(1, face(100 + 12 * (5 + gap)))]]
    seen, ends = follow(frames + [[]] * gap + after)
    assert (seen[-1][1] == seen[0][1]) == survives
    assert (seen[0][1] in ends) == (not survives)


@pytest.mark.parametrize("fps", [10.0, 30.0])
def test_a_track_survives_a_gap_of_exactly_the_patience_at_any_start(fps):
    gap = round(0.8 * fps)  # frames from one face to the next: 0.8 s, a microsecond more or less
    for first in range(6):
        step = [[(1, face(100))]]
        frames = [[]] * first + step * 3 + [[]] * (gap - 1) + step
        for start in (0, 1_767_225_600_000_000, 1_767_225_600_123_457, 1_767_225_600_900_000):
            seen, ends = follow(frames, fps=fps, start=start)
            assert (seen[-1], ends) == ({1: 0}, {})


def test_a_track_ends_once_and_its_number_is_not_used_again():
    frames = [[step] for step in walk(1, 3)] + [[]] * 20 + [[(1, face(136))]]
    seen, ends = follow(frames)
    assert ends == {0: 11}  # the first frame that is more than 0.8 s after the last face
    assert seen[-1] == {1: 1}


@pytest.mark.parametrize(("score", "tracks"), [(0.54, {-1}), (0.56, {0})])
def test_a_weak_detection_starts_no_track(score, tracks):
    seen, _ = follow([[(1, face(100 + 5 * n, score=score))] for n in range(3)])
    assert tracks_of(seen, 1) == tracks


def test_a_weak_detection_continues_a_track():
    seen, _ = follow([[(1, face(100, score=0.9))], [(1, face(105, score=0.5))]])
    assert tracks_of(seen, 1) == {0}


@pytest.mark.parametrize(
    "second",
    [face(100 + 3 * SIZE), face(100, size=SIZE * 2)],
    ids=["too far away", "of another size"],
)
def test_a_face_that_cannot_be_the_same_starts_a_new_track(second):
    seen, _ = follow([[(1, face(100))], [(1, second)]])
    assert tracks_of(seen, 1) == {0, 1}


def test_the_order_of_the_detections_does_not_matter():
    people = [walk(p, 20, start=80 * p, speed=(-1) ** p * 9, y=90 + p) for p in range(1, 6)]
    frames = [list(frame) for frame in zip(*people, strict=True)]
    forwards, backwards = follow(frames)[0], follow(frames, reverse=True)[0]
    names = {forwards[0][p]: backwards[0][p] for p in range(1, 6)}
    for one, other in zip(forwards, backwards, strict=True):
        assert {p: names.get(t) for p, t in one.items()} == other
    assert follow(frames)[0] == forwards


def test_frames_without_faces_give_no_tracks():
    seen, ends = follow([[], [], []])
    assert seen == [{}, {}, {}]
    assert ends == {}


def test_looks_match_a_face_in_other_light_but_not_another_face():
    rng = np.random.default_rng(3)
    one, other = (
        np.kron(rng.integers(30, 200, (14, 14, 3)), np.ones((8, 8, 1))).astype(np.uint8)
        for _ in range(2)
    )
    brighter = (one * 1.2 + 10).astype(np.uint8)
    rows = looks(np.stack([one, brighter, other]))
    assert rows.shape == (3, 192)
    assert rows.dtype == np.float32
    assert rows[0] @ rows[1] > 0.99
    assert abs(rows[0] @ rows[2]) < 0.4


def test_looks_of_an_empty_and_of_a_flat_face_are_finite():
    assert looks(np.empty((0, 112, 112, 3), np.uint8)).shape == (0, 192)
    assert np.isfinite(looks(np.full((1, 112, 112, 3), 90, np.uint8))).all()
