"""An operator's SCRFD and ArcFace, called through insightface without its surprises."""

from __future__ import annotations

import numpy as np
import own_graphs
import pytest
from onnx import TensorProto, helper, numpy_helper

from openlfr.adapters.models import insightface
from openlfr.adapters.models.catalogue import Family, Model
from openlfr.adapters.models.insightface import ArcFace, Scrfd
from openlfr.adapters.models.store import PreparedModel
from openlfr.domain.errors import Misconfigured

SIDE = 64


@pytest.fixture
def scrfd(tmp_path):
    """A detector for 64x64 that finds one face, always, in the cell around (32, 24).

    Like SCRFD it answers with scores, distances to the four sides and landmarks (both in strides)
    for two anchors a cell, at strides 8, 16 and 32.
    """
    answers = {}
    for kind, width in (("score", 1), ("box", 4), ("kps", 10)):
        for stride in (8, 16, 32):
            answers[f"{kind}_{stride}"] = np.zeros((2 * (SIDE // stride) ** 2, width), np.float32)
    cell = 2 * (3 * 8 + 4)  # row 3, column 4 at stride 8
    answers["score_8"][cell] = 0.9
    answers["box_8"][cell] = [2, 1, 2, 3]
    answers["kps_8"][cell] = [-1, 0, 1, 0, 0, 1, -1, 2, 1, 2]
    graph = helper.make_graph(
        [helper.make_node("Identity", [f"{name}_c"], [name]) for name in answers],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, v.shape) for n, v in answers.items()],
        [numpy_helper.from_array(values, f"{name}_c") for name, values in answers.items()],
    )
    path = tmp_path / "own.onnx"  # is not there: what was verified is what is called
    opset = [helper.make_opsetid("", 11)]
    graph = helper.make_model(graph, opset_imports=opset, ir_version=6).SerializeToString()
    model = Model("own", Family.SCRFD, "own.onnx", "", "ours", "", mean=127.5, std=128.0)
    return Scrfd(PreparedModel("own", path, graph, "", model), providers=["CPUExecutionProvider"])


def test_detections_are_in_source_pixels(scrfd):
    pictures = [np.zeros((SIDE, SIDE, 3), np.uint8), np.zeros((2 * SIDE, SIDE, 3), np.uint8)]
    (face,), (tall,) = scrfd.detect(pictures, (SIDE, SIDE))
    assert face.box == pytest.approx((16, 16, 32, 32))
    assert face.score == pytest.approx(0.9)
    np.testing.assert_allclose(face.landmarks, [[24, 24], [40, 24], [32, 32], [24, 40], [40, 40]])
    assert tall.box == pytest.approx((32, 32, 64, 64))


def test_a_size_that_a_fixed_graph_would_ignore_is_refused(scrfd):
    with pytest.raises(Misconfigured, match="only accepts pictures of 64x64"):
        scrfd.detect([np.zeros((SIDE, SIDE, 3), np.uint8)], (640, 640))


def own(family, content, tmp_path, **more):
    model = Model("own", family, "own.onnx", "", "ours", "", mean=127.5, std=128.0)
    kind = Scrfd if family is Family.SCRFD else ArcFace
    ready = PreparedModel("own", tmp_path / "own.onnx", content, "", model)
    return kind(ready, providers=["CPUExecutionProvider"], **more)


def as_shipped(family, content, tmp_path, monkeypatch):
    """The same model, its graph left as it is: what the batches must agree with."""
    with monkeypatch.context() as patched:
        patched.setattr("openlfr.adapters.models.onnx_batches.free_batch", lambda _: b"no graph")
        return own(family, content, tmp_path)


@pytest.fixture
def runs(monkeypatch):
    """Return the number of pictures in each run of a model."""
    given = []

    def count(model):
        session = model._model.session

        class Counted:
            def run(self, names, feed):
                given.append(len(next(iter(feed.values()))))
                return session.run(names, feed)

        model._model.session = Counted()
        return given

    return count


PICTURES = [
    np.random.default_rng(n).integers(0, 256, shape, np.uint8)
    for n, shape in enumerate([(96, 128, 3), (128, 96, 3), (64, 64, 3), (200, 90, 3), (96, 128, 3)])
]


@pytest.mark.parametrize("side", [None, 64, 96])
@pytest.mark.parametrize("layout", ["interleaved", "rows", "batched"])
def test_pictures_of_many_cameras_share_a_network_call(layout, side, tmp_path, monkeypatch, runs):
    content = own_graphs.scrfd(layout, side=side)
    size = (side or 96, side or 64)
    single = as_shipped(Family.SCRFD, content, tmp_path, monkeypatch)
    expected = single.detect(PICTURES, size)
    assert sum(map(len, expected)) > 5
    assert len({len(each) for each in expected}) > 1  # they differ
    batched = own(Family.SCRFD, content, tmp_path)
    given = runs(batched)
    assert_same(batched.detect(PICTURES, size), expected)
    assert given == [5]
    assert_same(batched.detect_again(PICTURES), single.detect_again(PICTURES))
    assert_same(batched.detect(PICTURES[2:3], size), expected[2:3])
    assert batched.detect([], size) == []


def assert_same(found, expected):
    assert [len(each) for each in found] == [len(each) for each in expected]
    for ours, theirs in zip(found, expected, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            assert one.box == pytest.approx(other.box, abs=1e-2)
            assert one.score == pytest.approx(other.score, abs=1e-5)
            np.testing.assert_allclose(one.landmarks, other.landmarks, atol=1e-2)


def test_a_batch_contains_no_more_pictures_than_the_memory_permits(tmp_path, monkeypatch, runs):
    monkeypatch.setattr(insightface, "_PIXELS_PER_RUN", 2 * 64 * 64)
    batched = own(Family.SCRFD, own_graphs.scrfd("rows", side=64), tmp_path)
    given = runs(batched)
    batched.detect(PICTURES, (64, 64))
    assert given == [2, 2, 1]


def test_a_graph_that_mixes_pictures_takes_one_at_a_time(tmp_path, monkeypatch, runs):
    """It would give other faces together than alone: nothing is worth that."""
    content = own_graphs.scrfd("mixed", side=64)
    model = own(Family.SCRFD, content, tmp_path)
    given = runs(model)
    found = model.detect(PICTURES, (64, 64))
    assert given == [1] * 5
    assert_same(
        found, as_shipped(Family.SCRFD, content, tmp_path, monkeypatch).detect(PICTURES, (64, 64))
    )


@pytest.mark.parametrize("flat", ["Flatten", "Reshape", "Constant"])
def test_faces_are_embedded_together_and_as_alone(flat, tmp_path, monkeypatch, runs):
    content = own_graphs.arcface(flat=flat)
    faces = np.random.default_rng(5).integers(0, 256, (19, 112, 112, 3), np.uint8)
    single = as_shipped(Family.ARCFACE, content, tmp_path, monkeypatch)
    assert single._faces_per_run == 1
    model = own(Family.ARCFACE, content, tmp_path)
    given = runs(model)
    templates = model.embed(faces)
    assert given == [8, 8, 3]
    np.testing.assert_allclose(templates, single.embed(faces), atol=1e-5)
    np.testing.assert_allclose(templates[4:5], model.embed(faces[4:5]), atol=1e-5)
    assert len(np.unique(templates.round(3), axis=0)) == 19
