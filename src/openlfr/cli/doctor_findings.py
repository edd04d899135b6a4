"""The findings of `openlfr doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """The result of a check."""

    OK = "ok"
    WARN = "warn"  # works, with a limitation
    FAIL = "fail"  # something will not work until it is repaired


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the output.

    Attributes:
        name: The checked thing.
        state: The result.
        found: The observation.
        advice: What to do; empty if nothing.
    """

    name: str
    state: State
    found: str
    advice: str = ""


def finding(name: str, good: bool, found: str, advice: str) -> Finding:
    """A finding that is ok, or a failure with advice."""
    return Finding(name, State.OK if good else State.FAIL, found, "" if good else advice)
