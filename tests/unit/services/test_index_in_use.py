"""A worker applies a new index between two batches, together with its baseline."""

from __future__ import annotations

from dataclasses import replace

import pytest
from structlog.testing import capture_logs
from tests.unit.domain.test_baselines import CALIBRATED, CONDITIONS, TABLE, Index

from openlfr.adapters.telemetry.metrics import Metrics
from openlfr.domain.thresholds import Threshold, ThresholdOrigin, default_threshold
from openlfr_analysis import metrics as service_metrics
from openlfr_analysis.index_in_use import IndexInUse


class Analyser:
    """Records its index and threshold."""

    index, threshold = None, 1.0

    def use_index(self, index):
        self.index = index

    def set_threshold(self, threshold):
        self.threshold = threshold


def outgrown(metrics):
    (line,) = (
        line
        for line in metrics.text().decode().splitlines()
        if line.startswith("openlfr_threshold_outgrown")
    )
    return float(line.rpartition(" ")[2])


@pytest.fixture
def analyser():
    return Analyser()


@pytest.fixture
def index_in_use(analyser):
    return IndexInUse(analyser)


def with_threshold(threshold):
    return replace(CONDITIONS, threshold=threshold)


def test_a_list_waits_for_the_threshold_and_is_applied_once(index_in_use, analyser):
    first, second = Index(1), Index(1, 2)
    index_in_use.offer(Index())
    index_in_use.offer(first)
    assert (index_in_use.apply_offered(), analyser.index, index_in_use.threshold) == (
        None,
        None,
        1.0,
    )
    with capture_logs() as logs:
        index_in_use.begin(CONDITIONS)
        one = index_in_use.apply_offered()
        assert (analyser.index, analyser.threshold, one.previous_baseline_id) == (first, 0.45, "")
        assert index_in_use.apply_offered() is None
        index_in_use.offer(second)
        assert analyser.index is first
        other = index_in_use.apply_offered()
    assert analyser.index is second
    assert other.previous_baseline_id == one.ref.baseline_id
    assert [each["event"] for each in logs] == ["threshold", "baseline", "baseline"]
    assert logs[2]["id"] == other.ref.baseline_id
    assert logs[2]["list_root"] == other.baseline.listed.root


def test_another_index_of_the_same_list_has_the_same_baseline(index_in_use, analyser):
    index_in_use.begin(CONDITIONS)
    index_in_use.offer(Index(1, 2))
    assert index_in_use.apply_offered() is not None
    same = Index(2, 1)
    index_in_use.offer(same)
    assert index_in_use.apply_offered() is None
    assert analyser.index is same


def test_a_list_that_outgrows_its_default_is_logged_once_and_measured(index_in_use):
    metrics = Metrics("analysis")
    service_metrics.register_threshold(metrics, index_in_use)
    with capture_logs() as logs:
        index_in_use.begin(with_threshold(default_threshold(TABLE, 0.4, 0)))
        for people in (0, 2, 3, 90, 1):
            index_in_use.offer(Index(*range(people)))
            index_in_use.apply_offered()
            assert outgrown(metrics) == (people > 2)
    logged = [each for each in logs if each["event"] != "baseline"]
    assert [each["event"] for each in logged] == ["threshold", "threshold_outgrown"]
    assert "grown to 3 people" in logged[1]["why"]
    assert "0.410 is the default for up to 2" in logged[1]["why"]


def test_a_list_longer_than_all_measured_lists_is_logged_at_the_start(index_in_use):
    metrics = Metrics("analysis")
    service_metrics.register_threshold(metrics, index_in_use)
    index_in_use.offer(Index(*range(500)))
    with capture_logs() as logs:
        index_in_use.begin(with_threshold(default_threshold(TABLE, 0.4, 500)))
        index_in_use.apply_offered()
    assert [each["event"] for each in logs] == ["threshold", "baseline"]
    assert "500 are listed, so more strangers will be stopped" in logs[0]["why"]
    assert outgrown(metrics) == 1


def test_an_addition_to_a_calibrated_list_is_logged_and_measured(index_in_use):
    metrics = Metrics("analysis")
    service_metrics.register_threshold(metrics, index_in_use)
    index_in_use.begin(with_threshold(CALIBRATED))
    found = []
    with capture_logs() as logs:
        for people in ((1, 2), (1,), (1, 2, 3)):
            index_in_use.offer(Index(*people))
            index_in_use.apply_offered()
            found.append(outgrown(metrics))
    assert found == [0, 0, 1]
    [why] = (each["why"] for each in logs if each["event"] == "threshold_outgrown")
    assert "calibrated for 2 people, now there are 3" in why


@pytest.mark.parametrize(
    "threshold",
    [Threshold(0.4, ThresholdOrigin.SET, 0), default_threshold((), 0.4, 0)],
    ids=["set", "another model's"],
)
def test_a_threshold_without_a_list_length_is_never_outgrown(index_in_use, threshold):
    metrics = Metrics("analysis")
    service_metrics.register_threshold(metrics, index_in_use)
    index_in_use.begin(with_threshold(threshold))
    index_in_use.offer(Index(*range(9999)))
    with capture_logs() as logs:
        index_in_use.apply_offered()
    assert [each["event"] for each in logs] == ["baseline"]
    assert outgrown(metrics) == 0
