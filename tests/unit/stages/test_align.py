"""Faces are turned, scaled and cut as the embedder was trained."""

from __future__ import annotations

import numpy as np
import pytest

from openlfr.domain.errors import BadInput
from openlfr.stages.align import SIDE, TARGET, align, compute_transforms


def turned(points, degrees, scale, shift):
    angle = np.deg2rad(degrees)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return scale * points @ rotation.T + shift


@pytest.mark.parametrize(
    ("degrees", "scale", "shift"),
    [
        (0, 1, (0, 0)),
        (0, 0.3, (5, 9)),
        (30, 2.5, (300, 40)),
        (-120, 1, (80, -20)),
        (180, 4, (9, 9)),
    ],
)
def test_landmarks_are_moved_to_the_target_points(degrees, scale, shift):
    landmarks = turned(TARGET, degrees, scale, shift)
    (matrix,) = compute_transforms(landmarks[None])
    np.testing.assert_allclose(landmarks @ matrix[:, :2].T + matrix[:, 2], TARGET, atol=1e-9)


def test_no_other_similarity_transform_fits_better():
    landmarks = TARGET * 2 + np.random.default_rng(0).normal(0, 6, (5, 2))
    (matrix,) = compute_transforms(landmarks[None])

    def distance(candidate):
        return np.square(landmarks @ candidate[:, :2].T + candidate[:, 2] - TARGET).sum()

    for change in (0.99, 1.01):
        assert distance(matrix * change) > distance(matrix)
    for step in ((0.1, 0), (0, 0.1), (-0.1, 0)):
        moved = matrix.copy()
        moved[:, 2] += step
        assert distance(moved) > distance(matrix)


@pytest.mark.filterwarnings("ignore:.*estimate.*:FutureWarning")  # insightface's own call
def test_faces_equal_those_of_insightface(yunet, group_photo):
    from insightface.utils.face_align import norm_crop

    landmarks = np.stack([d.landmarks for d in yunet.detect([group_photo], (1280, 896))[0]])
    faces = align(group_photo, landmarks)
    assert faces.shape == (6, SIDE, SIDE, 3)
    for face, points in zip(faces, landmarks, strict=True):
        difference = np.abs(face.astype(int) - norm_crop(group_photo, points))
        assert difference.max() <= 1
        assert difference.mean() < 0.01


def test_pixels_outside_the_picture_are_black(astronaut):
    (face,) = align(astronaut, (TARGET - 56).astype(np.float32)[None])
    assert face[:50, :50].max() == 0
    assert face[60:, 60:].max() > 0


def test_no_faces_are_no_faces(astronaut):
    assert align(astronaut, np.empty((0, 5, 2), np.float32)).shape == (0, SIDE, SIDE, 3)


@pytest.mark.parametrize("value", [7.0, np.nan])
def test_landmarks_that_coincide_are_refused(astronaut, value):
    with pytest.raises(BadInput, match="cannot be aligned"):
        align(astronaut, np.full((1, 5, 2), value, np.float32))
