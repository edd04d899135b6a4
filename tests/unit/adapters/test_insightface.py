"""An operator's SCRFD, called through insightface without its surprises."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from openlfr.adapters.insightface import Scrfd
from openlfr.adapters.model_catalogue import Family, Model
from openlfr.adapters.model_store import PreparedModel
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


def test_its_answers_come_out_in_source_pixels(scrfd):
    pictures = [np.zeros((SIDE, SIDE, 3), np.uint8), np.zeros((2 * SIDE, SIDE, 3), np.uint8)]
    (face,), (tall,) = scrfd.detect(pictures, (SIDE, SIDE))
    assert face.box == pytest.approx((16, 16, 32, 32))
    assert face.score == pytest.approx(0.9)
    np.testing.assert_allclose(face.landmarks, [[24, 24], [40, 24], [32, 32], [24, 40], [40, 40]])
    assert tall.box == pytest.approx((32, 32, 64, 64))


def test_a_size_that_a_fixed_graph_would_ignore_is_refused(scrfd):
    with pytest.raises(Misconfigured, match="only takes pictures of 64x64"):
        scrfd.detect([np.zeros((SIDE, SIDE, 3), np.uint8)], (640, 640))
