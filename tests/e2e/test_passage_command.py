"""`openlfr passage` as a person uses it: 36 of 40 passages by as many people, or by few."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.passages import SECOND, enrol, log, plan, see

from openlfr import bootstrap, settings
from openlfr.cli import main

CONFIG = """\
data_dir: data
deployment:
  {{id: Market, name: Night market, purpose: Test, place: Square, legal_basis: Act 5,
   authorised_by: Chief Jones, starts: {starts}, ends: {ends}}}
cameras: {{gate: {{url: gate.mp4}}, yard: {{url: yard.mp4}}}}
"""


@pytest.fixture
def openlfr(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    now = datetime.now(UTC)
    hours = {"starts": now - timedelta(hours=1), "ends": now + timedelta(days=1)}
    iso = {name: f"{at:%Y-%m-%dT%H:%M:%SZ}" for name, at in hours.items()}
    (tmp_path / "CONFIG.yaml").write_text(CONFIG.format(**iso))

    def run(*words, code=0):
        capsys.readouterr()
        assert main(["passage", *words]) == code
        said = capsys.readouterr()
        return said.out if code == 0 else said.err

    return run


@pytest.fixture
def noon(monkeypatch):
    """Commands of `openlfr passage` run at a time that the test sets, an hour ago at first."""

    class Clock(datetime):
        at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=50)

        @classmethod
        def now(cls, _=None):
            return cls.at

    monkeypatch.setattr("openlfr.cli.passage.datetime", Clock)
    return Clock


def text_of(moment):
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def open_records():
    return bootstrap.open_records(settings.load(Path("CONFIG.yaml")))


def list_subjects(*subjects):
    with open_records() as records:
        enrol(records, *subjects, expires=datetime.now(UTC) + timedelta(days=9))


@pytest.mark.parametrize(
    ("found", "each", "low", "high"),
    [
        ([1] * 36 + [0] * 4, 1, "0.76", "0.97"),
        ([8, 8, 8, 8, 4], 8, "0.36", "1.00"),
        ([8, 7, 7, 7, 7], 8, "0.69", "0.99"),
        ([2, 1, 0, 2], 2, "", ""),
    ],
    ids=["40 people", "one often missed", "each missed once", "too few"],
)  # fmt: skip
def test_the_interval_depends_on_the_number_of_people(openlfr, noon, found, each, low, high):
    subjects = [f"Person {n}" for n in range(len(found))]
    list_subjects(*subjects)
    openlfr("plan", "Person 0")  # and never walked
    with open_records() as records:
        for subject, number in zip(subjects, found, strict=True):
            for one in range(each):
                at = noon.at + one * 30 * SECOND
                planned = plan(records, subject, at=at)
                if one < number:
                    see(records, subject, at + 2 * SECOND)
                log(records, planned, at + SECOND)
    lines = openlfr("result").splitlines()
    passages = each * len(found)
    line = f"{sum(found)} of {passages} passages of {len(found)} subjects"
    if low:
        line += f": recognition rate (TPIR) 0.90, 95% interval {low} to {high}"
    assert lines[1] == f"  {passages + 1} passages planned, 1 of them never logged"
    assert lines[3:5] == [f"  found in {line}", f"    gate: {line}"]
    upper = "Cooperative subjects: an upper bound for listed people, since no photos of people who"
    assert lines[-1].startswith(upper)
    counted = json.loads(openlfr("result", "--json"))
    assert lines[2].strip() in counted["plans_not_logged"]
    (group,) = counted["groups"]
    assert (counted["planned"], counted["not_logged"]) == (passages + 1, 1)
    assert group["whole"]["found"] == sum(found)
    few = len(found) < 5
    assert (group["whole"]["interval"] is None, group["whole"]["tpir"] is None) == (few, few)
    assert few == ("With fewer than 5 subjects there are only counts." in lines)


def test_nothing_is_measured_without_a_logged_passage(openlfr):
    list_subjects("Ann")
    planned = openlfr("plan", "Ann", "--deployment", "Market", code=2)
    assert "There is no deployment 'Market'" in planned
    planned = openlfr("plan", "Ann")
    assert "Ann will pass gate, yard" in planned
    assert len(planned.splitlines()[1].removeprefix("  commitment ")) == 64
    out = openlfr("result", "--deployment", "Night market")
    assert "1 passage planned, 1 of them never logged" in out
    assert "Not measured: no passage of a control subject is logged." in out
    assert json.loads(openlfr("result", "--json"))["measured"] is False


def test_a_log_needs_a_time_with_a_date_and_a_name(openlfr, noon):
    list_subjects("Ann")
    planned = json.loads(openlfr("plan", "Ann", "--json"))["plan_id"]
    times = ("--from", text_of(noon.at + SECOND), "--to", text_of(noon.at + 9 * SECOND))
    assert "in the future" in openlfr("log", planned, *times, "--by", "Ola", code=2)
    noon.at += timedelta(minutes=1)
    assert "--by" in openlfr("log", planned, *times, code=2)
    soon = ("--from", "noon", "--to", "soon")
    assert "'--from': must be" in openlfr("log", planned, *soon, "--by", "Ola", code=2)
    assert openlfr("log", planned[:8], *times, "--by", "Ola") == f"logged {planned}: gate, yard\n"
    assert "already logged" in openlfr("log", planned, *times, "--by", "Ola", code=2)
