"""`openlfr report` as a person uses it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from tests.reported import MARKET, Reported

from openlfr import bootstrap, settings

CONFIG = """\
data_dir: data
deployment:
  {name: Market, purpose: Find Ann, place: Square, legal_basis: Act 5,
   authorised_by: Chief Jones, starts: 2026-11-23T12:00Z, ends: 2026-11-23T20:00Z}
cameras: {gate: {url: gate.mp4}}
"""


@pytest.fixture
def openlfr(command_in_folder):
    return command_in_folder(CONFIG, "report")


@pytest.fixture
def market(openlfr):
    with bootstrap.open_records(settings.load(Path("CONFIG.yaml"))) as records:
        reported = Reported(records)
        reported.count("gate", searched=30)
        reported.see(0, 5)
        yield reported


def test_it_prints_the_figures_and_writes_no_file(openlfr, market):
    before = sorted(Path().iterdir())
    code, out, err = openlfr(MARKET.deployment_id)
    assert (code, err) == (0, "")
    for part in ("Market (market), started", "1 alert from 31 faces seen", "30  compared"):
        assert part in out, part
    assert sorted(Path().iterdir()) == before


def test_it_writes_page_and_json_for_their_owner_only(openlfr, market):
    code, out, _ = openlfr("Market", "--out", "deep/report", "--by", "Eve Writer")
    folder = Path("deep/report").absolute()
    assert (code, f"Wrote {folder}/report.html" in out) == (0, True)
    assert sorted(each.name for each in folder.iterdir()) == ["report.html", "report.json"]
    assert {each.stat().st_mode & 0o777 for each in folder.iterdir()} == {0o600}
    [act] = [each for each in market.records.audit.all(object_kind="deployment")
             if each.kind == "deployment.report_written"]  # fmt: skip
    assert (act.by.name, act.detail["folder"]) == ("Eve Writer", str(folder))


def test_it_prints_the_same_json(openlfr, market):
    code, out, _ = openlfr("Market", "--json", "--out", "report")
    written = json.loads(Path("report/report.json").read_text())
    assert (code, json.loads(out) | {"annex": None}) == (0, written)


def test_it_writes_a_table_of_one_row_without_names(openlfr, market):
    code, out, _ = openlfr("Market", "--csv", "market.csv")
    assert (code, "Wrote market.csv." in out) == (0, True)
    with Path("market.csv").open(newline="") as file:
        [row] = csv.DictReader(file)
    assert (row["total_alerts"], row["faces_seen"], row["searched_tracks"]) == ("1", "31", "30")
    assert "ann" not in row.values()
    assert Path("market.csv").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("Market", "--csv", "."), "is a directory"),
        (("Fair",), "There is no deployment 'Fair'"),
        (("Market", "--out", "CONFIG.yaml"), "is a file"),
        (("Market", "--by", "?"), "expected a person's name"),
        ((), "DEPLOYMENT"),
    ],
)
def test_wrong_use_is_one_sentence_and_exit_code_2(openlfr, market, words, part):
    code, out, err = openlfr(*words)
    assert (code, out) == (2, "")
    assert part in err
