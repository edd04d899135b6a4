"""The changes that open a baseline, and the baseline of a process."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from openlfr.domain.baseline_in_use import BaselineInUse
from openlfr.domain.baseline_openings import (
    BaselineAdoption,
    find_opening,
    next_opening,
    opening_at,
    opening_of,
)
from openlfr.domain.baselines import Baseline, Conditions
from openlfr.domain.listing import ListState, SearchedEntry
from openlfr.domain.models_used import ModelUsed
from openlfr.domain.thresholds import DefaultRow, Threshold, ThresholdOrigin, default_threshold

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TABLE = (DefaultRow(2, 0.41, 3000, 3, 0.003), DefaultRow(100, 0.46, 3000, 3, 0.003))


class Index:
    """An index of so many people, one reference each."""

    def __init__(self, *people, watchlist="default", category="wanted"):
        self.entries = [
            SearchedEntry(f"{number:064x}", watchlist, category, f"person {number}")
            for number in people
        ]

    def searched(self):
        return self.entries


CONDITIONS = Conditions(
    "market",
    Threshold(0.45, ThresholdOrigin.SET, 2),
    (ModelUsed("detector", "yunet", "d" * 64, "MIT", "e" * 64),
     ModelUsed("embedder", "sface", "f" * 64, "Apache-2.0", "0" * 64)),
    "1" * 64,
    "2" * 64,
    "OpenLFR 1",
)  # fmt: skip


def baseline(*people, **changes):
    return replace(CONDITIONS, **changes).with_list(ListState.from_index(Index(*people)))


BEFORE = baseline(1, 2)
CHANGES = {
    "an addition": (baseline(1, 2, 3), ("list: 2 to 3 references (wanted 2 to 3)",)),
    "a removal": (baseline(1), ("list: 2 to 1 references (wanted 2 to 1)",)),
    "an exchange": (baseline(1, 3), ("list: 2 to 2 references (other references)",)),
    "a threshold": (
        baseline(1, 2, threshold=Threshold(0.5, ThresholdOrigin.SET, 2)),
        ("threshold: 0.450 (set) to 0.500 (set)",),
    ),
    "its origin": (
        baseline(1, 2, threshold=Threshold(0.45, ThresholdOrigin.DEFAULT, 2)),
        ("threshold: 0.450 (set) to 0.450 (default)",),
    ),
    "a calibration": (
        baseline(1, 2, threshold=Threshold(0.45, ThresholdOrigin.CALIBRATED, 2,
                                           target_fpir=0.001, calibration_id="c1")),
        ("threshold: 0.450 (set) to 0.450 (calibrated)",),
    ),
    "a model": (
        baseline(1, 2, models=(replace(CONDITIONS.models[0], sha256="9" * 64),
                               CONDITIONS.models[1])),
        ("model: now detector yunet, embedder sface",),
    ),
    "how it is prepared": (
        baseline(1, 2, models=(CONDITIONS.models[0],
                               replace(CONDITIONS.models[1], prepared_sha256="9" * 64))),
        ("model: now detector yunet, embedder sface",),
    ),
    "rules": (baseline(1, 2, rules="9" * 64), ("rules",)),
    "the version": (baseline(1, 2, software="OpenLFR 2"), ("rules: OpenLFR 1 to OpenLFR 2",)),
    "a camera": (baseline(1, 2, cameras="9" * 64), ("camera inputs",)),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_each_kind_of_change_opens_a_baseline_with_its_reason(what):
    after, why = CHANGES[what]
    assert after.baseline_id != BEFORE.baseline_id
    assert after.changes_from(BEFORE) == why
    known = [next_opening([], BaselineAdoption(BEFORE, NOON))]
    adoption = BaselineAdoption(after, NOON + SECOND, BEFORE.baseline_id)
    for alone in (True, False):
        assert find_opening(known, adoption, is_alone=alone) is None
    opened = next_opening(known, adoption)
    assert (opened.number, opened.changes) == (2, why)
    for alone in (True, False):
        assert find_opening([*known, opened], adoption, is_alone=alone) == opened


@pytest.mark.parametrize(
    "same",
    [
        baseline(2, 1),
        baseline(1, 2, threshold=Threshold(0.45, ThresholdOrigin.SET, 99)),
        baseline(1, 2, models=tuple(replace(each, licence="") for each in CONDITIONS.models)),
    ],
    ids=["another order", "chosen for another number", "a licence"],
)
def test_other_changes_open_no_baseline(same):
    assert same.baseline_id == BEFORE.baseline_id
    [opened] = known = [next_opening([], BaselineAdoption(BEFORE, NOON))]
    later = BaselineAdoption(same, NOON + timedelta(days=1))
    assert find_opening(known, later, is_alone=True) == find_opening(known, later) == opened


def test_another_deployment_has_separate_baselines():
    assert baseline(1, 2, deployment="station").baseline_id != BEFORE.baseline_id


def test_a_baseline_survives_json_except_for_its_entries():
    back = Baseline.from_json(BEFORE.to_json())
    assert back == BEFORE
    assert back.baseline_id == BEFORE.baseline_id
    assert back.listed.entries == frozenset()


def test_a_list_contains_counts_by_reason_but_no_names():
    index = Index(1, 2)
    index.entries += [
        SearchedEntry("c" * 64, "default", "wanted", "person 1"),  # a second photo
        SearchedEntry("d" * 64, "staff", "control", "person 9"),
    ]
    listed = ListState.from_index(index)
    assert [(*part.__getstate__(),) for part in listed.parts] == [
        ("default", "wanted", 3, 2), ("staff", "control", 1, 1),
    ]  # fmt: skip
    assert (listed.references, listed.subjects, listed.people) == (4, 3, 3)
    index.entries = [each._replace(subject=None) for each in index.entries]
    unknown = ListState.from_index(index)
    assert (unknown.root, unknown.subjects, unknown.people) == (listed.root, None, 4)
    assert "person" not in str(BEFORE.to_json())


CALIBRATED = Threshold(
    0.47, ThresholdOrigin.CALIBRATED, 2, target_fpir=0.001, calibration_id="c1",
    against=ListState.from_index(Index(1, 2)).entries,
)  # fmt: skip


@pytest.mark.parametrize(
    ("people", "says"),
    [
        ((1, 2), ""),
        ((1,), ""),
        ((), ""),
        ((1, 2, 3), "calibrated for 2 people, now there are 3: 1 entry was added since"),
        ((1, 3), "calibrated for 2 people, now there are 2: 1 entry was added since"),
        ((3, 4), "now there are 2: 2 entries were added since"),
    ],
    ids=["as it was", "a removal", "nobody", "an addition", "an exchange", "others"],
)
def test_an_addition_forbids_the_claim_of_an_error_rate_and_a_removal_does_not(people, says):
    used = baseline(*people, threshold=CALIBRATED).threshold
    assert used.claims_fpir is not bool(says)
    assert says in used.basis_problem
    assert bool(used.basis_problem) is bool(says)
    assert (used.value, used.calibration_id, used.list_size) == (0.47, "c1", 2)
    if says:
        assert used.basis_problem.endswith("No FPIR can be claimed until the next calibration.")


def test_without_the_calibrated_list_no_rate_is_expected():
    used = baseline(1, 2, threshold=replace(CALIBRATED, against=None)).threshold
    assert not used.claims_fpir
    assert "who are unknown" in used.basis_problem


@pytest.mark.parametrize(
    "threshold", [Threshold(0.4, ThresholdOrigin.SET, 2), default_threshold(TABLE, 0.4, 1)]
)
def test_an_uncalibrated_threshold_has_no_expected_rate(threshold):
    assert not baseline(1, 2, threshold=threshold).threshold.claims_fpir


def test_a_list_larger_than_its_default_is_reported_at_each_growth_but_at_no_removal():
    warnings = []
    conditions = replace(CONDITIONS, threshold=default_threshold(TABLE, 0.4, 1))
    in_use = BaselineInUse(conditions, on_threshold_warning=warnings.append)
    problems = []
    for people in ((1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), (1, 2)):
        in_use.adopt(in_use.plan_adoption(in_use.baseline_for(Index(*people))))
        problems.append(bool(in_use.threshold_warning))
    assert problems == [False, False, True, True, False]
    assert [text.split(" people")[0] for text in warnings] == [
        "The list has grown to 3",
        "The list has grown to 4",
    ]


def test_a_reason_given_at_the_start_is_not_repeated():
    warnings = []
    conditions = replace(CONDITIONS, threshold=default_threshold(TABLE[:1], 0.4, 5))
    in_use = BaselineInUse(conditions, on_threshold_warning=warnings.append)
    in_use.adopt(in_use.plan_adoption(in_use.baseline_for(Index(*range(5)))))
    assert warnings == []
    assert (
        "5 people are listed, and the threshold 0.410 is the default for 2"
        in in_use.threshold_warning
    )


class Records:
    """Openings by workers that take baselines up; what each is counted in."""

    def __init__(self):
        self.known = []

    def take(self, content, seconds, former=None):
        adoption = BaselineAdoption(
            content, NOON + seconds * SECOND, former.baseline_id if former else ""
        )
        found = find_opening(self.known, adoption)
        if found is None:
            found = next_opening(self.known, adoption)
            self.known.append(found)
        assert opening_of(self.known, adoption.ref) == found
        return found.number


A, B, C = baseline(1), baseline(1, 2), baseline(1, 2, 3)


def test_a_baseline_that_returns_has_a_new_number():
    city = Records()
    first = [city.take(A, 0), city.take(B, 60, A), city.take(A, 120, B)]
    # Another worker is in the same ones, a moment before or after.
    second = [city.take(A, 0.5), city.take(B, 60.5, A), city.take(A, 119.5, B)]
    assert first == second == [1, 2, 3]
    assert city.take(B, 180, A) == 4
    assert city.take(B, 181, A) == 4
    assert city.known[2].baseline_id == city.known[0].baseline_id
    assert city.known[2].changes == ("list: 2 to 1 references (wanted 2 to 1)",)


def test_a_worker_that_starts_later_or_skips_a_change_has_the_same_baseline():
    city = Records()
    assert [city.take(A, 0), city.take(B, 60, A), city.take(C, 61, B)] == [1, 2, 3]
    assert city.take(C, 62, A) == 3
    assert city.take(C, 3600) == 3


def test_a_late_tally_counts_in_its_own_baseline():
    city = Records()
    refs = [BaselineAdoption(content, NOON + at * SECOND).ref for content, at in ((A, 0), (A, 120))]
    city.take(A, 0), city.take(B, 60, A), city.take(A, 120, B)
    assert [opening_of(city.known, ref).number for ref in refs] == [1, 3]
    assert opening_of(city.known, replace(refs[0], baseline_id="f" * 64)) is None


def test_in_a_data_folder_any_difference_begins_the_next_baseline():
    known = []
    for content, number in ((A, 1), (A, 1), (B, 2), (A, 3), (A, 3)):
        adoption = BaselineAdoption(content, NOON + len(known) * SECOND)
        found = find_opening(known, adoption, is_alone=True)
        if found is None:
            found = next_opening(known, adoption)
            known.append(found)
        assert found.number == number


def test_which_one_was_in_force_at_a_moment():
    city = Records()
    city.take(A, 0), city.take(B, 60, A)
    found = [opening_at(city.known, NOON + at * SECOND).number for at in (-5, 0, 59, 60, 900)]
    assert found == [1, 1, 1, 2, 2]
    assert opening_at([], NOON) is None


def test_figures_may_be_added_up_over_lists_and_cameras_alone():
    for what, (after, _) in CHANGES.items():
        pooled = what in ("an addition", "a removal", "an exchange", "a camera")
        assert (after.pool == BEFORE.pool) is pooled
        assert (BEFORE.differs_in(after) == ()) is pooled
    assert BEFORE.differs_in(baseline(1, rules="9" * 64, software="x")) == ("rules",)
