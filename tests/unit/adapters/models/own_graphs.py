"""Graphs such as insightface's exporters write, tiny and with weights out of a generator.

No pack of insightface may be shipped: these have its inputs, outputs and shapes, a batch of one
included, and answer differently to each picture.
"""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper, numpy_helper

STRIDES = (8, 16, 32)
WIDTHS = {"score": 1, "box": 4, "kps": 10}
ANCHORS = 2


def scrfd(layout: str, *, side: int | None = None) -> bytes:
    """A detector.

    Args:
        layout: How several pictures would stand in an answer: "interleaved" as SCRFD's exporter
            writes it, "rows" one after another, "batched" with an axis of their own, "mixed" in
            a way that nobody can take apart.
        side: Of the input; None leaves it open.
    """
    random = np.random.default_rng(3)
    nodes, weights, outputs = [], [], []
    for kind, width in WIDTHS.items():
        for stride in STRIDES:
            name, channels = f"{kind}_{stride}", ANCHORS * width
            kernel = random.normal(0, 1 / stride, (channels, 3, stride, stride))
            weights.append(numpy_helper.from_array(kernel.astype(np.float32), f"{name}_w"))
            size = {"kernel_shape": [stride] * 2, "strides": [stride] * 2}
            nodes.append(helper.make_node("Conv", ["x", f"{name}_w"], [f"{name}_c"], **size))
            nodes += _shaped(name, width, layout, weights)
            cells = None if side is None else ANCHORS * (side // stride) ** 2
            shape = [1, cells, width] if layout == "batched" else [cells, width]
            outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    return _model(nodes, [1, 3, side, side], outputs, weights)


def _shaped(name, width, layout, weights):
    """From (batch, anchors x width, rows, columns) to what insightface reads."""
    perm = [2, 3, 0, 1] if layout == "interleaved" else [0, 2, 3, 1]
    yield helper.make_node("Transpose", [f"{name}_c"], [f"{name}_t"], perm=perm)
    shape = np.array([1, -1, width] if layout == "batched" else [-1, width], np.int64)
    weights.append(numpy_helper.from_array(shape, f"{name}_s"))
    yield helper.make_node("Reshape", [f"{name}_t", f"{name}_s"], [f"{name}_r"])
    last = f"{name}_r"
    if layout == "mixed":
        # All pictures' rows take part in one sum: alone it is another one than together.
        yield helper.make_node("ReduceMean", [last], [f"{name}_m"], axes=[0], keepdims=1)
        yield helper.make_node("Sub", [last, f"{name}_m"], [f"{name}_d"])
        last = f"{name}_d"
    kind = "Sigmoid" if name.startswith("score") else "Abs" if "box" in name else "Identity"
    yield helper.make_node(kind, [last], [name])


def arcface(*, flat: str = "Flatten", side: int = 112, width: int = 16) -> bytes:
    """An embedder of `width` dimensions for one face, which `flat` makes a row."""
    random = np.random.default_rng(4)
    kernel = random.normal(0, 0.05, (8, 3, 16, 16)).astype(np.float32)
    cells = 8 * (side // 16) ** 2
    matrix = random.normal(0, 0.1, (cells, width)).astype(np.float32)
    weights = [numpy_helper.from_array(kernel, "k"), numpy_helper.from_array(matrix, "m")]
    nodes = [helper.make_node("Conv", ["x", "k"], ["c"], kernel_shape=[16, 16], strides=[16, 16])]
    shape = numpy_helper.from_array(np.array([1, cells], np.int64), "s")
    if flat == "Flatten":
        nodes.append(helper.make_node("Flatten", ["c"], ["f"]))
    elif flat == "Reshape":
        weights.append(shape)
        nodes.append(helper.make_node("Reshape", ["c", "s"], ["f"]))
    else:  # as PyTorch writes it: the shape is a node
        nodes.append(helper.make_node("Constant", [], ["s"], value=shape))
        nodes.append(helper.make_node("Reshape", ["c", "s"], ["f"]))
    nodes.append(helper.make_node("MatMul", ["f", "m"], ["y"]))
    answer = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, width])
    return _model(nodes, [1, 3, side, side], [answer], weights)


def _model(nodes, shape, outputs, weights):
    asked = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    graph = helper.make_graph(nodes, "g", [asked], outputs, weights)
    opset = [helper.make_opsetid("", 11)]
    return helper.make_model(graph, opset_imports=opset, ir_version=6).SerializeToString()
