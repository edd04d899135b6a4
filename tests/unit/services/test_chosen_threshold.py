"""A worker chooses its default threshold at its start, and says when the list outgrows it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from openlfr.adapters.metrics import Metrics
from openlfr.domain.thresholds import DefaultRow, Threshold, ThresholdOrigin, default_threshold
from openlfr_analysis import measures
from openlfr_analysis.chosen import ChosenThreshold

TABLE = (DefaultRow(20, 0.41, 3000, 3, 0.003), DefaultRow(100, 0.46, 3000, 3, 0.003))


def outgrown(metrics):
    (line,) = (
        line
        for line in metrics.text().decode().splitlines()
        if line.startswith("openlfr_threshold_outgrown")
    )
    return float(line.rpartition(" ")[2])


def test_a_list_that_outgrows_it_is_logged_once_and_measured():
    listed, metrics = SimpleNamespace(subjects=0), Metrics("analysis")
    with capture_logs() as logs:
        chosen = ChosenThreshold(default_threshold(TABLE, 0.4, 0), listed)
        measures.decide_from(metrics, chosen)
        for listed.subjects in (0, 20, 21, 90):
            chosen.look()
            assert outgrown(metrics) == (listed.subjects > 20)
    assert [each["event"] for each in logs] == ["threshold", "threshold_outgrown"]
    assert "grown to 21 people" in logs[1]["why"]
    assert "0.410 is the default for up to 20" in logs[1]["why"]


def test_a_list_longer_than_any_that_was_measured_is_said_at_the_start_and_measured():
    listed, metrics = SimpleNamespace(subjects=500), Metrics("analysis")
    with capture_logs() as logs:
        chosen = ChosenThreshold(default_threshold(TABLE, 0.4, 500), listed)
        measures.decide_from(metrics, chosen)
        chosen.look()
    assert [each["event"] for each in logs] == ["threshold"]
    assert "500 are listed, so more strangers will be stopped" in logs[0]["why"]
    assert outgrown(metrics) == 1


@pytest.mark.parametrize(
    "threshold",
    [Threshold(0.4, ThresholdOrigin.SET, 0), default_threshold((), 0.4, 0)],
    ids=["set", "another model's"],
)
def test_what_belongs_to_no_length_is_never_outgrown(threshold):
    listed, metrics = SimpleNamespace(subjects=9999), Metrics("analysis")
    chosen = ChosenThreshold(threshold, listed)
    measures.decide_from(metrics, chosen)
    with capture_logs() as logs:
        chosen.look()
    assert logs == []
    assert outgrown(metrics) == 0
