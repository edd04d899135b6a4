"""The steps of a demonstration, each with its name and how long it took."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from openlfr.terminal import say

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def step(name: str) -> Iterator[None]:
    """Print the name of what comes, and its seconds when it is over."""
    begun = time.monotonic()
    say()
    say(name, bold=True)
    yield
    say(f"  {time.monotonic() - begun:.0f} s")
