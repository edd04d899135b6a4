"""The threshold and its origin."""

import pytest

from openlfr.domain.thresholds import DefaultRow, Threshold, ThresholdOrigin, default_threshold

TABLE = (DefaultRow(20, 0.45, 3000, 3, 0.003), DefaultRow(100, 0.47, 3000, 3, 0.003))


@pytest.mark.parametrize(
    ("listed", "row", "value", "says"),
    [
        (0, 20, 0.45, "lists of up to 20 people, uncalibrated"),
        (20, 20, 0.45, "lists of up to 20 people"),
        (21, 100, 0.47, "lists of up to 100 people"),
        (100, 100, 0.47, "stopped 3 of 3,000 strangers' passes (at most 1 in 333, 95%)"),
        (101, 100, 0.47, "101 are listed, so more strangers will be stopped"),
    ],
)
def test_the_row_of_the_next_longer_list_is_the_default(listed, row, value, says):
    chosen = default_threshold(TABLE, 0.4, listed)
    assert (chosen.row.list_size, chosen.value, chosen.list_size) == (row, value, listed)
    assert says in chosen.describe()
    assert not chosen.is_calibrated
    assert chosen.is_outgrown_by(listed) is (listed > 100)
    assert chosen.is_outgrown_by(101)


def test_a_model_that_was_not_measured_has_the_default_that_was_stated_for_it():
    chosen = default_threshold((), 0.4, 5000)
    assert (chosen.value, chosen.row, chosen.is_outgrown_by(9999)) == (0.4, None, False)
    assert "not measured here" in chosen.describe()
    assert "not fitted to this model, but to SFace" in chosen.describe()


def test_a_configured_threshold_is_no_default():
    chosen = Threshold(0.41, ThresholdOrigin.SET, 20)
    assert "default" not in chosen.describe()
    assert "not fitted" not in chosen.describe()
    assert "not fitted" in Threshold(0.4, ThresholdOrigin.SET, 20, fitted=False).describe()
    assert "matching.threshold" in chosen.describe()
    assert not chosen.is_outgrown_by(9999)
