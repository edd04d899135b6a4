"""False alerts as a range, by denominator and baseline, and the bound after silence."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from scipy.stats import beta, binomtest, chi2
from tests.reported import ANN, CONDITIONS, NOON, Reported
from tests.unit.operations.test_report import Page

from openlfr.adapters.memory.records import MemoryRecords
from openlfr.domain.alert_results import AlertResults
from openlfr.domain.alerts import Adjudication, Outcome
from openlfr.domain.counts import CameraCounts
from openlfr.domain.thresholds import Threshold, ThresholdOrigin
from openlfr.operations.alert_results import bound_silence, compute_rates
from openlfr.operations.report_deployment import report_deployment

ENGAGE, NOT = Adjudication.ENGAGE, Adjudication.DO_NOT_ENGAGE


@pytest.fixture
def market():
    return Reported(MemoryRecords())


def report(market, folder):
    report_deployment("market", folder, records=market.records, by=ANN, at=NOON)
    return Page(folder / "report.html").text, json.loads((folder / "report.json").read_text())


def alerts(market, *results):
    """One alert per result: (decision, outcome, minutes), or () for an undecided alert."""
    for number, result in enumerate(results):
        alert = market.see(number, subject=f"person {number}")
        if result:
            market.decide(alert, *result)


@pytest.mark.parametrize(
    ("results", "refuted", "unverified"),
    [
        ([], 0, 0),
        ([(ENGAGE, Outcome.CONFIRMED)], 0, 0),
        ([(ENGAGE, Outcome.REFUTED)], 1, 0),
        ([()], 0, 1),
        ([(NOT,)], 0, 1),  # a decision is no proof
        ([(ENGAGE,)], 0, 1),
        ([(ENGAGE, Outcome.NOT_LOCATED)], 0, 1),
        ([(ENGAGE, Outcome.NOT_ATTENDED)], 0, 1),
        ([(Adjudication.CANNOT_TELL,)], 0, 1),
        ([(ENGAGE, Outcome.REFUTED), (NOT,), (ENGAGE, Outcome.CONFIRMED)], 1, 1),
    ],
)
def test_false_alerts_are_from_the_refuted_to_the_unverified(market, results, refuted, unverified):
    market.count("gate", searched=100)
    alerts(market, *results)
    found = market.summary().results
    assert (found.alerts, found.refuted, found.unverified) == (len(results), refuted, unverified)


def test_interventions_and_minutes(market):
    alerts(
        market, (ENGAGE, Outcome.CONFIRMED, 4), (ENGAGE, Outcome.REFUTED, 11),
        (ENGAGE, Outcome.CONFIRMED), (NOT,), (ENGAGE, Outcome.NOT_LOCATED),
    )  # fmt: skip
    found = market.summary().results
    assert (found.engaged_confirmed, found.engaged_refuted) == (2, 1)
    assert (found.minutes_stopped, found.stops_without_minutes) == (15, 1)


def test_minutes_that_nobody_recorded_are_not_zero(market):
    alerts(market, (ENGAGE, Outcome.CONFIRMED))
    assert market.summary().results.minutes_stopped is None


@pytest.mark.parametrize(("refuted", "unverified"), [(0, 0), (0, 3), (1, 0), (2, 5)])
def test_the_rates_are_exact(refuted, unverified):
    """The same intervals as SciPy's own test computes, and as Garwood's formula."""
    counts = CameraCounts("all", tracks_searched=400, tracks_closed=500, watched_us=7_200_000_000)
    results = AlertResults(alerts=refuted + unverified + 2, confirmed=2, refuted=refuted)
    rates = {each.per: each for each in compute_rates(results, counts)}
    totals = {"searched_track": 400, "face_seen": 500, "alert": refuted + unverified + 2}
    high = refuted + unverified
    for per, total in totals.items():
        rate = rates[per]
        assert (rate.total, rate.lowest, rate.highest) == (total, refuted / total, high / total)
        low_end = binomtest(refuted, total).proportion_ci(method="exact").low
        high_end = binomtest(high, total).proportion_ci(method="exact").high
        assert rate.interval_low == pytest.approx(low_end)
        assert rate.interval_high == pytest.approx(high_end)
    hour = rates["watched_hour"]
    assert (hour.total, hour.lowest, hour.highest) == (2, refuted / 2, high / 2)
    assert hour.interval_high == pytest.approx(chi2.ppf(0.975, 2 * high + 2) / 4)
    assert beta.ppf(0.975, high + 1, 400 - high) == rates["searched_track"].interval_high


def test_each_baseline_and_each_pool_has_its_own(market, tmp_path):
    market.count("gate", searched=100)
    alerts(market, (ENGAGE, Outcome.REFUTED))
    market.open_baseline(1, ann="wanted")  # another list, which may be added up
    market.count("gate", first=100, searched=50)
    other = replace(CONDITIONS, threshold=Threshold(0.5, ThresholdOrigin.SET, 2))
    market.open_baseline(2, other)
    market.count("gate", first=200, searched=30)
    market.see(180)
    page, figures = report(market, tmp_path)
    found = {tuple(each["numbers"]): each for each in figures["false_alerts"]}
    assert list(found) == [(1,), (2,), (3,), (1, 2)]
    assert {key: (each["results"]["refuted"], each["results"]["unverified"],
                  each["rates"]["searched_track"]["total"])
            for key, each in found.items()} == {
        (1,): (1, 0, 100), (2,): (0, 0, 50), (3,): (0, 1, 30), (1, 2): (1, 0, 150),
    }  # fmt: skip
    assert [key for key, each in found.items() if each["silence"]] == [(2,)]
    assert "Baselines with another model, other rules or another threshold are not added" in page
    assert "no alert about an unlisted person in 50 searched tracks" in page


def test_no_rate_is_stated_without_a_recorded_baseline(market, tmp_path):
    market.opening = replace(market.opening, baseline_id="0" * 64)
    market.count("gate", searched=100)
    page, figures = report(market, tmp_path)
    [first] = [each for each in figures["false_alerts"] if each["numbers"] == [0]]
    assert (first["rates"], first["silence"]) == ({}, None)
    assert "no rate is stated without a recorded baseline" in page


STORY = 4600


@pytest.mark.parametrize(
    ("per_walker", "one_sided", "two_sided"), [(None, 1536, 1247), (1, 1536, 1247), (3, 512, 416)]
)
def test_the_story_of_4600_faces_without_an_alert(per_walker, one_sided, two_sided):
    counts = CameraCounts("all", tracks_searched=STORY)
    bound = bound_silence(AlertResults(), counts, per_walker)
    assert (int(1 / bound.one_sided), int(1 / bound.two_sided)) == (one_sided, two_sided)
    assert bound.is_measured is (per_walker is not None)


@pytest.mark.parametrize(
    ("results", "counts", "tracks"),
    [
        (AlertResults(), CameraCounts("all"), None),
        (AlertResults(alerts=1), CameraCounts("all", tracks_searched=9), None),
        (AlertResults(alerts=1, refuted=1), CameraCounts("all", tracks_searched=9), None),
        (AlertResults(alerts=1, confirmed=1),
         CameraCounts("all", tracks_searched=9, tracks_matched=1), 8),
    ],
)  # fmt: skip
def test_silence_needs_tracks_and_no_alert_that_may_be_false(results, counts, tracks):
    bound = bound_silence(results, counts, None)
    assert (bound and bound.tracks) == tracks


def test_the_page_states_the_bound_and_its_assumption(market, tmp_path):
    market.count("gate", searched=STORY)
    page, figures = report(market, tmp_path)
    for part in (
        "no alert about an unlisted person in 4,600 searched tracks",
        "If all tracks are independent, the share of false alerts is at most 1 in 1,536 (95%,",
        "one-sided), and at most 1 in 1,247 (95%, two-sided)",
        "One track per walker is an assumption",
        "True recognition rate (TPIR): not measured",
    ):
        assert part in page, part
    [silence] = [each["silence"] for each in figures["false_alerts"]]
    assert silence == {
        "tracks": 4600, "tracks_per_walker": "1", "tracks_per_walker_measured": False,
        "one_sided": "0.000651034", "two_sided": "0.000801609",
    }  # fmt: skip
    assert figures["tpir"] is None
