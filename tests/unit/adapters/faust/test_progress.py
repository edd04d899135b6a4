"""When a worker counts as alive and as ready, by a clock that the test moves."""

from __future__ import annotations

import pytest

from openlfr.adapters.faust.progress import (
    BATCH_STUCK_S,
    ONE_STUCK_S,
    STUCK_S,
    LoopMonitor,
    Progress,
)
from openlfr.testing import ManualClock

A, B = ("frames.v1", 0), ("frames.v1", 1)


@pytest.fixture
def clock():
    return ManualClock(1000.0)


@pytest.fixture
def progress(clock):
    """A worker of two partitions, in which nothing waits."""
    made = Progress(clock=clock)
    made.assign([A, B])
    made.record_offsets({A: 10, B: 20})
    return made


def after(clock, progress, seconds, ends):
    """Time passes; the brokers are asked each 5 s."""
    until = clock.now + seconds
    while clock.now < until:
        clock.now += 5
        progress.record_offsets(ends)
    return progress.liveness_problem()


def test_an_idle_worker_is_not_stalled(clock, progress):
    assert after(clock, progress, 10 * ONE_STUCK_S, {A: 10, B: 20}) == ""
    assert progress.lag == 0


def test_messages_that_wait_while_none_is_done_are_a_stall(clock, progress):
    assert after(clock, progress, STUCK_S, {A: 12, B: 20}) == ""
    assert progress.lag == 2
    assert "2 messages wait, and none was processed for" in after(
        clock, progress, 10, {A: 12, B: 20}
    )
    progress.record_done(*A, 10)
    assert progress.liveness_problem() == ""
    assert progress.lag == 1


def test_deliberately_delayed_acknowledgements_are_no_stall(clock, progress):
    """Frames of a live track are not acknowledged, but they are done."""
    for offset in range(10, 200):
        progress.record_done(*A, offset)
        assert after(clock, progress, 5, {A: offset + 2, B: 20}) == ""
    assert progress.counts["acked"] == 0


def test_a_partition_may_wait_for_others_but_not_for_ever(clock, progress):
    for offset in range(10, 10 + int(ONE_STUCK_S / 5)):
        progress.record_done(*A, offset)
        assert after(clock, progress, 5, {A: 1000, B: 21}) == ""
    progress.record_done(*A, 500)
    assert "A partition with waiting messages has not moved" in after(
        clock, progress, 10, {A: 1000, B: 21}
    )


def test_brokers_that_are_away_are_no_fault_of_the_worker(clock, progress):
    clock.now += 10 * ONE_STUCK_S  # nobody could be asked
    assert progress.liveness_problem() == ""


def test_a_batch_that_hangs_is_a_stall(clock, progress):
    progress.begin_batch(1)
    clock.now += BATCH_STUCK_S
    assert progress.liveness_problem() == ""
    clock.now += 1
    assert progress.liveness_problem() == f"A batch has been running for {BATCH_STUCK_S + 1:.0f} s."
    progress.end_batch(1)
    assert progress.liveness_problem() == ""


def test_a_worker_starts_at_the_offset_of_its_group(clock, progress):
    progress.assign([A])
    assert (progress.unpositioned(), progress.lag) == ([A], 0)
    progress.record_offsets({A: 30}, {A: 25})
    assert (progress.unpositioned(), progress.lag) == ([], 5)
    assert "5 messages wait" in after(clock, progress, STUCK_S + 5, {A: 30})


def test_a_balancing_group_and_a_leaving_worker_are_not_ready_and_no_stall(clock, progress):
    assert progress.readiness_problem() == ""
    progress.assign(None)
    assert progress.readiness_problem() == "The worker has no partitions yet."
    progress.assign([A])
    progress.record_offsets({A: 30}, {A: 25})
    progress.leave()
    assert progress.readiness_problem() == "The worker is leaving its group."
    assert after(clock, progress, 10 * STUCK_S, {A: 30}) == ""


def test_a_missing_requirement_makes_a_service_not_ready(progress):
    lacks = [""]
    progress.conditions.append(lambda: lacks[0])
    assert progress.readiness_problem() == ""
    lacks[0] = "Nothing on control.v1 has told ..."
    assert progress.readiness_problem() == lacks[0]


def test_a_loop_that_does_not_turn_is_a_stall(clock):
    loop = LoopMonitor(clock=clock)
    clock.now += STUCK_S
    assert loop.liveness_problem() == ""
    clock.now += 1
    assert loop.liveness_problem() == "The main loop has stopped for 61 s."
    loop()
    assert loop.liveness_problem() == ""


def test_messages_deleted_unread_are_counted_and_no_longer_pending(clock, progress):
    progress.record_offsets({A: 40, B: 20})
    assert progress.lag == 30
    progress.record_offsets({A: 40, B: 20}, starts={A: 35, B: 0})
    assert progress.lag == 5
    assert progress.counts["gone"] == 25
    assert progress.starts() == {A: 35, B: 0}
    progress.record_delivery(*A, 37)  # two more were deleted before it was delivered
    assert progress.counts["gone"] == 27


def test_a_message_deleted_during_its_processing_is_not_counted_as_lost(progress):
    for offset in range(10, 16):
        progress.record_delivery(*A, offset)
    progress.record_offsets({A: 16, B: 20}, starts={A: 16})
    assert progress.counts["gone"] == 0
    assert progress.counts["received"] == 6


def test_a_message_received_before_the_offsets_are_known_is_counted_the_same(clock):
    made = Progress(clock=clock)
    made.assign([A])
    made.record_delivery(*A, 8, committed=2)
    assert made.counts["gone"] == 6
    made.record_done(*A, 8)
    made.record_offsets({A: 9}, starts={A: 8})
    assert made.counts["gone"] == 6
    assert made.lag == 0


def test_deletion_alone_is_no_sign_of_life(clock, progress):
    """Messages come and are deleted, and nobody reads them."""
    end = 10
    while clock.now < 1000 + STUCK_S + 10:
        clock.now += 5
        end += 10
        progress.record_offsets({A: end, B: 20}, starts={A: end - 10})
    assert "messages wait" in progress.liveness_problem()


def test_a_worker_reports_whether_it_received_every_message(progress):
    progress.record_offsets({A: 40, B: 20}, starts={A: 35})
    assert not progress.has_delivered(A, 35)
    progress.record_delivery(*A, 36)
    assert progress.has_delivered(A, 35)
