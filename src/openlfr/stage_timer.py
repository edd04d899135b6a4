"""Measures the wall and CPU seconds of each stage."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from openlfr.domain.summary import StageTiming

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


_others = threading.local()


def cpu_time() -> float:
    """CPU seconds of the calling thread, plus those that other threads spent for it (`charge`)."""
    return time.thread_time() + getattr(_others, "seconds", 0.0)


def charge(seconds: float) -> None:
    """Add CPU seconds that other threads spent for the calling thread."""
    _others.seconds = getattr(_others, "seconds", 0.0) + seconds


class StageTimer:
    """Adds up the cost of each stage on the thread that runs it. Each thread needs its own timer.

    Where one stage runs within another, the inner one's cost is not part of the outer one's, so
    that the costs of all stages add up to the total.

    Attributes:
        observe: Optional callback, called with the stage and wall seconds of each call.
    """

    def __init__(self) -> None:
        self._stages: dict[str, list[float]] = {}
        self._within = [0.0, 0.0]  # wall and CPU seconds of the stages within the present one
        self.observe: Callable[[str, float], None] | None = None

    @contextmanager
    def __call__(self, stage: str, items: int = 1) -> Iterator[None]:
        """Time a block as one call of `stage` over `items` things."""
        around, self._within = self._within, [0.0, 0.0]
        wall, cpu = time.perf_counter(), cpu_time()
        try:
            yield
        finally:
            whole, spent = time.perf_counter() - wall, cpu_time() - cpu
            took = whole - self._within[0]
            sums = self._stages.setdefault(stage, [0, 0, 0.0, 0.0])
            sums[0] += 1
            sums[1] += items
            sums[2] += took
            sums[3] += spent - self._within[1]
            self._within = [around[0] + whole, around[1] + spent]
            if self.observe is not None:
                self.observe(stage, took)

    def results(self) -> tuple[StageTiming, ...]:
        """The cost of each stage so far, in the order of first use."""
        return tuple(
            StageTiming(stage, int(calls), int(items), wall, cpu)
            for stage, (calls, items, wall, cpu) in self._stages.items()
        )
