"""Types of configuration values: durations, times, sizes, paths, words."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)

from openlfr.domain import dates
from openlfr.domain.dates import in_utc
from openlfr.domain.text import collapse_spaces, find_text_problem

_UNITS = {"ms": 1e-3, "": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d|)", re.ASCII)
_SIZE = re.compile(r"(\d+)\s*[x×]\s*(\d+)", re.ASCII)  # noqa: RUF001 - people type both
STRIDE_PX = 32
"""Largest stride of the detector; both sides of a detector's input are multiples of this number
(FACTS: YuNet)."""


class Section(BaseModel):
    """A frozen block of the configuration without unknown keys; empty values count as absent."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=False)

    @model_validator(mode="before")
    @classmethod
    def _drop_empty_values(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        known = {field.alias or name for name, field in cls.model_fields.items()}
        return {key: v for key, v in data.items() if v is not None or key not in known}


def parse_duration(value: Any) -> timedelta:
    """Parse seconds as a number, or text such as '500ms', '30s', '2m', '1h', '7d'."""
    if isinstance(value, timedelta):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
    elif isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
        seconds = float(match[1]) * _UNITS[match[2]]
    else:
        raise ValueError(f"must be a duration such as 30, '30s' or '2m', not {_short(value)}")
    if not 0 < seconds < 100 * 365 * 86400:
        raise ValueError(f"must be longer than 0 and shorter than 100 years, not {_short(value)}")
    return timedelta(seconds=seconds)


def parse_moment(value: Any) -> datetime:
    """Parse an ISO 8601 date with a time; a time without an offset is UTC."""
    try:
        if isinstance(value, datetime):
            return in_utc(value)
        return dates.parse_moment(value.strip() if isinstance(value, str) else "")
    except ValueError as error:
        expected = str(error).removeprefix("expected ")
        raise ValueError(f"must be {expected}, not {_short(value)}") from None


def parse_input_size(value: Any) -> tuple[int, int]:
    """Parse the maximum size of a picture: 1280, [1280, 736] or '1280x736'.

    A single number is the maximum of both sides, and thus limits the longer side. Both sides are
    rounded up to multiples of 32.
    """
    sides: list[Any] = list(value) if isinstance(value, list | tuple) else [value, value]
    if isinstance(value, str):
        match = _SIZE.fullmatch(value.strip())
        # A number of ten digits is too large in any case; `int` accepts at most 4,300 digits.
        sides = [int(match[n]) if len(match[n]) < 10 else 10**9 for n in (1, 2)] if match else []
    good = [s for s in sides if isinstance(s, int) and not isinstance(s, bool)]
    if len(sides) != 2 or len(good) != 2:
        raise ValueError(f"must look like 1280, [1280, 736] or '1280x736', not {_short(value)}")
    if min(good) < STRIDE_PX or max(good) > 8192:
        raise ValueError(f"must be between {STRIDE_PX} and 8192 pixels a side, not {_short(value)}")
    return round_up(good[0]), round_up(good[1])


def round_up(side: int) -> int:
    """Round a side up to a multiple of 32."""
    return -(-side // STRIDE_PX) * STRIDE_PX


def resolve_path(value: Any, info: ValidationInfo) -> Path:
    """Return an absolute path; a relative path starts at the folder in the validation context."""
    if isinstance(value, Path):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"must be a path, not {_short(value)}")
    folder: Path = (info.context or {}).get("folder", Path())
    return Path(folder, Path(value).expanduser()).absolute()


def as_tuple(value: Any) -> Any:
    """Convert a list or a single word to a tuple; other values stay unchanged."""
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _check_text(text: str) -> str:
    words = collapse_spaces(text)
    if problem := find_text_problem(words):
        raise ValueError(problem)
    return words


Words = Annotated[str, AfterValidator(_check_text)]
"""Text for messages and reports, without characters that control a terminal or a page."""
Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Moment = Annotated[datetime, BeforeValidator(parse_moment)]
InputSize = Annotated[tuple[int, int], BeforeValidator(parse_input_size)]
FilePath = Annotated[Path, BeforeValidator(resolve_path)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Name = Annotated[str, Field(pattern=r"^\w[\w .-]{0,63}$")]
"""Name of a camera or watchlist; it is safe in ids, keys and file names, and on a screen."""
Names = Annotated[tuple[Name, ...], BeforeValidator(as_tuple)]
