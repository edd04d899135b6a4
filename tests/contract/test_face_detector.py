"""The contract of every face detector."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from openlfr.adapters.models.yunet import YuNet
from openlfr.domain.errors import BadInput
from openlfr.domain.faces import Box

SIZE = (640, 640)


@pytest.fixture(params=["yunet", "yunet_on_three_threads"])
def detector(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def yunet_on_three_threads(model_store):
    return YuNet(model_store.load("yunet"), providers=["CPUExecutionProvider"], threads=3)


def as_numbers(detections):
    return np.array([[*d.box, *d.landmarks.ravel(), d.score] for d in detections])


def test_a_face_is_detected_at_its_position(detector, astronaut):
    (face,) = detector.detect([astronaut], SIZE)[0]
    assert face.score > 0.9
    x, y = face.box.centre
    assert 200 < x < 240
    assert 90 < y < 140
    assert face.landmarks.shape == (5, 2)
    assert face.landmarks.dtype == np.float32
    right_eye, left_eye, nose, right_mouth, left_mouth = face.landmarks
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_mouth[0] < left_mouth[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])


def test_every_face_of_a_group_is_detected_best_first(detector, group_photo):
    faces = detector.detect([group_photo], (1280, 896))[0]
    assert len(faces) == 6
    assert [face.score for face in faces] == sorted((f.score for f in faces), reverse=True)
    assert all(isinstance(face.score, float) for face in faces)
    for index, face in enumerate(faces):
        assert all(face.box.iou(other.box) < 0.3 for other in faces[index + 1 :])


def test_no_face_is_detected_in_a_picture_without_people(detector):
    assert detector.detect([np.full((480, 640, 3), 90, np.uint8)], SIZE) == [[]]


def test_no_pictures_yield_no_detections(detector):
    assert detector.detect([], SIZE) == []


def test_a_single_picture_yields_the_detections_of_a_batch(detector, astronaut, group_photo):
    pictures = [
        group_photo,
        astronaut,
        group_photo[:, ::-1],
        np.zeros_like(astronaut),
        group_photo[100:, 50:],
        group_photo,
        astronaut[::2, ::2],
    ]
    together = detector.detect(pictures, SIZE)
    assert [len(found) for found in together] == [6, 1, 6, 0, 6, 6, 1]
    for picture, found in zip(pictures, together, strict=True):
        alone = as_numbers(detector.detect([picture], SIZE)[0])
        np.testing.assert_allclose(as_numbers(found), alone, atol=1e-3)


@pytest.mark.parametrize("size", [(320, 320), (640, 384), (1000, 700), (1280, 736)])
def test_boxes_are_in_source_pixels_whatever_the_input_size(detector, astronaut, size):
    (face,) = detector.detect([astronaut], size)[0]
    (reference,) = detector.detect([astronaut], (512, 512))[0]
    assert face.box.iou(reference.box) > 0.8
    assert np.abs(face.landmarks - reference.landmarks).max() < face.box.w / 10


@pytest.mark.parametrize("shape", [(512, 200), (90, 512), (33, 31), (1, 1)])
def test_odd_shapes_are_accepted(detector, astronaut, shape):
    (found,) = detector.detect([astronaut[: shape[0], : shape[1]]], SIZE)
    assert isinstance(found, list)


def test_the_input_size_determines_the_range(detector, group_photo):
    import cv2

    far = cv2.resize(group_photo, None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA)
    scene = np.full((720, 1280, 3), 90, np.uint8)
    scene[100 : 100 + far.shape[0], 200 : 200 + far.shape[1]] = far
    near, wide = (detector.detect([scene], size)[0] for size in ((320, 320), (1280, 720)))
    assert len(wide) >= 4 > len(near)


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((10, 10, 3), np.float32),
        np.zeros((0, 10, 3), np.uint8),
    ],
)
def test_a_wrong_array_is_bad_input(detector, picture):
    with pytest.raises(BadInput, match="cannot be searched for faces"):
        detector.detect([picture], SIZE)


def test_pictures_are_never_modified(detector, astronaut):
    locked = astronaut[:480].copy()
    locked.flags.writeable = False
    before = locked.copy()
    detector.detect([locked], (512, 480))
    np.testing.assert_array_equal(locked, before)


def test_a_second_detection_finds_a_small_face_and_sizes_may_differ(detector, astronaut):
    small = cv2.resize(astronaut, (128, 128), interpolation=cv2.INTER_AREA)
    grey = np.full((180, 320, 3), 90, np.uint8)
    found, nobody = detector.detect_again([small, grey])
    (face,) = detector.detect([astronaut], SIZE)[0]
    assert any(Box(*(value * 4 for value in each.box)).iou(face.box) > 0.5 for each in found)
    assert nobody == []
    assert detector.detect_again([]) == []
