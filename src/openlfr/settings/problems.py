"""Turns a validation error into sentences, each with a line of the file or a variable."""

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

    Place = tuple[str | int, ...]
    Lines = Mapping[Place, int]
    Variables = Mapping[Place, str]

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
    error: ValidationError, schema: type[BaseModel], lines: Lines, variables: Variables
) -> list[tuple[int, str]]:
    """Pairs of a line and a sentence, in the order of the file.

    Line 0 is a problem of the environment: the sentence then names the variable.
    """
    problems = set()
    for detail in error.errors(include_url=False):
        variable = _find_variable(detail["loc"], variables)
        line, name = (0, variable) if variable else _find_line(detail, lines)
        problems.add((line, _sentence(detail, schema, name)))
    return sorted(problems)


def _find_line(detail: ErrorDetails, lines: Lines) -> tuple[int, str]:
    """The line of the file with the error, and the key on that line."""
    place = _longest_known(detail["loc"], lines)
    missing = detail["type"] == "missing"
    return lines.get(place, 1), _dotted((*place, detail["loc"][-1]) if missing else place)


def _find_variable(loc: Place, variables: Variables) -> str:
    """The variable with the error, and the key inside its block; empty if the file has it."""
    for end in range(len(loc), 0, -1):
        if name := variables.get(loc[:end]):
            return ": ".join((name, *([_dotted(loc[end:])] if loc[end:] else [])))
    beside = sorted(name for place, name in variables.items() if place[:2] == loc[:2])
    return f"{_dotted(loc)} ({', '.join(beside)})" if beside and loc[0] == "services" else ""


def _sentence(detail: ErrorDetails, schema: type[BaseModel], name: str) -> str:
    loc = detail["loc"]
    kind = detail["type"]
    if kind == "extra_forbidden":
        return _unknown_key(loc, schema, name)
    if kind == "missing":
        return f"{name} is missing"
    given = detail["input"]
    # A user may write an address in a wrong place, such as instead of a camera's block.
    secret = _is_secret(loc) or (loc[-1] == "url" or looks_like_address(repr(given)))
    shown = "" if secret else f", not {_shown(given)}"
    context = detail.get("ctx", {})
    if kind == "value_error":
        text = str(context["error"])
        if isinstance(given, str) and looks_like_address(given):
            text = redact_address_in(text, given)
        return f"{name} {redact_addresses(text)}"
    if loc[-1] == "[key]":
        return f"{name}: {redact_address(str(loc[-2]))!r} {_SENTENCES['string_pattern_mismatch']}"
    if kind in _BOUNDS:
        words, bound = _BOUNDS[kind]
        return f"{name} must be {words} {context[bound]:g}{shown}"
    if kind in {"too_short", "too_long"}:
        return f"{name} must have {_amount(context)}, not {context['actual_length']}"
    if kind in _SENTENCES:
        return f"{name} {_SENTENCES[kind]}{shown}"
    return f"{name}: {detail['msg'].replace('Input should be', 'must be')}{shown}"


def _is_secret(loc: Place) -> bool:
    """Whether the value may be, or may contain, a password."""
    return loc[0] == "services" and loc[-1] not in {"services", "tls", "auth"}


def _longest_known(loc: tuple[str | int, ...], lines: Lines) -> tuple[str | int, ...]:
    """The longest prefix of the location that exists in the file."""
    while loc and loc not in lines:
        loc = loc[:-1]
    return loc


def _dotted(loc: tuple[str | int, ...]) -> str:
    text = ""
    for part in loc:
        shown = escape_line(
            redact_address(str(part))
        )  # without `url:` the address itself is the key
        text += f"[{part}]" if isinstance(part, int) else f".{shown}" if text else shown
    return text or "the file"


def _amount(context: Mapping[str, Any]) -> str:
    count = context.get("min_length", context.get("max_length", 1))
    return f"at {'least' if 'min_length' in context else 'most'} {count} item{'s' * (count != 1)}"


def _shown(value: object) -> str:
    if value is None:
        return "empty"
    text = redact_addresses(repr(value))
    return text if len(text) <= 60 else f"{text[:57]}..."


def _unknown_key(place: Place, schema: type[BaseModel], name: str) -> str:
    key = str(place[-1])
    variable = name.partition(":")[0] if name.startswith("OPENLFR_") else ""
    inside = f" in {variable or _dotted(place[:-1])}" if len(place) > 1 else ""
    known = _keys_at(place[:-1], schema)
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
    return f"unknown key {redact_address(key)!r}{inside}; {hint}"


def _keys_at(place: tuple[str | int, ...], schema: type[BaseModel]) -> list[str]:
    """Names of the keys that are allowed in a block."""
    current: Any = schema
    for part in place:
        if isinstance(current, type) and issubclass(current, BaseModel):
            fields = {f.alias or name: f for name, f in current.model_fields.items()}
            current = _block_of(fields[str(part)].annotation)
        else:  # dict[name, block]
            current = current.__args__[1]
    return [f.alias or name for name, f in current.model_fields.items()]


def _block_of(annotation: Any) -> Any:
    """The block in an annotation such as `Annotated[Kafka, ...] | None`; else the annotation."""
    if isinstance(annotation, type):
        return annotation
    inside = (_block_of(part) for part in get_args(annotation))
    blocks = [b for b in inside if isinstance(b, type) and issubclass(b, BaseModel)]
    return annotation if get_origin(annotation) is dict or not blocks else blocks[0]
