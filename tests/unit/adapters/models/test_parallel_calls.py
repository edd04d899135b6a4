"""Model calls side by side."""

from __future__ import annotations

import threading
import time

import pytest

from awaiting import PATIENCE_S
from openlfr.adapters.models.onnx import ON_GPU
from openlfr.adapters.models.parallel_calls import ParallelCalls
from openlfr.stage_timer import StageTimer


class Session:
    """What is asked of a session here."""

    def __init__(self, provider: str = "CPUExecutionProvider") -> None:
        self.get_providers = lambda: [provider]


def test_parallel_calls_are_batched_and_results_retain_their_order():
    meeting = threading.Barrier(3, timeout=PATIENCE_S)

    def call(number: int) -> int:
        meeting.wait()  # breaks unless three run at once
        return number * 10

    assert ParallelCalls(Session(), 3).map(call, [3, 1, 2]) == [30, 10, 20]


@pytest.mark.parametrize(
    ("runs", "asked"),
    [
        (ParallelCalls(Session(), 1), [1, 2]),
        (ParallelCalls(Session(ON_GPU[0]), 4), [1, 2]),
        (ParallelCalls(Session(), 4), [1]),
        (ParallelCalls(Session(), 4), []),
    ],
)
def test_one_thread_a_gpu_and_a_single_call_stay_with_the_caller(runs, asked):
    threads = runs.map(lambda _: threading.current_thread(), asked)
    assert threads == [threading.current_thread()] * len(asked)


def test_a_call_that_fails_fails_the_whole():
    def call(number: int) -> int:
        raise ValueError(number)

    with pytest.raises(ValueError, match="1"):
        ParallelCalls(Session(), 2).map(call, [1, 2])


def test_time_of_other_threads_belongs_to_the_stage():
    def call(_: int) -> float:
        began = time.thread_time()
        while time.thread_time() < began + 0.05:
            pass
        return time.thread_time() - began

    watch = StageTimer()
    with watch("embed", 2):
        spent = sum(ParallelCalls(Session(), 2).map(call, [1, 2]))
    (timing,) = watch.results()
    assert timing.cpu_s >= spent >= 0.1


def test_a_nested_stage_is_excluded_from_the_outer_cost():
    def work(seconds: float) -> None:
        began = time.thread_time()
        while time.thread_time() < began + seconds:
            pass

    watch = StageTimer()
    with watch("decide"):
        work(0.02)
        with watch("mask"):
            work(0.1)
    within, around = watch.results()
    assert (within.stage, around.stage) == ("mask", "decide")
    assert within.cpu_s >= 0.1
    assert 0.02 <= around.cpu_s < within.cpu_s
