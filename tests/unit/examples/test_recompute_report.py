"""The example script recomputes a report's figures, and finds a changed one."""

from __future__ import annotations

import ast
import csv
import json
import math
import runpy
from dataclasses import replace
from pathlib import Path

import pytest
from scipy.stats import binomtest, chi2
from tests.reported import ANN, CONDITIONS, NOON, Reported

from openlfr.adapters.memory.records import MemoryRecords
from openlfr.domain.alerts import Adjudication, Outcome
from openlfr.domain.thresholds import Threshold, ThresholdOrigin
from openlfr.operations.report.table import write_table
from openlfr.operations.report_deployment import report_deployment

FILE = Path(__file__).resolve().parents[3] / "examples/recompute_report.py"
SCRIPT = runpy.run_path(str(FILE))


@pytest.fixture
def files(tmp_path):
    """A report of three baselines with alerts, and its table."""
    market = Reported(MemoryRecords())
    market.count("gate", searched=4000)
    for number, result in enumerate([
        (Adjudication.ENGAGE, Outcome.CONFIRMED, 4), (Adjudication.ENGAGE, Outcome.REFUTED, 6),
        (Adjudication.DO_NOT_ENGAGE,),
    ]):  # fmt: skip
        market.decide(market.see(number, subject=f"person {number}"), *result)
    market.open_baseline(1, ann="wanted")
    market.count("yard", searched=600)
    return written(market, tmp_path)


def written(market, folder):
    summary = report_deployment("market", folder, records=market.records, by=ANN, at=NOON)
    write_table(summary, folder / "table.csv")
    return folder / "report.json", folder / "table.csv"


def test_it_imports_the_standard_library_alone():
    names = {
        name
        for node in ast.walk(ast.parse(FILE.read_text()))
        for name in (
            [each.name for each in node.names] if isinstance(node, ast.Import)
            else [node.module] if isinstance(node, ast.ImportFrom) else []
        )
    }  # fmt: skip
    assert names == {"csv", "json", "math", "sys", "collections", "pathlib"}


def test_every_figure_agrees(files, capsys):
    assert SCRIPT["main"](*files) == 0, capsys.readouterr().out
    assert capsys.readouterr().out == "Every recomputed figure agrees.\n"


def test_silence_and_several_thresholds_agree(tmp_path, capsys):
    market = Reported(MemoryRecords())
    market.count("gate", searched=4600)
    assert SCRIPT["main"](*written(market, tmp_path)) == 0, capsys.readouterr().out
    market.open_baseline(1, replace(CONDITIONS, threshold=Threshold(0.5, ThresholdOrigin.SET, 2)))
    market.count("gate", first=100)
    assert SCRIPT["main"](*written(market, tmp_path)) == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    "path",
    [
        ("total", "tracks_searched"),
        ("pools", 0, "tracks_closed"),
        ("cameras", 0, "alerts_opened"),
        ("results", "refuted"),
        ("false_alerts", 0, "results", "confirmed"),
        ("false_alerts", 0, "rates", "searched_track", "interval_high"),
        ("false_alerts", 0, "rates", "watched_hour", "interval_low"),
        ("false_alerts", 1, "silence", "one_sided"),
    ],
)
def test_a_changed_figure_is_found(files, path, capsys):
    report = json.loads(files[0].read_text())
    place = report
    for key in path[:-1]:
        place = place[key]
    value = place[path[-1]]
    place[path[-1]] = value + 1 if isinstance(value, int) else str(float(value) * 1.001)
    files[0].write_text(json.dumps(report))
    assert SCRIPT["main"](files[0]) == 1
    assert path[-1] in capsys.readouterr().out.replace(" ", "_")


@pytest.mark.parametrize("column", ["faces_seen", "watched_hours", "incorrect_alert_rate",
                                    "false_per_alert_interval_low", "minutes_stopped"])  # fmt: skip
def test_a_changed_table_is_found(files, column, capsys):
    with files[1].open(newline="") as file:
        [row] = csv.DictReader(file)
    row[column] = str(float(row[column]) + 1)
    with files[1].open("w", newline="") as file:
        csv.writer(file).writerows([row.keys(), row.values()])
    assert SCRIPT["main"](*files) == 1
    assert column.removeprefix("false_per_").replace("_", " ") in (
        capsys.readouterr().out.replace("_", " ")
    )


@pytest.mark.parametrize(("k", "n"), [(0, 4600), (1, 4600), (3, 10), (10, 10), (40, 90_000)])
def test_its_intervals_are_those_of_scipy(k, n):
    low, high = SCRIPT["interval"](k, k, n)
    exact = binomtest(k, n).proportion_ci(method="exact")
    assert (low, high) == pytest.approx((exact.low, exact.high), rel=1e-9)
    low, high = SCRIPT["interval"](k, k, None)
    assert high == pytest.approx(chi2.ppf(0.975, 2 * k + 2) / 2)
    assert math.isclose(low, chi2.ppf(0.025, 2 * k) / 2 if k else 0)
