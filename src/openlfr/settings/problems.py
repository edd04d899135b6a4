"""A validation error as sentences for a person, each with its line in the file."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from openlfr.domain.addresses import mask_password

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    Lines = Mapping[tuple[str | int, ...], int]

_BLOCK = "must be a block of keys below it"
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


def sentences(
    error: ValidationError, schema: type[BaseModel], lines: Lines
) -> list[tuple[int, str]]:
    """(line, sentence) for every problem, in the order of the file."""
    found = {_sentence(detail, schema, lines) for detail in error.errors(include_url=False)}
    return sorted(found)


def _sentence(detail: ErrorDetails, schema: type[BaseModel], lines: Lines) -> tuple[int, str]:
    loc = detail["loc"]
    place = _known(loc, lines)
    line = lines.get(place, 1)
    kind = detail["type"]
    if kind == "extra_forbidden":
        return line, _unknown_key(place, schema)
    if kind == "missing":
        return line, f"{_dotted((*place, loc[-1]))} is missing"
    shown = _shown(detail["input"])
    name = _dotted(place)
    context = detail.get("ctx", {})
    if kind == "value_error":
        text = str(context["error"])
        return line, f"{name} {mask_password(text)}"
    if loc[-1] == "[key]":
        return line, f"{name}: {place[-1]!r} {_SENTENCES['string_pattern_mismatch']}"
    if kind in _BOUNDS:
        words, bound = _BOUNDS[kind]
        return line, f"{name} must be {words} {context[bound]:g}, not {shown}"
    if kind in {"too_short", "too_long"}:
        return line, f"{name} must have {_amount(context)}, not {context['actual_length']}"
    if kind in _SENTENCES:
        return line, f"{name} {_SENTENCES[kind]}, not {shown}"
    return line, f"{name}: {detail['msg'].replace('Input should be', 'must be')}, not {shown}"


def _known(loc: tuple[str | int, ...], lines: Lines) -> tuple[str | int, ...]:
    """The longest beginning of the location that stands in the file."""
    while loc and loc not in lines:
        loc = loc[:-1]
    return loc


def _dotted(loc: tuple[str | int, ...]) -> str:
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "the file"


def _amount(context: Mapping[str, Any]) -> str:
    count = context.get("min_length", context.get("max_length", 1))
    return f"at {'least' if 'min_length' in context else 'most'} {count} item{'s' * (count != 1)}"


def _shown(value: object) -> str:
    if value is None:
        return "empty"
    text = mask_password(repr(value))
    return text if len(text) <= 60 else f"{text[:57]}..."


def _unknown_key(place: tuple[str | int, ...], schema: type[BaseModel]) -> str:
    key = str(place[-1])
    inside = f" in {_dotted(place[:-1])}" if len(place) > 1 else ""
    known = _keys_at(place[:-1], schema)
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
    return f"unknown key {key!r}{inside}; {hint}"


def _keys_at(place: tuple[str | int, ...], schema: type[BaseModel]) -> list[str]:
    """The keys that the block at this place may have."""
    current: Any = schema
    for part in place:
        if isinstance(current, type) and issubclass(current, BaseModel):
            fields = {f.alias or name: f for name, f in current.model_fields.items()}
            current = fields[str(part)].annotation
        else:  # dict[name, block]
            current = current.__args__[1]
    return [f.alias or name for name, f in current.model_fields.items()]
