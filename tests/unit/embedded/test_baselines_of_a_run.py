"""A run's baselines: recorded before they are in force, but for what only leaves the list."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.domain.test_baselines import CALIBRATED, CONDITIONS, Index

from openlfr.adapters.memory.records import MemoryRecords
from openlfr.domain.errors import Unavailable
from openlfr.embedded.baselines import RunBaselines


class Away(MemoryRecords):
    """Records that may not answer whoever writes."""

    away = False

    def unit_of_work(self):
        if self.away:
            raise Unavailable("no answer")
        return super().unit_of_work()


@pytest.fixture
def records():
    return Away()


@pytest.fixture
def run(records):
    return RunBaselines(records, CONDITIONS, [])


def numbers(records):
    return [each.number for each in records.baselines.openings_of("market")]


def test_each_list_is_recorded_and_then_handed_over_once(run, records):
    first, second = Index(1), Index(1, 2)
    run.offer(first)
    index, mark = run.pop_new_index()
    assert index is first
    assert mark == records.baselines.openings_of("market")[0].ref
    assert run.pop_new_index() is None
    run.offer(second)
    assert run.pop_new_index() == (second, records.baselines.openings_of("market")[1].ref)
    same = Index(2, 1)
    run.offer(same)
    assert run.pop_new_index() == (same, records.baselines.openings_of("market")[1].ref)
    assert numbers(records) == [1, 2]


def test_only_the_last_of_several_indexes_between_two_frames_is_used(run, records):
    for people in ((1,), (1, 2), (1,)):
        run.offer(Index(*people))
    _, mark = run.pop_new_index()
    assert mark == records.baselines.openings_of("market")[2].ref
    assert numbers(records) == [1, 2, 3]


def test_an_unchanged_run_continues_its_baseline_after_a_resume(run, records):
    run.offer(Index(1))
    again = RunBaselines(records, CONDITIONS, [])
    again.offer(Index(1))
    assert again.pop_new_index()[1] == run.pop_new_index()[1]
    other = RunBaselines(records, replace(CONDITIONS, rules="9" * 64), [])
    other.offer(Index(1))
    assert numbers(records) == [1, 2]
    back = RunBaselines(records, CONDITIONS, [])
    back.offer(Index(1))
    assert numbers(records) == [1, 2, 3]


def test_an_addition_waits_for_the_records_but_a_removal_does_not(run, records):
    run.offer(Index(1, 2))
    run.pop_new_index()
    records.away = True
    with pytest.raises(Unavailable):
        run.offer(Index(1, 2, 3))
    with pytest.raises(Unavailable):
        run.offer(Index(1, 3))  # one left and one came
    assert run.pop_new_index() is None
    marks = []
    for people in ((1,), ()):
        for _ in range(2):  # it is offered again and again
            with pytest.raises(Unavailable):
                run.offer(Index(*people))
        marks.append(run.pop_new_index()[1])
    assert run.pop_new_index() is None
    assert marks[0] != marks[1]
    records.away = False
    run.offer(Index())
    assert run.pop_new_index()[1] == marks[1]
    assert [each.ref for each in records.baselines.openings_of("market")[1:]] == marks


def test_an_addition_to_a_calibrated_list_is_a_problem_of_the_run(records):
    problems = []
    run = RunBaselines(records, replace(CONDITIONS, threshold=CALIBRATED), problems)
    run.offer(Index(1, 2))
    run.offer(Index(1))
    assert problems == []
    run.offer(Index(1, 2, 3))
    [problem] = problems
    assert "calibrated for 2 people, now there are 3" in problem
    acts = [act.detail.get("threshold_doubt", "") for act in records.audit.all()]
    assert acts == ["", "", problem]
    run.offer(Index(1, 2, 3, 4))
    [problem] = problems
    assert "calibrated for 2 people, now there are 4" in problem


def test_a_removal_does_not_wait_for_a_busy_database(run, records, monkeypatch):
    run.offer(Index(1, 2))
    run.pop_new_index()
    seen = []
    unit_of_work = records.unit_of_work

    def busy():
        seen.append(run.pop_new_index())
        return unit_of_work()

    monkeypatch.setattr(records, "unit_of_work", busy)
    fewer, more = Index(1), Index(1, 3)
    run.offer(fewer)
    assert seen[0][0] is fewer
    assert seen[0][1] == records.baselines.openings_of("market")[1].ref
    run.offer(more)
    assert seen[1] is None  # who is added is in the records first
    assert run.pop_new_index() == (more, records.baselines.openings_of("market")[2].ref)
