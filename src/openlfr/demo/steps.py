"""Prints each step of a demonstration with its duration."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from openlfr.terminal import say

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def step(name: str) -> Iterator[None]:
    """Print the name of a step, and at its end the duration."""
    started_at = time.monotonic()
    say()
    say(name, bold=True)
    yield
    say(f"  {time.monotonic() - started_at:.0f} s")
