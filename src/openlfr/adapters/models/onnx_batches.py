"""Makes an operator's own graph accept several pictures per run, if it was exported for one.

The exporters of SCRFD and ArcFace write graphs for one picture: the batch size in the shapes is 1.
The batch size is made variable, and the result is tested on the CPU: its outputs for three pictures
together must equal the original graph's outputs for each picture. If they differ, the original
graph is used, one picture per run.
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

    Outputs = list[NDArray[np.float32]]
    Split = Callable[[NDArray[np.float32], int], Sequence[NDArray[np.float32]]]

_MAX_DIFFERENCE = 1e-3
"""Maximum difference of an output, relative to the output's maximum."""
_SIDE = 64  # side of the test pictures, pixels, if the graph has no fixed size

log = structlog.get_logger()


def split_rows(output: NDArray[np.float32], count: int) -> Sequence[NDArray[np.float32]]:
    """Split an output whose rows are ordered by picture."""
    return np.split(output, count)


def split_interleaved(anchors: int) -> Split:
    """Make a function that splits an output whose rows are ordered by cell, then by picture.

    Each cell has `anchors` rows per picture. SCRFD's own exporter writes such graphs: their batch
    comes after height and width.
    """

    def split(output: NDArray[np.float32], count: int) -> Sequence[NDArray[np.float32]]:
        cells = output.reshape(-1, count, anchors, output.shape[-1])
        return [cells[:, n].reshape(-1, output.shape[-1]) for n in range(count)]

    return split


def open_for_batches(
    ready: PreparedModel, *, providers: Sequence[str], threads: int, splits: Sequence[Split]
) -> tuple[onnxruntime.InferenceSession, Split | None]:
    """Open an operator's own graph, with a variable batch if that does not change its outputs.

    Args:
        ready: Model from `ModelStore.load`.
        providers: Providers from `choose_providers`.
        threads: Number of threads inside one operator.
        splits: Functions that may split the outputs by picture, likeliest first.

    Returns:
        The session, and the function that splits its outputs; None for one picture per run.

    Raises:
        Misconfigured: The graph cannot be run at all.
    """
    content, split, why = ready.content, None, "outputs of a batch differ from single outputs"
    shipped = open_session(content, providers=[CPU], threads=threads, path=ready.path)
    try:
        freed = free_batch(content)
        split = _find_split(
            shipped, open_session(freed, providers=[CPU], threads=threads, path=ready.path), splits
        )
    except Exception as error:  # noqa: BLE001 - after any failure the original graph is used
        why = str(error)[:200]
    if split is None:
        log.warning("one_picture_at_a_time", model=ready.name, why=why)
    else:
        content = freed
    return open_session(content, providers=providers, threads=threads, path=ready.path), split


def free_batch(content: bytes) -> bytes:
    """Return the same graph with a variable batch in place of the batch size 1.

    Raises:
        Misconfigured: The graph's input is not one batch of pictures.
    """
    import onnx
    from onnx import numpy_helper

    model = onnx.load_from_string(content)
    graph = model.graph
    weights = {item.name: item for item in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    if len(inputs) != 1 or len(inputs[0].type.tensor_type.shape.dim) != 4:
        raise Misconfigured("its input is not one batch of pictures")
    del graph.input[:]
    graph.input.extend(inputs)
    inputs[0].type.tensor_type.shape.dim[0].dim_param = "batch"
    graph.input[0].CopyFrom(inputs[0])
    for value in graph.output:
        for rows in value.type.tensor_type.shape.dim[:1]:
            rows.dim_param = f"rows_{value.name}"
    del graph.value_info[:]  # it contains the fixed shapes
    constants = {
        node.output[0]: node.attribute[0].t
        for node in graph.node
        if node.op_type == "Constant" and node.attribute and node.attribute[0].HasField("t")
    }
    for node in graph.node:
        shape = _reshape_target(node, weights, constants)
        values = None if shape is None else numpy_helper.to_array(shape).copy()
        if shape is not None and values is not None and values.size and values[0] == 1:
            values[0] = 0  # in ONNX: the input's own size
            shape.CopyFrom(numpy_helper.from_array(values, shape.name))
    freed: bytes = model.SerializeToString()
    return freed


def _reshape_target(
    node: onnx.NodeProto,
    weights: dict[str, onnx.TensorProto],
    constants: dict[str, onnx.TensorProto],
) -> onnx.TensorProto | None:
    """Return the constant target shape of a Reshape node; None for other nodes."""
    if node.op_type != "Reshape":
        return None
    return weights.get(node.input[1]) or constants.get(node.input[1])


def _find_split(
    shipped: onnxruntime.InferenceSession,
    freed: onnxruntime.InferenceSession,
    splits: Sequence[Split],
) -> Split | None:
    """Return the first split of a batch's outputs that equals the original graph's outputs."""
    graph_input = shipped.get_inputs()[0]
    sides = [side if isinstance(side, int) else _SIDE for side in graph_input.shape[1:]]
    pictures = np.random.default_rng(0).normal(0, 1, (3, *sides)).astype(np.float32)
    alone = [shipped.run(None, {graph_input.name: picture[None]}) for picture in pictures]
    together = freed.run(None, {graph_input.name: pictures})
    for split in splits:
        if _is_same(together, alone, split):
            return split
    return None


def _is_same(together: Outputs, alone: Sequence[Outputs], split: Split) -> bool:
    for number, output in enumerate(together):
        try:
            parts = split(output, len(alone))
        except ValueError:  # the number of rows does not fit
            return False
        for part, single in zip(parts, alone, strict=True):
            expected = single[number]
            if part.shape != expected.shape:
                return False
            tolerance = _MAX_DIFFERENCE * max(1e-6, float(np.abs(expected).max(initial=0.0)))
            if np.abs(part - expected).max(initial=0.0) > tolerance:
                return False
    return True
