"""Rejects model files that may never be loaded.

OpenLFR finds and compares faces. It does not guess a person's age, sex, race or emotion, so a graph
for such guesses is rejected, even if an operator declares it. A graph that reads further files is
rejected too, since the hashes of those files are unknown. The gate prevents accidents (a model pack
unpacked into the wrong folder), not intent: a person who changes this file can load anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openlfr.adapters.models.attribute_words import find_attribute, find_labels
from openlfr.adapters.models.catalogue import Task
from openlfr.domain.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import onnx

PROMISE = "Age, sex, race and emotion heads are never loaded (this prevents accidents, not intent)."

_MIN_TEMPLATE = 64  # numbers; genderage graphs of insightface packs output 3
_MAX_TEMPLATE = 2048  # numbers; 3D landmark graphs output 3,309
_ALIGNED = (112, 112)  # input size; for attribute graphs it is 96x96, for landmark graphs 192x192
_WITH_LANDMARKS = (9, 15)  # outputs of an SCRFD graph: scores, boxes and landmarks per stride
_COMPILED = "EPContext"  # a node with which a provider loads a compiled network from another file


def refuse_by_name(path: Path, name: str = "") -> None:
    """Raise if the name of a file or of its model names an attribute; called before parsing.

    Raises:
        Misconfigured: A name contains an attribute.
    """
    for text in (path.stem, name):
        if word := find_attribute(text):
            raise Misconfigured(f"{path} is refused: its name contains {word!r}. {PROMISE}")


def refuse_by_graph(path: Path, content: bytes, task: Task) -> None:
    """Raise if a graph guesses attributes, or does not fit its declared task.

    Args:
        path: Path of the file, for messages.
        content: Content of the file; its hash was compared with the declared hash.
        task: Declared task of the model.

    Raises:
        Misconfigured: The graph names an attribute, reads further files, or has inputs and outputs
            that do not fit the task.
    """
    import onnx
    from google.protobuf.message import DecodeError

    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except DecodeError as error:
        raise Misconfigured(f"{path} is no ONNX graph: {error}") from error
    for text in _iter_texts(model):
        if text.is_file:
            raise Misconfigured(
                f"{path} is refused: it reads a further file ({text.words[:80]!r}), which has no "
                "known hash. Save the model as one file."
            )
        if word := find_attribute(text.words, prose=text.is_prose):
            raise Misconfigured(f"{path} is refused: it contains the word {word!r}. {PROMISE}")
        if labels := find_labels(text.words):
            raise Misconfigured(f"{path} is refused: its labels are {labels!r}. {PROMISE}")
    if not _fits(model.graph, task):
        need = (
            "one output of 64 to 2,048 numbers from a 112x112 face"
            if task is Task.EMBEDDING
            else "9 or 15 outputs (scores, boxes and landmarks)"
        )
        raise Misconfigured(
            f"{path} is refused: a graph for face {task} must have {need}. {PROMISE}"
        )


class _Text:
    """A text in a graph: a name, prose, labels, or the name of a further file."""

    __slots__ = ("is_file", "is_prose", "words")

    def __init__(self, words: str, *, is_prose: bool = False, is_file: bool = False) -> None:
        self.words, self.is_prose, self.is_file = words, is_prose, is_file


def _iter_texts(message: Any) -> Iterator[_Text]:
    """Yield every text in a message and its nested messages (graphs, attributes, tensors).

    All fields of the format are read, so that no text is missed.
    """
    kind = message.DESCRIPTOR.name
    if kind == "TensorProto" and (message.external_data or message.data_location == 1):
        # Location 1 is EXTERNAL.
        where = next((e.value for e in message.external_data if e.key == "location"), message.name)
        yield _Text(where, is_file=True)
    if kind == "NodeProto" and message.op_type == _COMPILED:
        yield _Text(message.name or _COMPILED, is_file=True)
    if kind == "GraphProto":
        # The names of all outputs as one text, since labels count only together (man, woman).
        yield _Text(", ".join(value.name for value in message.output))
    for field, value in message.ListFields():
        repeated = not isinstance(value, (str, bytes, int, float)) and not hasattr(
            value, "ListFields"
        )
        values = value if repeated else [value]
        if field.message_type is not None:
            for each in values:
                yield from _iter_texts(each)
        elif field.type == field.TYPE_STRING:
            is_prose = field.name == "doc_string" or (
                kind == "StringStringEntryProto" and field.name == "value"
            )
            for each in values:
                yield _Text(each, is_prose=is_prose)
        elif field.type == field.TYPE_BYTES and field.name in ("s", "strings", "string_data"):
            yield _Text(", ".join(each.decode("utf-8", "replace") for each in values))


def _fits(graph: onnx.GraphProto, task: Task) -> bool:
    if task is Task.DETECTION:
        return len(graph.output) in _WITH_LANDMARKS
    weights = {item.name for item in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    if len(graph.output) != 1 or len(inputs) != 1:
        return False
    size = tuple(d.dim_value for d in inputs[0].type.tensor_type.shape.dim)[2:]
    output = graph.output[0].type.tensor_type.shape.dim
    width = output[-1].dim_value if output else 0
    return size == _ALIGNED and _MIN_TEMPLATE <= width <= _MAX_TEMPLATE
