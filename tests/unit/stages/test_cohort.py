"""Scores against a cohort, worked out by hand."""

import numpy as np
import pytest

from openlfr.stages.cohort import COHORT, TYPICAL, WEIGHT, against_cohort


def scores(*similarities):
    return against_cohort(np.array([similarities], np.float32))[0].tolist()


def test_a_single_subject_keeps_its_similarity():
    assert scores(0.6) == [pytest.approx(0.6)]


def test_a_typical_cohort_changes_nothing():
    assert scores(0.6, *[TYPICAL] * COHORT)[0] == pytest.approx(0.6)


def test_a_probe_that_is_like_everybody_scores_less():
    alike = scores(0.45, *[0.35] * COHORT)[0]
    assert alike == pytest.approx(0.45 - WEIGHT * (0.35 - TYPICAL))
    assert alike < scores(0.45, *[0.1] * COHORT)[0]


def test_only_the_nearest_ten_count_and_the_candidate_itself_never():
    near = [0.5, *[0.3] * COHORT]
    assert scores(*near, 0.2, 0.1)[0] == pytest.approx(scores(*near)[0])
    last = scores(*near, 0.2)[-1]  # its ten nearest are the best ten
    assert last == pytest.approx(0.2 - WEIGHT * ((0.5 + 9 * 0.3) / COHORT - TYPICAL))


@pytest.mark.parametrize("subjects", [2, 5, 11, 30])
def test_the_order_of_subjects_stays(subjects):
    similarities = np.sort(np.random.default_rng(3).uniform(-0.2, 0.9, (50, subjects)))[:, ::-1]
    found = against_cohort(similarities.astype(np.float32))
    assert (np.diff(found, axis=1) <= 1e-6).all()


def test_subjects_that_are_not_there_count_as_typical():
    assert scores(0.6, 0.5, -np.inf) == [*(pytest.approx(s) for s in scores(0.6, 0.5)), -np.inf]
    assert scores(-np.inf) == [-np.inf]
