"""The findings of `openlfr doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """The result of a check."""

    OK = "ok"
    WARN = "warn"  # the checked item works with a limitation
    FAIL = "fail"  # the checked item does not work until it is repaired


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the output.

    Attributes:
        name: Name of the checked item.
        state: The result.
        found: The observed value or problem, as text.
        advice: The remedy; empty if none is needed.
    """

    name: str
    state: State
    found: str
    advice: str = ""


def pass_or_fail(name: str, is_ok: bool, found: str, advice: str) -> Finding:
    """Return a finding without advice if the check passed, else a failure with advice."""
    return Finding(name, State.OK if is_ok else State.FAIL, found, "" if is_ok else advice)
