"""The gate: what may never be loaded, however it is called.

OpenLFR finds and compares faces. It does not guess anybody's age, sex, race or emotion, and a
graph that does so is refused even when an operator states it. The gate prevents accidents (a
model pack unpacked into the wrong folder), not intent: whoever changes this file can load
anything.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from openlfr.adapters.model_catalogue import Task
from openlfr.domain.errors import Misconfigured

if TYPE_CHECKING:
    from pathlib import Path

    import onnx

PROMISE = "Age, sex, race and emotion heads are never loaded (this prevents accidents, not intent)."

_ATTRIBUTE = re.compile(
    r"(?<![a-z])(age|sex|race|races)(?![a-z])|gender|ethnic|emotion|expression|attribute",
    re.IGNORECASE,
)
_NARROWEST_TEMPLATE = 64  # genderage graphs of insightface packs answer with 3 numbers
_WIDEST_TEMPLATE = 2048  # 3D landmark graphs answer with 3,309
_ALIGNED = (112, 112)  # attribute graphs take 96x96, landmark graphs 192x192
_WITH_LANDMARKS = (9, 15)  # outputs of an SCRFD graph: scores, boxes and landmarks per stride


def refuse_by_name(path: Path) -> None:
    """Refuse a file for its name, before a byte of it is parsed.

    Raises:
        Misconfigured: The name tells of an attribute head.
    """
    if found := _ATTRIBUTE.search(path.stem):
        raise Misconfigured(f"{path} is refused: its name says {found.group()!r}. {PROMISE}")


def refuse_by_graph(path: Path, task: Task) -> None:
    """Refuse a graph that guesses attributes, or that cannot be what it is stated to be.

    Args:
        path: A file whose hash was checked against the operator's statement.
        task: What it is stated to be.

    Raises:
        Misconfigured: It names an attribute, or its inputs and outputs do not fit the task.
    """
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load(str(path), load_external_data=False)
    except (DecodeError, OSError, ValueError) as error:
        raise Misconfigured(f"{path} is no ONNX graph: {error}") from error
    texts = [value.name for value in model.graph.output]
    texts += [model.graph.name, *(f"{p.key} {p.value}" for p in model.metadata_props)]
    for text in texts:
        if found := _ATTRIBUTE.search(text):
            raise Misconfigured(f"{path} is refused: it names {found.group()!r}. {PROMISE}")
    if not _fits(model.graph, task):
        need = (
            "one output of 64 to 2,048 numbers from a 112x112 face"
            if task is Task.EMBEDDING
            else "9 or 15 outputs (scores, boxes and landmarks)"
        )
        raise Misconfigured(f"{path} is refused: a graph for face {task} has {need}. {PROMISE}")


def _fits(graph: onnx.GraphProto, task: Task) -> bool:
    if task is Task.DETECTION:
        return len(graph.output) in _WITH_LANDMARKS
    weights = {item.name for item in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    if len(graph.output) != 1 or len(inputs) != 1:
        return False
    size = tuple(d.dim_value for d in inputs[0].type.tensor_type.shape.dim)[2:]
    answer = graph.output[0].type.tensor_type.shape.dim
    width = answer[-1].dim_value if answer else 0
    return size == _ALIGNED and _NARROWEST_TEMPLATE <= width <= _WIDEST_TEMPLATE
