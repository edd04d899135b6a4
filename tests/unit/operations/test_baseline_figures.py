"""Figures by baseline: in the report, on the page and as the command prints them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.contract.test_tally_records import tally
from tests.unit.domain.test_baselines import CALIBRATED, NOON, A, B, baseline
from tests.unit.operations.test_report import SUMMARY, Page
from tests.unit.operations.test_report import item as build_alert_item

from openlfr.adapters.sql.records import Records
from openlfr.cli import deployment_baselines
from openlfr.domain.alert_records import RecordedEvent
from openlfr.domain.baseline_openings import BaselineAdoption
from openlfr.domain.tallies import Reporter
from openlfr.operations.baseline_figures import figures_by_baseline
from openlfr.operations.baselines import open_baseline
from openlfr.operations.report import write_report

if TYPE_CHECKING:
    from pathlib import Path

MINUTE = timedelta(minutes=1)


@pytest.fixture
def records(tmp_path):
    with Records.open(f"sqlite:///{tmp_path}/openlfr.db") as opened:
        yield opened


def counted(records, *contents, **more):
    """Each of them opened a minute after the other, with a tally of 100 frames in it."""
    tallies = []
    for number, content in enumerate(contents):
        opened = open_baseline(
            BaselineAdoption(content, NOON + number * MINUTE), records=records, at=NOON, alone=True
        )
        ref = opened.ref
        tallies.append(
            tally(first=number * 100, deployment="market", baseline=ref.baseline_id,
                  baseline_since=ref.adopted_at, **more)
        )  # fmt: skip
    tallies.append(tally(first=9000, deployment="market"))  # of an earlier version
    records.tallies.record(tallies, at=NOON)


def raised(*minutes):
    """Alert events emitted so many minutes after noon."""
    return [RecordedEvent(build_alert_item().event, NOON + each * MINUTE, None) for each in minutes]


def figures(records, events=(), **more):
    return figures_by_baseline(records.baselines, records.tallies, "market", events, **more)


CHANGED = baseline(1, 2, rules="9" * 64)


def test_every_figure_is_in_one_baseline_and_in_the_pool_of_equal_baselines(records):
    counted(records, A, B, CHANGED, A)
    found = figures(records, raised(-1, 0.5, 1.5, 1.6, 3.1, 60))
    by_number = {each.number: each for each in found.baselines}
    assert {number: each.counts.frames_analysed for number, each in by_number.items()} == (
        dict.fromkeys(range(5), 100)
    )
    assert [by_number[n].counts.alerts_opened for n in range(5)] == [0, 2, 2, 0, 2]
    assert [by_number[n].until for n in range(5)] == [
        None, NOON + MINUTE, NOON + 2 * MINUTE, NOON + 3 * MINUTE, None,
    ]  # fmt: skip
    alike, other = found.pools
    assert (alike.numbers, other.numbers) == ((1, 2, 4), (3,))
    assert alike.other_pools == (((3,), ("rules",)),)
    assert other.other_pools == (((1, 2, 4), ("rules",)),)
    assert (alike.counts.frames_analysed, alike.counts.tracks_searched) == (300, 9)
    assert alike.counts.alerts_opened == 6
    assert sum(alike.counts.scores) == 9


def test_the_baselines_of_one_run_are_listed(records):
    counted(records, A, B)
    ref = records.baselines.openings_of("market")[1].ref
    second = tally(first=0, epoch=2, deployment="market", baseline=ref.baseline_id,
                   baseline_since=ref.adopted_at)  # fmt: skip
    records.tallies.record([second], at=NOON)
    assert [each.number for each in figures(records, epoch=2).baselines] == [2]
    assert [each.number for each in figures(records).baselines] == [0, 1, 2]


def lines(records, **more):
    return "\n".join(deployment_baselines.format_baselines(figures(records, **more)))


def test_the_command_prints_number_span_reason_threshold_and_size(records):
    counted(records, A, B, CHANGED)
    text = lines(records)
    for part in (
        "  1  2026-11-23 12:00:00 to 2026-11-23 12:01:00: the first",
        "  2  2026-11-23 12:01:00 to 2026-11-23 12:02:00: list: 1 to 2 references (wanted 1 to 2)",
        "  3  2026-11-23 12:02:00 to now: rules",
        "threshold 0.450 (set), 2 references of 2 people; list root ",
        "5 faces seen, 3 compared, 0 matched, 0 alerts",
        "  1, 2 together (same model, rules and threshold): 10 faces seen, 6 compared",
        "  3 not added to 1, 2: different rules",
        "  -  of no recorded baseline: 5 faces seen",
    ):
        assert part in text, part
    assert Counter(line[:4].strip() for line in text.splitlines())[""] == 6


def test_the_last_one_ends_with_the_deployment(records):
    counted(records, A, B)
    text = "\n".join(deployment_baselines.format_baselines(figures(records), NOON + 9 * MINUTE))
    assert "12:01:00 to 2026-11-23 12:09:00: list" in text
    assert "now" not in text


def test_its_json_is_json(records):
    counted(records, A, B)
    values = json.loads(json.dumps(deployment_baselines.baselines_as_json(figures(records))))
    assert [each["number"] for each in values["baselines"]] == [0, 1, 2]
    assert values["baselines"][2]["list"]["root"] == B.listed.root
    assert values["pools"][0]["numbers"] == [1, 2]
    assert values["baselines"][1]["fpir_may_be_claimed"] is False


def report_of(records, folder: Path, threshold=SUMMARY.threshold):
    found = figures(records)
    summary = replace(SUMMARY, threshold=threshold, baselines=found.baselines, pools=found.pools)
    page = Page(write_report(summary, folder))
    return page.text, json.loads((folder / "report.json").read_text())


def test_the_report_shows_each_and_which_were_added_up(records, tmp_path):
    counted(records, A, B, CHANGED)
    text, report = report_of(records, tmp_path)
    for part in (
        "Baseline by baseline", "list: 1 to 2 references (wanted 1 to 2)",
        "baselines 1, 2. Together 10 faces seen, 6 compared, 0 matched, 0 alerts.",
        "Different from 3: other rules.", "23 November 2026 12:01:00",
    ):  # fmt: skip
        assert part in text, part
    assert [each["number"] for each in report["baselines"]] == [0, 1, 2, 3]
    assert [each["tracks_searched"] for each in report["baselines"]] == [3, 3, 3, 3]
    assert report["baselines"][3]["rules"] == "9" * 64
    assert [each["numbers"] for each in report["pools"]] == [[1, 2], [3]]
    assert report["pools"][0]["apart"] == [{"numbers": [3], "differs_in": ["rules"]}]


@pytest.mark.parametrize(("people", "claimed"), [((1,), True), ((1, 2, 3), False)])
def test_an_addition_forbids_the_report_to_claim_an_error_rate(records, tmp_path, people, claimed):
    calibrated = {"threshold": CALIBRATED}
    counted(records, baseline(1, 2, **calibrated), baseline(*people, **calibrated))
    text, report = report_of(records, tmp_path, CALIBRATED)
    assert report["calibrated"] is True
    assert report["fpir_may_be_claimed"] is claimed
    assert [each["fpir_may_be_claimed"] for each in report["baselines"] if each["number"]] == [
        True, claimed,
    ]  # fmt: skip
    for place in (text, lines(records)):
        assert ("calibrated for 2 people, now there are 3" in place) is not claimed
        assert ("No FPIR can be claimed" in place) is not claimed
    assert ("no FPIR is claimed" in text) is not claimed


def test_frames_that_were_not_looked_at_make_no_line_of_their_own(records, tmp_path):
    counted(records, A)
    left_out = {"frames_analysed": 0, "frames_sampled_away": 7, "tracks_closed": 0, "scores": {},
                "tracks_not_searched": {}}  # fmt: skip
    records.tallies.discard_from("market", 1, "gate", Reporter.ANALYSIS, 9000)
    records.tallies.record([tally(first=9000, deployment="market", **left_out)], at=NOON)
    text, report = report_of(records, tmp_path)
    assert "no baseline is recorded" not in text
    assert "no recorded baseline" not in lines(records)
    assert report["baselines"][0]["frames_sampled_away"] == 7
