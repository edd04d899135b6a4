"""An operator's own graph, made to take several pictures at once where it was exported for one.

What the exporters of SCRFD and ArcFace write takes one picture: the batch is a 1 in the shapes. It
is made free here, and then tried on the CPU: three pictures together must give what each gives
alone to the graph as shipped. One that does not is run as it was shipped, one picture at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import structlog

from openlfr.adapters.models.onnx import CPU, open_session
from openlfr.domain.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import onnx
    import onnxruntime
    from numpy.typing import NDArray

    from openlfr.adapters.models.store import PreparedModel

    Answer = list[NDArray[np.float32]]
    Split = Callable[[NDArray[np.float32], int], Sequence[NDArray[np.float32]]]

_ALIKE = 1e-3
"""Greatest difference of an answer, relative to the answer's greatest value."""
_SIDE = 64  # pixels of the pictures that are tried, where the graph leaves that open

log = structlog.get_logger()


def first_axis(answer: NDArray[np.float32], count: int) -> Sequence[NDArray[np.float32]]:
    """The parts of an answer whose rows are the pictures', one picture after another."""
    return np.split(answer, count)


def interleaved(anchors: int) -> Split:
    """Parts of rows in which the pictures take turns after each cell, which has so many anchors.

    So SCRFD's own exporter writes them: it moves the batch behind height and width.
    """

    def split(answer: NDArray[np.float32], count: int) -> Sequence[NDArray[np.float32]]:
        cells = answer.reshape(-1, count, anchors, answer.shape[-1])
        return [cells[:, n].reshape(-1, answer.shape[-1]) for n in range(count)]

    return split


def open_for_batches(
    ready: PreparedModel, *, providers: Sequence[str], threads: int, splits: Sequence[Split]
) -> tuple[onnxruntime.InferenceSession, Split | None]:
    """Open a graph of the operator's, its batch free where that changes nothing.

    Args:
        ready: As `ModelStore.load` gave it.
        providers: As `choose_providers` gave them.
        threads: Inside one operator.
        splits: Ways in which its answers may hold several pictures', likeliest first.

    Returns:
        The session, and how its answers are taken apart; None where it takes one picture.

    Raises:
        Misconfigured: The graph cannot be run at all.
    """
    content, split, why = ready.content, None, "several together do not give what each gives alone"
    shipped = open_session(content, providers=[CPU], threads=threads, path=ready.path)
    try:
        freed = free_batch(content)
        split = _proven(
            shipped, open_session(freed, providers=[CPU], threads=threads, path=ready.path), splits
        )
    except Exception as error:  # noqa: BLE001 - whatever it is, the graph runs as it was shipped
        why = str(error)[:200]
    if split is None:
        log.warning("one_picture_at_a_time", model=ready.name, why=why)
    else:
        content = freed
    return open_session(content, providers=providers, threads=threads, path=ready.path), split


def free_batch(content: bytes) -> bytes:
    """The same graph with the batch, a 1 in its shapes, free.

    Raises:
        Misconfigured: It has not one input of pictures.
    """
    import onnx
    from onnx import numpy_helper

    model = onnx.load_from_string(content)
    graph = model.graph
    weights = {item.name: item for item in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    if len(inputs) != 1 or len(inputs[0].type.tensor_type.shape.dim) != 4:
        raise Misconfigured("it takes something else than one batch of pictures")
    del graph.input[:]
    graph.input.extend(inputs)
    inputs[0].type.tensor_type.shape.dim[0].dim_param = "batch"
    graph.input[0].CopyFrom(inputs[0])
    for value in graph.output:
        for rows in value.type.tensor_type.shape.dim[:1]:
            rows.dim_param = f"rows_{value.name}"
    del graph.value_info[:]  # they name the fixed shapes
    constants = {
        node.output[0]: node.attribute[0].t
        for node in graph.node
        if node.op_type == "Constant" and node.attribute and node.attribute[0].HasField("t")
    }
    for node in graph.node:
        shape = _shape_of(node, weights, constants)
        values = None if shape is None else numpy_helper.to_array(shape).copy()
        if shape is not None and values is not None and values.size and values[0] == 1:
            values[0] = 0  # in ONNX: as many as the input has
            shape.CopyFrom(numpy_helper.from_array(values, shape.name))
    freed: bytes = model.SerializeToString()
    return freed


def _shape_of(
    node: onnx.NodeProto,
    weights: dict[str, onnx.TensorProto],
    constants: dict[str, onnx.TensorProto],
) -> onnx.TensorProto | None:
    """The shape that a Reshape gives, where it is written down."""
    if node.op_type != "Reshape":
        return None
    return weights.get(node.input[1]) or constants.get(node.input[1])


def _proven(
    shipped: onnxruntime.InferenceSession,
    freed: onnxruntime.InferenceSession,
    splits: Sequence[Split],
) -> Split | None:
    """The first way of taking answers apart that gives what the shipped graph gives singly."""
    asked = shipped.get_inputs()[0]
    sides = [side if isinstance(side, int) else _SIDE for side in asked.shape[1:]]
    pictures = np.random.default_rng(0).normal(0, 1, (3, *sides)).astype(np.float32)
    alone = [shipped.run(None, {asked.name: picture[None]}) for picture in pictures]
    together = freed.run(None, {asked.name: pictures})
    for split in splits:
        if _same(together, alone, split):
            return split
    return None


def _same(together: Answer, alone: Sequence[Answer], split: Split) -> bool:
    for number, answer in enumerate(together):
        try:
            parts = split(answer, len(alone))
        except ValueError:  # not so many rows
            return False
        for part, single in zip(parts, alone, strict=True):
            expected = single[number]
            most = _ALIKE * max(1e-6, float(np.abs(expected).max(initial=0.0)))
            if part.shape != expected.shape or np.abs(part - expected).max(initial=0.0) > most:
                return False
    return True
