"""Measures the wall and CPU seconds of each stage."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from openlfr.domain.summary import StageTiming

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


_charged = threading.local()


def cpu_time() -> float:
    """Return the CPU seconds of the calling thread, with the seconds charged by `charge`."""
    return time.thread_time() + getattr(_charged, "seconds", 0.0)


def charge(seconds: float) -> None:
    """Charge the calling thread with CPU seconds that other threads spent on its work."""
    _charged.seconds = getattr(_charged, "seconds", 0.0) + seconds


class StageTimer:
    """Adds up the cost of each stage on the thread that runs it. Each thread needs its own timer.

    The cost of a stage excludes stages that run inside it, so that the costs of all stages add up
    to the total.

    Attributes:
        observe: Optional callback, called with the stage and wall seconds of each call.
    """

    def __init__(self) -> None:
        self._stages: dict[str, list[float]] = {}
        self._inner_s = [0.0, 0.0]  # wall and CPU seconds of the stages inside the present stage
        self.observe: Callable[[str, float], None] | None = None

    @contextmanager
    def __call__(self, stage: str, items: int = 1) -> Iterator[None]:
        """Time a block as one call of `stage` for this number of items."""
        outer_s, self._inner_s = self._inner_s, [0.0, 0.0]
        wall, cpu = time.perf_counter(), cpu_time()
        try:
            yield
        finally:
            wall_s, cpu_s = time.perf_counter() - wall, cpu_time() - cpu
            own_wall_s = wall_s - self._inner_s[0]
            sums = self._stages.setdefault(stage, [0, 0, 0.0, 0.0])
            sums[0] += 1
            sums[1] += items
            sums[2] += own_wall_s
            sums[3] += cpu_s - self._inner_s[1]
            self._inner_s = [outer_s[0] + wall_s, outer_s[1] + cpu_s]
            if self.observe is not None:
                self.observe(stage, own_wall_s)

    def results(self) -> tuple[StageTiming, ...]:
        """Return the cost of each stage, in the order of first use."""
        return tuple(
            StageTiming(stage, int(calls), int(items), wall, cpu)
            for stage, (calls, items, wall, cpu) in self._stages.items()
        )
