"""Runs in SQL: planned, recorded, resumed, finished."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from openlfr.adapters.memory.records import MemoryRecords
from openlfr.domain.errors import Unavailable
from openlfr.domain.runs import Checkpoint, WrittenFiles

AT = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
HASH = "0" * 64


def test_a_planned_run_is_recorded_at_its_start_only(records):
    planned = records.runs.plan("Market", HASH, at=AT)
    assert planned.epoch == 1
    assert records.runs.find_unfinished("Market") is None
    records.runs.start(planned)
    assert records.runs.find_unfinished("Market") == planned
    assert records.runs.find_unfinished("Harbour") is None
    assert records.runs.plan("Market", HASH, at=AT).epoch == 2
    assert records.runs.plan("Harbour", HASH, at=AT).epoch == 1


def test_after_a_restore_the_next_epoch_is_above_those_of_the_alert_book(records):
    """An older database was restored, and Redis has the sightings of a later run."""
    records.runs.start(records.runs.plan("Market", HASH, at=AT))
    run = records.runs.plan("Market", HASH, at=AT, last_known_epoch=4)
    assert run.epoch == 5
    records.runs.start(run)
    assert records.runs.plan("Market", HASH, at=AT, last_known_epoch=4).epoch == 6


def test_only_one_of_two_runs_planned_at_once_starts(records):
    first, second = (records.runs.plan("Market", HASH, at=AT) for _ in range(2))
    records.runs.start(first)
    with pytest.raises(Unavailable, match="start again"):
        records.runs.start(second)
    assert records.runs.find_unfinished("Market") == first


def test_a_finished_run_is_not_resumed_and_its_checkpoints_are_deleted(records):
    run = records.runs.plan("Market", HASH, at=AT)
    records.runs.start(run)
    for seq in (5, 9):
        records.runs.save(run.run_id, Checkpoint("gate", seq, {"frames": seq}))
    assert records.runs.checkpoints(run.run_id) == {"gate": Checkpoint("gate", 9, {"frames": 9})}
    records.runs.finish(run.run_id, at=AT)
    assert records.runs.find_unfinished("Market") is None
    assert records.runs.checkpoints(run.run_id) == {}


def test_folders_of_runs_are_listed_once_each(records):
    files = [
        WrittenFiles(Path("/a/alerts.jsonl"), Path("/a/report")),
        WrittenFiles(report=Path("/b")),
    ]
    memory = MemoryRecords()
    for each in (*files, files[0]):
        run = records.runs.plan("street", HASH, at=AT)
        records.runs.start(run)
        records.runs.record_files(run.run_id, each)
        memory.record_files(each)
    assert set(records.written_files()) == set(memory.written_files()) == set(files)
    assert len(records.written_files()) == len(memory.written_files()) == 2
