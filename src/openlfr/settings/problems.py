"""Turns validation errors into sentences, each with a line of the file or a variable."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel

from openlfr.domain.addresses import (
    looks_like_address,
    redact_address,
    redact_address_in,
    redact_addresses,
)
from openlfr.domain.text import escape_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    KeyPath = tuple[str | int, ...]
    Lines = Mapping[KeyPath, int]
    Variables = Mapping[KeyPath, str]

_BLOCK = "must be a block of keys"
_SENTENCES = {
    "string_type": "must be text (put it in quotes)",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "finite_number": "must be a finite number",
    "model_type": _BLOCK,
    "model_attributes_type": _BLOCK,
    "dict_type": _BLOCK,
    "tuple_type": "must be a list",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": "must be a name of letters, digits, spaces, '.', '_' and '-'",
}
_BOUNDS = {
    "greater_than": ("greater than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


def describe_errors(
    error: ValidationError, schema: type[BaseModel], lines: Lines, variables: Variables
) -> list[tuple[int, str]]:
    """Return a pair of line number and sentence for each problem, sorted by line.

    Line 0 means a problem of an environment variable; the sentence names the variable.
    """
    problems = set()
    for detail in error.errors(include_url=False):
        variable = _find_variable(detail["loc"], variables)
        line, name = (0, variable) if variable else _find_line(detail, lines)
        problems.add((line, _describe_error(detail, schema, name)))
    return sorted(problems)


def _find_line(detail: ErrorDetails, lines: Lines) -> tuple[int, str]:
    """Return the line with the error, and the dotted key; a missing key has its block's line."""
    path = _longest_prefix_in_file(detail["loc"], lines)
    is_missing = detail["type"] == "missing"
    return lines.get(path, 1), _join_path((*path, detail["loc"][-1]) if is_missing else path)


def _find_variable(loc: KeyPath, variables: Variables) -> str:
    """Return the variable with the error, and the wrong key inside the variable's value.

    If variables replace other keys of the same server, return the key and these variables. Return
    an empty text for an error of the file.
    """
    for end in range(len(loc), 0, -1):
        if name := variables.get(loc[:end]):
            return ": ".join((name, *([_join_path(loc[end:])] if loc[end:] else [])))
    others = sorted(name for path, name in variables.items() if path[:2] == loc[:2])
    return f"{_join_path(loc)} ({', '.join(others)})" if others and loc[0] == "services" else ""


def _describe_error(detail: ErrorDetails, schema: type[BaseModel], name: str) -> str:
    loc = detail["loc"]
    kind = detail["type"]
    if kind == "extra_forbidden":
        return _describe_unknown_key(loc, schema, name)
    if kind == "missing":
        return f"{name} is missing"
    value = detail["input"]
    # A user may write an address in a wrong place, such as instead of a camera's block.
    is_secret = _is_secret(loc) or (loc[-1] == "url" or looks_like_address(repr(value)))
    but_not = "" if is_secret else f", not {_format_value(value)}"
    context = detail.get("ctx", {})
    if kind == "value_error":
        text = str(context["error"])
        if isinstance(value, str) and looks_like_address(value):
            text = redact_address_in(text, value)
        return f"{name} {redact_addresses(text)}"
    if loc[-1] == "[key]":
        return f"{name}: {redact_address(str(loc[-2]))!r} {_SENTENCES['string_pattern_mismatch']}"
    if kind in _BOUNDS:
        words, bound = _BOUNDS[kind]
        return f"{name} must be {words} {context[bound]:g}{but_not}"
    if kind in {"too_short", "too_long"}:
        return f"{name} must have {_describe_length(context)}, not {context['actual_length']}"
    if kind in _SENTENCES:
        return f"{name} {_SENTENCES[kind]}{but_not}"
    return f"{name}: {detail['msg'].replace('Input should be', 'must be')}{but_not}"


def _is_secret(loc: KeyPath) -> bool:
    """Return whether the value may be a password or contain a password."""
    return loc[0] == "services" and loc[-1] not in {"services", "tls", "auth"}


def _longest_prefix_in_file(loc: tuple[str | int, ...], lines: Lines) -> tuple[str | int, ...]:
    """Return the longest prefix of a path that exists in the file."""
    while loc and loc not in lines:
        loc = loc[:-1]
    return loc


def _join_path(loc: tuple[str | int, ...]) -> str:
    text = ""
    for part in loc:
        key = escape_line(redact_address(str(part)))  # without `url:` the key is an address
        text += f"[{part}]" if isinstance(part, int) else f".{key}" if text else key
    return text or "the file"


def _describe_length(context: Mapping[str, Any]) -> str:
    count = context.get("min_length", context.get("max_length", 1))
    return f"at {'least' if 'min_length' in context else 'most'} {count} item{'s' * (count != 1)}"


def _format_value(value: object) -> str:
    if value is None:
        return "empty"
    text = redact_addresses(repr(value))
    return text if len(text) <= 60 else f"{text[:57]}..."


def _describe_unknown_key(path: KeyPath, schema: type[BaseModel], name: str) -> str:
    key = str(path[-1])
    variable = name.partition(":")[0] if name.startswith("OPENLFR_") else ""
    inside = f" in {variable or _join_path(path[:-1])}" if len(path) > 1 else ""
    keys = _allowed_keys(path[:-1], schema)
    close = difflib.get_close_matches(key, keys, n=1, cutoff=0.6)
    hint = f"did you mean {close[0]!r}?" if close else f"the keys are {', '.join(keys)}"
    return f"unknown key {redact_address(key)!r}{inside}; {hint}"


def _allowed_keys(path: tuple[str | int, ...], schema: type[BaseModel]) -> list[str]:
    """Return the names of the keys that are allowed in a block."""
    current: Any = schema
    for part in path:
        if isinstance(current, type) and issubclass(current, BaseModel):
            fields = {f.alias or name: f for name, f in current.model_fields.items()}
            current = _find_block(fields[str(part)].annotation)
        else:  # dict[name, block]
            current = current.__args__[1]
    return [f.alias or name for name, f in current.model_fields.items()]


def _find_block(annotation: Any) -> Any:
    """Return the block in an annotation such as `Annotated[Kafka, ...] | None`.

    An annotation without a block is returned unchanged.
    """
    if isinstance(annotation, type):
        return annotation
    parts = (_find_block(part) for part in get_args(annotation))
    blocks = [b for b in parts if isinstance(b, type) and issubclass(b, BaseModel)]
    return annotation if get_origin(annotation) is dict or not blocks else blocks[0]
