"""A YAML file as plain values, with the line of each key, so that an error can point at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from openlfr.domain.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    Lines = Mapping[tuple[str | int, ...], int]

_SCALARS = {f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "str")}
_TIMESTAMP = "tag:yaml.org,2002:timestamp"


class DuplicateKeys(Exception):
    """Keys that stand twice in one block; carries (line, sentence) pairs."""

    def __init__(self, problems: list[tuple[int, str]]) -> None:
        super().__init__(problems)
        self.problems = problems


def read_yaml(path: Path) -> tuple[Any, Lines]:
    """Read a YAML 1.2 file.

    The file is composed, not constructed: nodes know their lines, every duplicate key is found
    and not only the first, and a time keeps the offset that its author wrote (a YAML loader
    would turn it into naive UTC).

    Returns:
        The values (dict, list, str, int, float, bool, None; times stay text) and the line,
        from 1, of every key and list item by its path.

    Raises:
        Misconfigured: No such file, not text, empty, or not YAML.
        DuplicateKeys: Some keys stand twice.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise Misconfigured(
            f"{path} does not exist; `openlfr init` writes a commented CONFIG.yaml"
        ) from None
    except UnicodeDecodeError as error:
        raise Misconfigured(f"{path} is not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read: {error.strerror}") from error
    yaml = YAML(typ="safe", pure=True)
    try:
        root = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path} line {mark.line + 1}" if mark else str(path)
        what = error.problem or error.context or "it cannot be parsed"
        raise Misconfigured(f"{where}: not valid YAML: {what}") from error
    except YAMLError as error:
        raise Misconfigured(f"{path} is not valid YAML: {error}") from error
    if root is None:
        raise Misconfigured(f"{path} is empty; `openlfr init` writes a commented CONFIG.yaml")
    reader = _Reader(path, yaml)
    values = reader.plain(root, (), ())
    if reader.duplicates:
        raise DuplicateKeys(reader.duplicates)
    return values, reader.lines


class _Reader:
    """Turns nodes into plain values and notes their lines on the way."""

    def __init__(self, path: Path, yaml: YAML) -> None:
        self._path = path
        self._yaml = yaml
        self.lines: dict[tuple[str | int, ...], int] = {}
        self.duplicates: list[tuple[int, str]] = []

    def plain(self, node: Node, at: tuple[str | int, ...], parents: tuple[int, ...]) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(at, line)
        if id(node) in parents:
            raise Misconfigured(f"{self._path} line {line}: the block contains itself")
        if isinstance(node, MappingNode):
            return self._mapping(node, at, (*parents, id(node)))
        if isinstance(node, SequenceNode):
            inside = (*parents, id(node))
            return [self.plain(item, (*at, i), inside) for i, item in enumerate(node.value)]
        return self._scalar(node, line)

    def _mapping(
        self, node: MappingNode, at: tuple[str | int, ...], parents: tuple[int, ...]
    ) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode):
                raise Misconfigured(f"{self._path} line {line}: a key must be a plain word")
            key = str(key_node.value)
            if key in values:
                first = self.lines[*at, key]
                named = ".".join(map(str, (*at, key)))
                self.duplicates.append((line, f"{named} stands here again, first on line {first}"))
                continue
            self.lines[*at, key] = line
            values[key] = self.plain(value_node, (*at, key), parents)
        return values

    def _scalar(self, node: Node, line: int) -> Any:
        tag = str(node.tag)
        if tag == _TIMESTAMP:
            return node.value
        if tag not in _SCALARS:
            raise Misconfigured(
                f"{self._path} line {line}: {tag.removeprefix('tag:yaml.org,2002:')!r} is a tag"
                " that a configuration does not need; write the value itself"
            )
        return self._yaml.constructor.construct_object(node)
