"""Passages are added up only where the threshold is the same, and compared with the list."""

from __future__ import annotations

from datetime import date

import pytest
from tests.contract.test_passage_records import erase
from tests.passages import MINUTE, NOON, SECOND, enrol, log, plan, see, start
from tests.unit.domain.test_baselines import baseline

from openlfr.adapters.memory.records import MemoryRecords
from openlfr.cli.passage_output import format_result
from openlfr.domain.baseline_openings import BaselineAdoption
from openlfr.domain.thresholds import Threshold, ThresholdOrigin
from openlfr.operations.baselines import open_baseline
from openlfr.operations.passage_results import passage_result


@pytest.fixture
def market():
    records = MemoryRecords()
    start(records)
    enrol(records, "Ann")
    return records


def walk(records, at, *, found):
    planned = plan(records, "Ann", at=at - SECOND)
    if found:
        see(records, "Ann", at)
    log(records, planned, at)


def adopt(records, at, *people, threshold=0.45):
    used = Threshold(threshold, ThresholdOrigin.SET, 2)
    content = baseline(*people, deployment="Market", threshold=used)
    open_baseline(BaselineAdoption(content, at), records=records, at=at, alone=True)


def test_passages_under_another_threshold_are_not_added_up(market):
    adopt(market, NOON, 1)
    walk(market, NOON + MINUTE, found=True)
    adopt(market, NOON + 2 * MINUTE, 1, 2)  # one more person is listed
    walk(market, NOON + 3 * MINUTE, found=True)
    adopt(market, NOON + 4 * MINUTE, 1, 2, threshold=0.6)
    walk(market, NOON + 5 * MINUTE, found=False)
    result = passage_result("Market", records=market)
    assert [
        (each.baselines, each.threshold, each.whole.found, each.whole.missed)
        for each in result.groups
    ] == [((1, 2), 0.45, 2, 0), ((3,), 0.6, 0, 1)]
    lines = list(format_result(result))
    assert lines[2:4] == [
        "Baseline 1, 2, threshold 0.450",
        "  found in 2 of 2 passages of 1 subject",
    ]
    assert (
        "These figures are not added up, since model, rules or threshold differ between them."
        in lines
    )


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({"quality": 69.0}, "their photos have a quality of 70, the list's 69"),
        ({"captured_on": date(2020, 1, 2)}, "their photos are of 2025-01-02, the list's of 2020"),
        ({}, ""),
        ({"quality": 71.0, "captured_on": date(2026, 1, 2)}, ""),
        ({"watchlist": "other"}, "no photos of people who are not control subjects are listed"),
    ],
)
def test_better_or_newer_photos_than_the_lists_make_the_rate_an_upper_bound(market, entry, why):
    enrol(market, "Wanda", category="wanted", **entry)
    walk(market, NOON + MINUTE, found=True)
    result = passage_result("Market", records=market)
    assert result.upper_bound.startswith(why)
    assert bool(result.upper_bound) == bool(why)
    said = "Cooperative subjects: an upper bound for listed people, since "
    assert any(line.startswith(said) for line in format_result(result)) == bool(why)


def test_an_unknown_result_makes_the_rate_a_range(market):
    others = [f"Person {n}" for n in range(4)]
    enrol(market, *others)
    for name in others:
        planned = plan(market, name)
        see(market, name, NOON + MINUTE)
        log(market, planned, NOON + MINUTE)
    planned = plan(market, "Ann")
    erase(market, see(market, "Ann", NOON + 3 * MINUTE), NOON + 4 * MINUTE)
    log(market, planned, NOON + 3 * MINUTE, at=NOON + 5 * MINUTE)
    text = "\n".join(format_result(passage_result("Market", records=market)))
    assert "4 of 5 passages of 5 subjects, 1 unknown: recognition rate (TPIR) 0.80 to 1.00" in text
    assert "95% interval 0.23 to 1.00" in text
    assert "A result is unknown if an alert of the same camera and time was erased" in text
