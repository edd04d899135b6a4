"""Reads YAML into plain values, and records each key's line for error messages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from openlfr.domain.addresses import redact_address
from openlfr.domain.errors import BadInput, Misconfigured
from openlfr.domain.text import describe_character
from openlfr.files import read_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    Lines = Mapping[tuple[str | int, ...], int]

_SCALARS = {f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "str")}
_QUOTED = re.compile(r"'(?!<)[^']{2,}'")
_TIMESTAMP = "tag:yaml.org,2002:timestamp"
_MAX_BYTES = 1024 * 1024
_MAX_VALUES = 50_000
"""Maximum number of values in a file; each use of an alias counts. Nine levels of ten aliases would
be a thousand million values."""
_MAX_DIGITS = 64


class DuplicateKeys(Exception):
    """A block contains a key twice. `problems` contains pairs of a line and a sentence."""

    def __init__(self, problems: list[tuple[int, str]]) -> None:
        super().__init__(problems)
        self.problems = problems


def read_yaml(path: Path) -> tuple[Any, Lines]:
    """Read a YAML 1.2 file.

    The file is composed, not constructed, for three reasons: nodes have line numbers; all duplicate
    keys are detected, not only the first; and a time retains its written offset, while a YAML
    loader would convert the time to naive UTC.

    Returns:
        The values (dict, list, str, int, float, bool, None; times stay text), and the line, from 1,
        of every key and list item by its path.

    Raises:
        Misconfigured: The file is absent, empty, too large, not text, or not YAML.
        DuplicateKeys: A block contains a key twice.
    """
    text = _read_text(path)
    yaml = YAML(typ="safe", pure=True)
    try:
        root = yaml.compose(text)
    except RecursionError:
        raise Misconfigured(f"{path}: blocks are nested too deeply to be read") from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Misconfigured(
            f"{path} line {line}: {describe_character(_character(error))} is not allowed in YAML; "
            "write it as an escape in double quotes"
        ) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path} line {mark.line + 1}" if mark else str(path)
        reason = " ".join((error.problem or error.context or "it cannot be parsed").split())
        reason = _QUOTED.sub("'...'", reason)  # the quoted text may be part of an address
        raise Misconfigured(f"{where} is not valid YAML: {reason}") from error
    except (YAMLError, ValueError, AttributeError, NotImplementedError) as error:
        reason = " ".join(str(error).split())
        raise Misconfigured(f"{path} is not valid YAML: {reason}") from error
    if root is None:
        raise Misconfigured(f"{path} is empty; `openlfr init` writes a commented CONFIG.yaml")
    converter = _Converter(path, yaml)
    try:
        values = converter.convert(root, (), ())
    except RecursionError:
        raise Misconfigured(f"{path}: blocks are nested too deeply to be read") from None
    if converter.duplicates:
        raise DuplicateKeys(converter.duplicates)
    return values, converter.lines


def _read_text(path: Path) -> str:
    try:
        content = read_file(path, max_bytes=_MAX_BYTES)
    except BadInput as error:
        if not path.exists():
            raise Misconfigured(
                f"{path} does not exist; `openlfr init` writes a commented CONFIG.yaml"
            ) from None
        hint = "; `openlfr init` writes a commented CONFIG.yaml" if "is empty" in str(error) else ""
        raise Misconfigured(str(error).rstrip(".") + hint) from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Misconfigured(
            f"{path} is not UTF-8 text (line {line}, byte {error.start}); save it as UTF-8"
        ) from None


def _character(error: ReaderError) -> str:
    return chr(error.character) if isinstance(error.character, int) else str(error.character)[0]


class _Converter:
    """Converts nodes to plain values, and records their lines."""

    def __init__(self, path: Path, yaml: YAML) -> None:
        self._path = path
        self._yaml = yaml
        self.lines: dict[tuple[str | int, ...], int] = {}
        self.duplicates: list[tuple[int, str]] = []
        self._value_count = 0

    def convert(self, node: Node, at: tuple[str | int, ...], parents: tuple[int, ...]) -> Any:
        line = node.start_mark.line + 1
        self._value_count += 1
        if self._value_count > _MAX_VALUES:
            raise Misconfigured(
                f"{self._path} line {line}: more than {_MAX_VALUES} values (each use of an alias"
                " counts)"
            )
        self.lines.setdefault(at, line)
        if id(node) in parents:
            raise Misconfigured(f"{self._path} line {line}: the block contains itself")
        if isinstance(node, MappingNode):
            return self._convert_mapping(node, at, (*parents, id(node)))
        if isinstance(node, SequenceNode):
            with_node = (*parents, id(node))
            return [self.convert(item, (*at, i), with_node) for i, item in enumerate(node.value)]
        return self._convert_scalar(node, line)

    def _convert_mapping(
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
                dotted = ".".join(redact_address(str(part)) for part in (*at, key))
                self.duplicates.append((line, f"{dotted} is repeated here, first on line {first}"))
                continue
            self.lines[*at, key] = line
            values[key] = self.convert(value_node, (*at, key), parents)
        return values

    def _convert_scalar(self, node: Node, line: int) -> Any:
        tag = str(node.tag)
        if tag == _TIMESTAMP:
            return node.value
        if tag not in _SCALARS:
            tag_name = redact_address(tag.removeprefix("tag:yaml.org,2002:"))
            raise Misconfigured(
                f"{self._path} line {line}: the tag {tag_name!r} is not supported; write the value"
                " without a tag"
            )
        if not tag.endswith(":str") and len(node.value) > _MAX_DIGITS:
            raise Misconfigured(
                f"{self._path} line {line}: a number of {len(node.value)} digits; put it in quotes"
                " if it is text"
            )
        try:
            return self._yaml.constructor.construct_object(node)
        except (ValueError, OverflowError, YAMLError):
            raise Misconfigured(
                f"{self._path} line {line}: {redact_address(str(node.value))!r} cannot be read as"
                f" {tag.rpartition(':')[2]}; put it in quotes if it is text"
            ) from None
