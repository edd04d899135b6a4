"""A calibration's id proves its content, and additions to the list are detected without names."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from openlfr.domain.audit_calibrations import CalibrationMade
from openlfr.domain.calibrations import (
    Calibration,
    CalibrationConditions,
    Cohort,
    describe_list,
    hash_entries,
)
from openlfr.domain.listing import ListState
from openlfr.domain.thresholds import ThresholdOrigin

KEY = b"k" * 32
MADE_AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
CONDITIONS = CalibrationConditions(
    (("detector", "d" * 64, "1" * 64), ("embedder", "e" * 64, "2" * 64)), "f" * 64, "OpenLFR 1"
)


def listed(*entries: str) -> ListState:
    return ListState("a" * 64, len(entries), len(entries), (), frozenset(entries))


def calibration(*entries: str, **changes: object) -> Calibration:
    made = Calibration(
        MADE_AT, 0.01, 0.4375, 0, 0.0, 0.0099, Cohort(370, 368, 3, 1, "c" * 64), CONDITIONS,
        **describe_list(listed(*entries or ("one", "two")), KEY),
        simulation={"passes": "simulated", "seed": 1},
    )  # fmt: skip
    return replace(made, **changes)


def test_a_calibration_is_restored_from_json():
    made = calibration()
    restored = Calibration.from_json(json.loads(json.dumps(made.to_json())))
    assert restored == made
    assert restored.calibration_id == made.calibration_id


@pytest.mark.parametrize(
    "changes",
    [
        {"made_at": MADE_AT + timedelta(microseconds=1)},
        {"target_fpir": 0.02},
        {"threshold": 0.4376},
        {"above": 1},
        {"high": 0.5},
        {"cohort": Cohort(370, 367, 3, 1, "c" * 64)},
        {"conditions": replace(CONDITIONS, rules="0" * 64)},
        {"list_root": "b" * 64},
        {"subjects": 3},
        {"entries": frozenset()},
        {"simulation": {"passes": "simulated", "seed": 2}},
    ],
)
def test_every_part_of_the_content_changes_the_id(changes):
    assert calibration(**changes).calibration_id != calibration().calibration_id


@pytest.mark.parametrize(
    ("now", "added"),
    [
        (("one", "two"), ()),
        (("two",), ()),
        ((), ()),
        (("one", "two", "three"), ("three",)),
        (("one", "three"), ("three",)),
    ],
)
def test_additions_are_detected_and_removals_are_ignored(now, added):
    assert calibration().added_entries(hash_entries(now, KEY)) == frozenset(added)


def test_the_threshold_names_its_calibration_and_is_valid_until_an_addition():
    made = calibration()
    threshold = made.as_threshold(hash_entries(("one", "two"), KEY))
    assert (threshold.value, threshold.origin) == (0.4375, ThresholdOrigin.CALIBRATED)
    assert (threshold.target_fpir, threshold.list_size) == (0.01, 2)
    assert threshold.calibration_id == made.calibration_id
    assert "simulated" in threshold.describe()
    assert threshold.basis_problem(listed("two")) == ""
    assert "1 entry was added" in threshold.basis_problem(listed("two", "three"))


def test_without_the_key_an_entry_is_not_recognised():
    assert not calibration().entries & {"one", "two"}
    assert calibration().added_entries(hash_entries(("one",), b"other")) == {"one"}


def test_the_act_contains_the_id_and_says_that_the_passes_were_simulated():
    act = CalibrationMade.from_calibration(calibration())
    assert act.object_id == calibration().calibration_id
    detail = act.detail()
    assert (detail["passes"], detail["people"], detail["searched"]) == ("simulated", 370, 368)
    assert detail["above"] == 0
    json.dumps(detail)
