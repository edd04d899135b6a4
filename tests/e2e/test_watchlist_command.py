"""`openlfr watchlist` as a person uses it, with and without an active run."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import pytest
from filelock import FileLock

from openlfr.adapters.sql.watchlist_changes import WatchlistChanges
from openlfr.cli import main

HEADER = "subject,image,category,legal_basis,source,captured_on,enrolled_by,authorised_by,expires"
IN_A_YEAR = (datetime.now(UTC) + timedelta(days=365)).date()
REST = f"wanted,Order 1,passport,2025-01-31,Eve Enroller,Otto Officer,{IN_A_YEAR}"

HOLDER = """
import sys
from filelock import FileLock
with FileLock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def place(tmp_path, monkeypatch, astronaut, model_store):
    """A folder with a configuration, a photo and a manifest of one good and one refused row."""
    monkeypatch.chdir(tmp_path)
    Path("CONFIG.yaml").write_text(f"data_dir: data\nmodels: {{folder: {model_store.folder}}}\n")
    cv2.imwrite("astronaut.png", astronaut)
    lines = [HEADER, f"Eileen,astronaut.png,{REST}", f"Nobody,nope.png,{REST}"]
    Path("manifest.csv").write_text("\n".join(lines))
    return tmp_path


@pytest.fixture
def openlfr(place, capsys):
    def run(*args, code=0):
        assert main(["watchlist", *args]) == code
        return capsys.readouterr()

    return run


def entries(openlfr, *args):
    listed = json.loads(openlfr("list", "--json", *args).out)
    return [(entry["subject"], entry["status"]) for entry in listed]


def test_import_list_suspend_resume_and_remove(openlfr, place):
    output = openlfr("import", "manifest.csv").out.splitlines()
    assert output[0].split("\t")[:3] == ["2", "accepted", "Eileen"]
    assert output[1].split("\t")[:3] == ["3", "refused", "Nobody"]
    assert "nope.png does not exist" in output[1]
    assert output[2] == "watchlist default: 1 accepted, 1 refused"
    assert entries(openlfr) == [("Eileen", "active")]

    again = json.loads(openlfr("import", "manifest.csv", "--json").out)
    assert again["counts"] == {"already listed": 1, "refused": 1}
    assert entries(openlfr) == [("Eileen", "active")]

    openlfr("suspend", "Eileen")
    assert entries(openlfr) == [("Eileen", "suspended")]
    openlfr("resume", "Eileen", "--by", "Otto")
    assert entries(openlfr) == [("Eileen", "active")]

    pictures = place / "data/vault/references"
    assert len(list(pictures.iterdir())) == 1
    assert "are erased" in openlfr("remove", "Eileen", "--by", "Otto").out
    assert list(pictures.iterdir()) == []
    assert entries(openlfr) == []
    assert entries(openlfr, "--all") == [("Eileen", "removed")]


def test_an_import_reports_that_it_waits_for_an_active_run(openlfr, place, monkeypatch):
    monkeypatch.setattr("openlfr.cli.watchlist_changes.MAX_WAIT_S", 0.3)
    (place / "data").mkdir(mode=0o700)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, "data/run.lock"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with holder:
        assert holder.stdout.readline() == "held\n"
        output = openlfr("import", "manifest.csv").out
        assert "pending\tEileen" in output
        assert "the active run will apply the change" in output
        assert not (place / "data/milvus").exists()
        holder.communicate("\n")
    assert entries(openlfr) == [("Eileen", "pending")]
    openlfr("import", "manifest.csv")  # nothing new, but pending changes are applied
    assert entries(openlfr) == [("Eileen", "active")]


def test_a_large_import_yields_to_a_starting_run(openlfr, place, monkeypatch):
    """The run waits only a few seconds for the vector store."""
    rows = [HEADER, f"Eileen,astronaut.png,{REST}", f"Collins,astronaut.png,{REST}"]
    Path("manifest.csv").write_text("\n".join(rows))
    monkeypatch.setattr("openlfr.cli.watchlist_changes.MAX_WAIT_S", 0.0)
    monkeypatch.setattr("openlfr.operations.watchlist_sync.MAX_PER_TRANSACTION", 1)
    lock, settle = FileLock("data/run.lock"), WatchlistChanges.settle

    def settle_while_a_run_begins(self, settlements, at):
        lock.acquire()
        return settle(self, settlements, at)

    monkeypatch.setattr(WatchlistChanges, "settle", settle_while_a_run_begins)
    assert "the active run will apply the change" in openlfr("import", "manifest.csv").out
    lock.release()
    assert sorted(entries(openlfr)) == [("Collins", "pending"), ("Eileen", "active")]


def test_check_lists_nobody(openlfr, place):
    Path("broken.jpg").write_bytes(b"no picture")
    output = openlfr("check", "astronaut.png", "broken.jpg", "manifest.csv").out.splitlines()
    assert [line.split("\t")[1] for line in output] == ["good", "refused", "good", "refused"]
    assert entries(openlfr, "--all") == []


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("import", "nope.csv"), "nope.csv does not exist"),
        (("import", "bad.csv"), "the column expires is missing"),
        (("import", "manifest.csv", "--config", "nope.yaml"), "nope.yaml"),
        (("remove", "Nobody", "--by", "Otto"), "There is no entry of 'Nobody'"),
        (("remove", "Nobody"), "missing option '--by'"),
    ],
)
def test_wrong_use_is_one_sentence_and_exit_code_2(openlfr, place, args, says):
    Path("bad.csv").write_text(HEADER.replace(",expires", "") + "\n")
    error = openlfr(*args, code=2).err
    assert says in error
    assert len(error.strip().splitlines()) == 1


def test_a_row_of_another_watchlist_is_reported_as_not_searched(openlfr, place):
    error = openlfr("import", "manifest.csv", "--watchlist", "second").err
    assert "does not search the watchlist 'second'" in error
    assert entries(openlfr, "--watchlist", "second") == [("Eileen", "active")]
    assert entries(openlfr, "--watchlist", "default") == []
