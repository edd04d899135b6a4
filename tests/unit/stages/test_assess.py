"""Quality falls where a face becomes less useful, for the reason that is meant."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from openlfr.domain.faces import Box
from openlfr.stages.assess import assess, assess_faces


@pytest.fixture(scope="module")
def portrait(astronaut, yunet):
    return astronaut, yunet.detect([astronaut], (512, 512))[0][0]


def quality_of(image, detection):
    return assess_faces(image, [detection])[0]


def shrunk(image, detection, factor):
    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    box = Box(*(value * factor for value in detection.box))
    return small, replace(detection, box=box, landmarks=detection.landmarks * factor)


def test_a_good_portrait_is_a_good_reference(portrait):
    quality = quality_of(*portrait)
    assert 60 < quality.score <= 100
    assert quality.frontal > 0.6
    assert quality.exposure > 0.8
    right, left = portrait[1].landmarks[:2]
    assert quality.eye_distance == pytest.approx(float(np.hypot(*(left - right))), rel=1e-5)


@pytest.mark.parametrize("sigma", [1.0, 3.0, 6.0])
def test_a_blurred_face_is_worse(portrait, sigma):
    image, detection = portrait
    blurred = quality_of(cv2.GaussianBlur(image, (0, 0), sigma), detection)
    sharp = quality_of(image, detection)
    assert blurred.sharpness < sharp.sharpness
    assert blurred.score < sharp.score
    assert blurred.eye_distance == sharp.eye_distance


@pytest.mark.parametrize("factor", [0.5, 0.25, 0.125])
def test_a_small_face_is_worse(portrait, factor):
    small, large = quality_of(*shrunk(*portrait, factor)), quality_of(*portrait)
    assert small.score < large.score
    assert small.eye_distance == pytest.approx(factor * large.eye_distance, rel=1e-3)


@pytest.mark.parametrize(
    "spoil",
    [lambda image: image * 0.08, lambda image: np.minimum(image * 4.0 + 60, 255)],
    ids=["crushed", "blown out"],
)
def test_dark_and_glaring_light_show_in_the_exposure(portrait, spoil):
    image, detection = portrait
    spoilt = quality_of(spoil(image.astype(np.float64)).astype(np.uint8), detection)
    assert spoilt.exposure < 0.6 < quality_of(image, detection).exposure
    assert spoilt.score < quality_of(image, detection).score


def test_a_turned_face_is_less_frontal(portrait):
    image, detection = portrait
    frontal = []
    for turn in (0.0, 0.3, 0.6):
        landmarks = detection.landmarks.copy()
        middle = landmarks[:2].mean(axis=0)
        landmarks[2] = middle + (landmarks[1] - landmarks[0]) * turn + (0, 20)
        frontal.append(quality_of(image, replace(detection, landmarks=landmarks)).frontal)
    assert frontal[0] == pytest.approx(1, abs=0.05)
    assert frontal[0] > frontal[1] > frontal[2]
    assert frontal[2] == 0


def test_a_doubtful_detection_is_worse(portrait):
    image, detection = portrait
    doubtful = replace(detection, score=0.5)
    assert quality_of(image, doubtful).score < quality_of(image, detection).score


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("side", [0.0, 2.0, 4000.0])
def test_every_quality_is_in_range(portrait, level, side):
    landmarks = np.full((5, 2), 3.0, np.float32)
    detection = replace(portrait[1], box=Box(0, 0, side, side), score=0.0, landmarks=landmarks)
    (quality,) = assess([detection], np.full((1, 112, 112, 3), level, np.uint8))
    assert 0 <= quality.score <= 100
    assert quality.eye_distance == 0
    for measure in (quality.sharpness, quality.frontal, quality.exposure):
        assert 0 <= measure <= 1


def test_no_face_gives_no_quality(portrait):
    assert assess_faces(portrait[0], []) == []
    assert assess([], np.empty((0, 112, 112, 3), np.uint8)) == []
