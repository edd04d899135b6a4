"""A prepared graph computes what the shipped one computes."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from openlfr.adapters.models import onnx_graph
from openlfr.adapters.models.onnx import open_session
from openlfr.adapters.models.sface import normalise_rows
from openlfr.stages.align import align

CPU = ["CPUExecutionProvider"]


@pytest.fixture(scope="module")
def faces(yunet, group_photo, astronaut):
    """(n, 112, 112, 3) aligned faces, and pictures of noise as the worst case."""
    aligned = [
        align(picture, np.stack([d.landmarks for d in yunet.detect([picture], (640, 640))[0]]))
        for picture in (group_photo, astronaut)
    ]
    noise = np.random.default_rng(1).integers(0, 256, (8, 112, 112, 3), dtype=np.uint8)
    return np.concatenate([*aligned, noise])


@pytest.fixture(scope="module")
def shipped(model_store):
    return model_store.folder / "face_recognition_sface_2021dec.onnx"


@pytest.fixture(scope="module")
def templates_as_shipped(shipped, faces):
    session = open_session(shipped.read_bytes(), providers=CPU)
    planes = faces[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32)
    return normalise_rows(
        np.concatenate([session.run(["fc1"], {"data": plane[None]})[0] for plane in planes])
    )


def templates_as_prepared(shipped, faces):
    model = onnx_graph.prepare(onnx.load(str(shipped)), free_size=False, rgb=True)
    assert not [node for node in model.graph.node if node.op_type == "PRelu"]
    session = open_session(model.SerializeToString(), providers=CPU)
    return normalise_rows(session.run(None, {onnx_graph.PICTURES: faces})[0])


def test_prepared_sface_gives_the_templates_of_the_shipped_one(
    shipped, faces, templates_as_shipped
):
    similarity = (templates_as_prepared(shipped, faces) * templates_as_shipped).sum(axis=1)
    assert similarity.min() >= 0.999999


def test_ignoring_slopes_above_one_would_be_noticed(
    shipped, faces, templates_as_shipped, monkeypatch
):
    monkeypatch.setattr(onnx_graph, "_signs", np.ones_like)
    similarity = (templates_as_prepared(shipped, faces) * templates_as_shipped).sum(axis=1)
    assert similarity.min() < 0.995


def test_prepared_yunet_gives_the_grids_of_the_shipped_one(model_store, group_photo):
    picture = group_photo[:640, 300:940]
    shipped = (model_store.folder / "face_detection_yunet_2023mar.onnx").read_bytes()
    session = open_session(shipped, providers=CPU)
    names = [output.name for output in session.get_outputs()]
    planes = picture.transpose(2, 0, 1)[None].astype(np.float32)
    expected = session.run(names, {"input": planes})
    prepared = open_session(model_store.load("yunet").content, providers=CPU)
    answers = prepared.run(names, {onnx_graph.PICTURES: np.stack([picture, picture[::-1]])})
    for answer, grid in zip(answers, expected, strict=True):
        np.testing.assert_allclose(answer[0], grid[0], atol=1e-5)


def graph_of(slopes, second):
    """Conv, PRelu with these slopes, and what `second` says reads it."""
    random = np.random.default_rng(2)
    channels = len(slopes)
    shapes = {"dense": (5, channels, 3, 3), "depthwise": (channels, 1, 3, 3)}
    weights = {
        "first": random.normal(size=(channels, 2, 3, 3)),
        "slopes": np.array(slopes).reshape(-1, 1, 1),
    }
    nodes = [
        helper.make_node("Conv", ["x", "first"], ["a"], pads=[1] * 4),
        helper.make_node("PRelu", ["a", "slopes"], ["b"]),
    ]
    for reader in second:
        group = channels if reader == "depthwise" else 1
        weights[reader] = random.normal(size=shapes[reader])
        nodes.append(
            helper.make_node("Conv", ["b", reader], [f"out_{reader}"], pads=[1] * 4, group=group)
        )
    outputs = [f"out_{reader}" for reader in second] or ["b"]
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2, 6, 6])],
        [helper.make_tensor_value_info(o, TensorProto.FLOAT, [1, None, 6, 6]) for o in outputs],
        [numpy_helper.from_array(v.astype(np.float32), name) for name, v in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)


@pytest.mark.parametrize(
    ("slopes", "readers", "replaced"),
    [
        ([0.25, -0.5, 0.0, 1.0], ["dense"], 1),
        ([0.25, 1.5, 3.0, -2.0], ["dense"], 1),
        ([0.25, 1.5, 3.0, -2.0], ["depthwise"], 1),
        ([0.25, 0.5, 0.1, 1.0], ["dense", "depthwise"], 1),
        ([0.25, 1.5, 3.0, -2.0], ["dense", "depthwise"], 0),  # two readers: nobody undoes a sign
        ([0.25, 1.5, 3.0, -2.0], [], 0),  # an output: nobody undoes a sign
        ([0.25, 0.5, 0.1, 1.0], [], 1),
    ],
)
def test_split_prelus_compute_the_same(slopes, readers, replaced):
    model = graph_of(slopes, readers)
    x = np.random.default_rng(3).normal(size=(1, 2, 6, 6)).astype(np.float32)
    before = open_session(model.SerializeToString(), providers=CPU).run(None, {"x": x})
    assert onnx_graph.split_prelus(model.graph) == replaced
    after = open_session(model.SerializeToString(), providers=CPU).run(None, {"x": x})
    for one, other in zip(before, after, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)
