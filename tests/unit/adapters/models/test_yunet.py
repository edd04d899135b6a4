"""How pictures of several cameras go into the network together."""

from __future__ import annotations

import numpy as np
import pytest

from openlfr.adapters.models import yunet
from openlfr.adapters.models.catalogue import CATALOGUE
from openlfr.adapters.models.onnx_graph import PICTURES
from openlfr.adapters.models.store import PreparedModel

SIZE = (320, 192)


def pictures(*shapes):
    random = np.random.default_rng(1)
    return [random.integers(0, 256, (*shape, 3), np.uint8) for shape in shapes]


def test_a_picture_is_the_same_in_a_batch_as_alone():
    images = pictures((180, 320), (360, 640), (540, 960), (180, 320))
    batch = yunet.fit_pictures(images, SIZE)
    assert batch.shape == (4, 192, 320, 3)
    for image, row in zip(images, batch, strict=True):
        np.testing.assert_array_equal(yunet.fit_pictures([image], SIZE)[0], row)
    np.testing.assert_array_equal(batch[0, :180], images[0])
    assert not batch[:, 180:].any()


def test_a_picture_of_the_right_size_is_not_copied():
    (image,) = pictures((192, 320))
    assert np.shares_memory(yunet.fit_pictures([image], SIZE), image)


class Spy:
    """A session that detects nothing, and records the shapes of its batches."""

    def __init__(self, provider: str) -> None:
        self.provider = provider
        self.shapes: list[tuple[int, ...]] = []

    def get_providers(self) -> list[str]:
        return [self.provider, "CPUExecutionProvider"]

    def run(self, names, feed):
        shape = feed[PICTURES].shape
        self.shapes.append(shape)
        last = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
        cells = {stride: shape[1] * shape[2] // stride**2 for stride in yunet.STRIDES}
        return [
            np.zeros((shape[0], cells[int(stride)], last[kind]), np.float32)
            for kind, stride in (name.split("_") for name in names)
        ]


@pytest.mark.parametrize(
    ("provider", "runs"),
    [
        ("CUDAExecutionProvider", [(7, 736, 1280, 3), (1, 736, 928, 3)]),
        ("CPUExecutionProvider", [(1, 736, 1280, 3)] * 7 + [(1, 736, 928, 3)]),
    ],
)
def test_a_gpu_sees_the_pictures_of_all_cameras_at_once(monkeypatch, tmp_path, provider, runs):
    spy = Spy(provider)
    monkeypatch.setattr(yunet, "open_session", lambda *_, **__: spy)
    detector = yunet.YuNet(
        PreparedModel("y", tmp_path, b"", "", CATALOGUE[0]), providers=[provider]
    )
    images = pictures(*[(720, 1280), (1080, 1920)] * 3, (720, 900), (736, 1280))
    assert detector.detect(images, (1280, 736)) == [[]] * 8
    assert spy.shapes == runs
