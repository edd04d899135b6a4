"""Baselines in every adapter of the records."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.domain.test_baselines import NOON, SECOND, A, B, baseline

from openlfr.domain.baseline_openings import BaselineAdoption, next_opening
from openlfr.domain.principals import SYSTEM
from openlfr.operations.baselines import open_baseline


@pytest.fixture
def records(every_records):
    return every_records


def opened(records, content, seconds=0, **more):
    at = NOON + seconds * SECOND
    return open_baseline(BaselineAdoption(content, at), records=records, at=at, **more)


def test_a_baseline_is_read_as_it_was_opened_and_has_its_act(records):
    opened(records, A, alone=True)
    opened(records, B, 1.000001, alone=True)
    opened(records, baseline(1, deployment="station"), 5)
    first, second = records.baselines.openings_of("market")
    assert first == next_opening([], BaselineAdoption(A, NOON))
    assert second == next_opening(
        [first], BaselineAdoption(B, NOON + timedelta(microseconds=1_000_001))
    )
    assert second.baseline.listed.entries == frozenset()
    acts = records.audit.all(object_kind="deployment", object_id="market")
    assert [(act.kind, act.by, act.detail["number"]) for act in acts] == [
        ("baseline.opened", SYSTEM, 1), ("baseline.opened", SYSTEM, 2),
    ]  # fmt: skip
    assert acts[1].detail["list_root"] == B.listed.root
    assert acts[1].detail["opened_at"] == second.opened_at.isoformat()
    assert list(acts[1].detail["why"]) == ["list: 1 to 2 references (wanted 1 to 2)"]
    assert records.baselines.openings_of("other") == []


def test_a_baseline_in_force_is_not_opened_again(records):
    first = opened(records, A)
    assert opened(records, A, 60) == opened(records, A, 60, alone=True) == first
    assert len(records.baselines.openings_of("market")) == len(records.audit.all()) == 1


def test_a_number_is_assigned_once(records):
    known = opened(records, A)
    adoption = BaselineAdoption(B, NOON)
    with records.unit_of_work() as work:
        assert not work.baselines.add(replace(next_opening([], adoption)), NOON)
    assert records.baselines.openings_of("market") == [known]


def test_baselines_opened_at_once_have_different_numbers(records, monkeypatch):
    """Another process opens a baseline between our reading and our writing."""
    opened(records, A)
    before, unit_of_work = [False], records.unit_of_work

    def work_of_ours():
        if not before[0]:
            before[0] = True
            opened(records, baseline(7), 1)
        return unit_of_work()

    monkeypatch.setattr(records, "unit_of_work", work_of_ours)
    assert opened(records, B, 2).number == 3
    assert [each.number for each in records.baselines.openings_of("market")] == [1, 2, 3]
