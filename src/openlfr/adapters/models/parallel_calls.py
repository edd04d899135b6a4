"""Calls a model in parallel: on a CPU, each call runs in its own thread."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from openlfr.adapters.models.onnx import batch_factor
from openlfr.stage_timer import charge

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import onnxruntime

_Input = TypeVar("_Input")
_Output = TypeVar("_Output")


class ParallelCalls:
    """Runs calls of one model, in parallel if that is faster.

    ONNX Runtime and OpenCV release the interpreter lock, so two calls of one thread each do twice
    the work of one call. One call with two threads does less. A GPU processes one whole batch at
    a time instead.

    Attributes:
        parallel: Number of calls that run at the same time.
    """

    def __init__(self, session: onnxruntime.InferenceSession, threads: int) -> None:
        self.parallel = threads if batch_factor(session) == 1 else 1
        self._pool = ThreadPoolExecutor(self.parallel, "model") if self.parallel > 1 else None

    def map(self, call: Callable[[_Input], _Output], inputs: Sequence[_Input]) -> Sequence[_Output]:
        """Return the output for each input, in order; a single call runs on the caller's thread."""
        if self._pool is None or len(inputs) < 2:
            return [call(each) for each in inputs]

        def timed(each: _Input) -> tuple[_Output, float]:
            before = time.thread_time()
            return call(each), time.thread_time() - before

        results = list(self._pool.map(timed, inputs))
        charge(sum(seconds for _, seconds in results))
        return [output for output, _ in results]
