"""What is erased from the records is in no byte of their files."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest

from enrolling import add_entry
from openlfr.adapters.sql import engine
from openlfr.adapters.sql.records import Records
from openlfr.domain.templates import GalleryFacts
from openlfr.domain.watchlist import EntryStatus, GalleryDecision, Reference

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
SECRETS = [bytes([65 + n]) * 40 + b"-sealed-template" for n in range(3)]
LARGE = b"overflow-pages-" * 2000


@pytest.fixture
def records(tmp_path):
    with Records.open(f"sqlite:///{tmp_path}/openlfr.db") as opened:
        with opened.unit_of_work() as work:
            work.watchlist.bind_model(GalleryFacts("m", "a" * 64, 8, "arcface-112", 0.4), NOW)
        for number, secret in enumerate([*SECRETS, LARGE]):
            key = f"r{number}"
            entry = Reference(
                key, "default", f"S{number}", "wanted", "Order", "passport", date(2025, 1, 2),
                "Eve", "Otto", NOW + timedelta(days=9), EntryStatus.PENDING, "h", "p", 70.0,
            )  # fmt: skip
            with opened.unit_of_work() as work:
                add_entry(work, entry, picture_hash=key, template=secret, at=NOW)
        yield opened


def settle_all(records):
    keys = [f"r{n}" for n in range(4)]
    with records.unit_of_work() as work:
        work.watchlist.settle([GalleryDecision(key, EntryStatus.ACTIVE, "") for key in keys], NOW)


def found(folder):
    """Return the numbers of the secrets that are in any file."""
    content = b"".join(path.read_bytes() for path in sorted(folder.glob("openlfr.db*")))
    return [n for n, secret in enumerate([*SECRETS, LARGE[:60]]) if secret in content]


def test_erased_rows_leave_the_database_and_its_log(records, tmp_path):
    assert found(tmp_path) == [0, 1, 2, 3]
    settle_all(records)
    assert records.erase_for_good()
    assert found(tmp_path) == []


def test_another_process_may_have_the_database_open(records, tmp_path):
    with sqlite3.connect(tmp_path / "openlfr.db") as other:
        other.execute("select count(*) from sqlite_master").fetchone()
        settle_all(records)
        assert records.erase_for_good()
        assert found(tmp_path) == []
    other.close()


READER = """
import sqlite3, sys
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute("begin"); c.execute("select count(*) from audit_events").fetchone()
print("reading", flush=True); sys.stdin.readline()
"""


def test_an_active_reader_is_awaited_and_reported(records, tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "_TRUNCATE_TIMEOUT_S", 0.2)
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(tmp_path / "openlfr.db")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert reader.stdout.readline() == "reading\n"
    settle_all(records)
    assert not records.erase_for_good()
    reader.communicate("\n")
    assert records.erase_for_good()
    assert found(tmp_path) == []


def test_an_older_database_is_rewritten_once(records, tmp_path):
    with sqlite3.connect(tmp_path / "openlfr.db", isolation_level=None) as old:
        old.execute("pragma user_version = 0")
        old.execute("pragma secure_delete = off")
        old.execute("update watchlist_references set template = null")
        old.execute("pragma wal_checkpoint(truncate)")
    old.close()
    assert found(tmp_path)
    assert records.erase_for_good()
    assert found(tmp_path) == []
