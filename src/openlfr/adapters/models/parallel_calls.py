"""Model calls side by side: on a CPU each on a thread of its own."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from openlfr.adapters.models.onnx import batch_factor
from openlfr.stage_timer import charge

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import onnxruntime

_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")


class ParallelCalls:
    """Runs calls of one model, several at once where that is faster.

    ONNX Runtime and OpenCV let other threads run meanwhile. Two calls of one thread each do twice
    the work of one call; one call of two threads does less. A GPU takes whole batches instead.

    Attributes:
        parallel: How many calls run at once.
    """

    def __init__(self, session: onnxruntime.InferenceSession, threads: int) -> None:
        self.parallel = threads if batch_factor(session) == 1 else 1
        self._pool = ThreadPoolExecutor(self.parallel, "model") if self.parallel > 1 else None

    def map(self, call: Callable[[_Asked], _Answer], asked: Sequence[_Asked]) -> Sequence[_Answer]:
        """The answer to each, in order; a single one is asked on the caller's thread."""
        if self._pool is None or len(asked) < 2:
            return [call(each) for each in asked]

        def timed(each: _Asked) -> tuple[_Answer, float]:
            before = time.thread_time()
            return call(each), time.thread_time() - before

        answered = list(self._pool.map(timed, asked))
        charge(sum(seconds for _, seconds in answered))
        return [answer for answer, _ in answered]
