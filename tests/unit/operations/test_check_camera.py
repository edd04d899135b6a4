"""Advice about a camera, over a made-up detector that sees faces from 24 network pixels on."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from openlfr.domain.errors import BadInput
from openlfr.domain.faces import Box, Detection
from openlfr.domain.frames import Frame
from openlfr.operations.check_camera import check_camera

WIDTH, HEIGHT = 1920, 1080
SHAPE = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], np.float32)


class Sees:
    """Finds the given faces as far as they are large enough in the network's input."""

    def __init__(self, *widths):
        self.widths = widths

    def detect(self, images, input_size):
        scale = min(input_size[0] / WIDTH, input_size[1] / HEIGHT)
        boxes = [Box(100 + 200 * n, 300, w, w) for n, w in enumerate(self.widths)]
        seen = [box for box in boxes if box.w * scale >= 24]
        return [[Detection(b, SHAPE * b.w + (b.x, b.y), 0.9) for b in seen] for _ in images]


def textured(level=128, contrast=60):
    noise = np.random.default_rng(1).normal(0, 1, (HEIGHT // 8, WIDTH // 8, 1))
    picture = level + contrast * np.repeat(np.repeat(noise, 8, 0), 8, 1)
    return np.repeat(picture.clip(0, 255).astype(np.uint8), 3, 2)


def check(detector, picture=None, *, frames=5, box=(640, 640), **how):
    image = textured() if picture is None else picture
    now = datetime.now(UTC)
    shown = (Frame("gate", 0, n, now, image) for n in range(frames))
    return check_camera(shown, detector, fps=25.0, input_size_for=lambda w, h: box, **how)


def test_visible_faces_are_measured():
    found = check(Sees(100, 200), frames=5)
    assert (found.width, found.height, found.fps, found.frames) == (WIDTH, HEIGHT, 25.0, 5)
    assert (found.faces, found.usable, found.seen) == (10, 10, 10)
    assert found.face_width == 150
    assert found.eye_distance == pytest.approx(60)
    assert found.input_size == (640, 384)
    assert found.advice == ()


def test_a_larger_input_is_advised_where_it_helps():
    found = check(Sees(60, 200), box=(640, 640))
    assert (found.usable, found.seen, found.advised_input) == (10, 5, 960)
    assert found.advice == (
        "at 640x384 the detector finds 5 of 10 usable faces: set input_size: 960",
    )
    assert check(Sees(60, 200), box=(960, 960)).advice == ()


def test_no_input_is_advised_for_faces_that_only_a_lens_can_help():
    found = check(Sees(24, 25, 30))
    assert (found.usable, found.advised_input) == (0, None)
    assert "1.9 times longer focal length" in found.advice[0]


def test_an_empty_picture_requests_a_person():
    found = check(Sees())
    assert "let somebody walk through" in found.advice[0]
    assert (found.face_width, found.sharpness) == (0, 0)


@pytest.mark.parametrize(
    ("picture", "word"),
    [
        (textured(level=15, contrast=4), "the picture is dark"),
        (textured(level=245, contrast=4), "the picture is bright"),
        (np.full((HEIGHT, WIDTH, 3), 128, np.uint8), "faces are blurred"),
    ],
)
def test_light_and_sharpness(picture, word):
    assert any(word in sentence for sentence in check(Sees(200, 200), picture).advice)


def test_few_faces_are_few():
    assert "only 2 faces" in check(Sees(200), frames=2).advice[-1]


def test_it_stops_at_its_limit():
    assert check(Sees(200), frames=50, limit=12).frames == 12


def test_a_camera_without_frames():
    with pytest.raises(BadInput, match="no frame"):
        check(Sees(), frames=0)
