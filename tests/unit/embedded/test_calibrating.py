"""The end of a calibration: everybody who walked counts, and a threshold needs a real score."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.unit.domain.test_calibrations import calibration

from openlfr import bootstrap
from openlfr.bootstrap import choose_threshold
from openlfr.cli.calibrate import format_report, report_as_json
from openlfr.domain.errors import BadInput, Misconfigured, NotAllowed
from openlfr.domain.principals import Principal, Role
from openlfr.embedded.calibrating import (
    CalibrationReport,
    CalibrationRequest,
    _conclude,
    run_calibration,
)
from openlfr.embedded.cohort_passes import CohortScores
from openlfr.settings.decisions import Matching

SUE = Principal("https://people.example", "sue", "Sue", frozenset({Role.SUPERVISOR}))


def request(target=0.2, by=SUE):
    return CalibrationRequest(Path("cohort"), target, by)


def scores(searched, unsearched=0):
    best = {f"p{each}": 0.1 + each / 100 for each in range(searched)}
    walked = {*best, *(f"u{each}" for each in range(unsearched))}
    return CohortScores(best, walked, 2)


def test_people_without_a_search_count_and_are_stated():
    result, cohort = _conclude(scores(14, 6), request(), 3, "c" * 64)
    assert (cohort.people, cohort.searched, cohort.left_out) == (20, 14, 3)
    assert cohort.tracks_of_nobody == 2
    assert (result.people, result.above) == (20, 0)
    assert result.value == pytest.approx(0.1 + 13 / 100, abs=1e-6)


@pytest.mark.parametrize(("searched", "unsearched", "target"), [(0, 20, 0.2), (1, 40, 0.2)])
def test_without_a_deciding_score_there_is_no_threshold(searched, unsearched, target):
    with pytest.raises(BadInput, match=f"Only {searched} of {searched + unsearched} people were"):
        _conclude(scores(searched, unsearched), request(target), 0, "c" * 64)


def test_too_few_walkers_are_refused_at_the_end_too():
    with pytest.raises(BadInput, match="At least 17 people are needed"):
        _conclude(scores(16), request(), 0, "c" * 64)


@pytest.mark.parametrize("role", [each for each in Role if each is not Role.SUPERVISOR])
def test_another_role_is_refused_before_anything_is_read(role):
    by = Principal("https://people.example", "o", "Otto", frozenset({role}))
    with pytest.raises(NotAllowed, match="Otto may not set a threshold"):
        run_calibration(None, request(by=by), None)


def test_a_process_without_records_refuses_a_target():
    settings = SimpleNamespace(matching=Matching(target_fpir=0.001))
    with pytest.raises(Misconfigured, match="works with openlfr run only"):
        bootstrap.require_no_target(settings)
    facts = SimpleNamespace(model_sha256="a" * 64)
    with pytest.raises(Misconfigured, match="works with openlfr run only"):
        choose_threshold(settings, facts, 5)
    bootstrap.require_no_target(SimpleNamespace(matching=Matching()))


def test_the_result_states_people_interval_list_and_simulation():
    made = calibration(simulation={"passes": "simulated", "walks_per_person": 1})
    report = CalibrationReport(made, {"Ann": "Ann is on the list"})
    text = format_report(report)
    for part in (
        "0.4375 for a target FPIR of 0.01", "370 unlisted people, 0 of them reach",
        "0.00000 to 0.00990", "2 of them had no searched face", "1 searched tracks",
        "2 references of 2 people", "simulated, 1 walk per person", made.calibration_id,
    ):  # fmt: skip
        assert part in text
    values = report_as_json(report)
    assert values["calibration_id"] == made.calibration_id
    assert values["left_out"] == {"Ann": "Ann is on the list"}
    assert "entries" not in values
