"""Baselines of a city: tallies name the baseline of each worker, the records number it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.domain.test_baselines import CONDITIONS, Index
from tests.unit.services.test_frame_batches import (
    DEPLOYMENT,
    FRAME,
    NOON,
    FakeAnalyser,
    end_at,
    message,
)

from openlfr import bootstrap
from openlfr.adapters.faust.agents import Message
from openlfr.adapters.memory.vault import MemoryVault
from openlfr.adapters.sql.records import Records
from openlfr.domain.tallies import Reporter, Tally
from openlfr.domain.tally_stretch import STRETCH
from openlfr.embedded.baselines import RunBaselines
from openlfr.operations.baseline_figures import figures_by_baseline
from openlfr.wire import codec, seal
from openlfr.wire.v1 import tally_pb2
from openlfr_alerting.recording import DatabaseWriter
from openlfr_analysis.frame_batches import FrameBatchProcessor
from openlfr_analysis.index_in_use import IndexInUse

OURS = replace(CONDITIONS, deployment=DEPLOYMENT.deployment_id)


class SearchingAnalyser(FakeAnalyser):
    """An analyser that finds nobody in any list."""

    def use_index(self, index):
        self.index = index

    def set_threshold(self, threshold):
        pass


VAULT = MemoryVault()


class Worker:
    """A worker of analysis, and the tallies that it published."""

    def __init__(self, *people, conditions=OURS):
        analyser = SearchingAnalyser()
        self.index_in_use = IndexInUse(analyser)
        self.processor = FrameBatchProcessor(
            analyser, VAULT, DEPLOYMENT, self.index_in_use, max_age=timedelta(days=9999)
        )
        self.index_in_use.begin(conditions)
        self.list(*people)
        self.published = []

    def list(self, *people):
        self.index_in_use.offer(Index(*people))

    def look(self, *seqs, camera="gate", partition=3):
        frames = [
            message(replace(FRAME, seq=seq, camera=camera), partition=partition) for seq in seqs
        ]
        self._look(frames)

    def end(self, seq, camera="gate", partition=3):
        self._look([message(end_at(seq, camera=camera), partition=partition)])

    def _look(self, messages):
        self.published += [
            record
            for topic, record in self.processor.process(list(map(self.processor.decode, messages)))
            if topic == "tallies.v1"
        ]

    @property
    def tallies(self):
        return [codec.decode_tally(record.value) for record in self.published]


def as_message(record, offset):
    return Message("tallies.v1", 0, offset, record.value, record.headers, 0.0, None, record.key)


@pytest.fixture
def records(tmp_path):
    with Records.open(f"sqlite:///{tmp_path}/openlfr.db") as opened:
        yield opened


def recording_into(records):
    return DatabaseWriter(
        records,
        bootstrap.derive_tally_keys(VAULT),
        alert_key=b"of alerts",
        window=timedelta(minutes=3),
    )


def record(records, *workers):
    recording = recording_into(records)
    messages = [
        as_message(each, n) for worker in workers for n, each in enumerate(worker.published)
    ]
    assert recording.record_tallies(messages) == []
    return recording


def figures(records):
    found = figures_by_baseline(records.baselines, records.tallies, OURS.deployment, ())
    return {each.number: each.counts.frames_analysed for each in found.baselines}


def test_an_addition_and_a_removal_between_batches_give_three_whose_counts_make_the_whole(records):
    worker = Worker(1)
    worker.look(*range(5))
    worker.list(1, 2)
    worker.look(*range(5, 12))
    worker.list(1)
    worker.look(*range(20, 23))
    worker.end(23)
    record(records, worker)
    assert figures(records) == {1: 5, 2: 7, 3: 3}
    openings = records.baselines.openings_of(OURS.deployment)
    assert [each.changes for each in openings] == [
        ("the first",),
        ("list: 1 to 2 references (wanted 1 to 2)",),
        ("list: 2 to 1 references (wanted 2 to 1)",),
    ]
    assert openings[0].baseline_id == openings[2].baseline_id
    acts = records.audit.all(object_kind="deployment", object_id=OURS.deployment)
    assert [act.detail["number"] for act in acts] == [1, 2, 3]
    record(records, worker)  # it is delivered again
    assert figures(records) == {1: 5, 2: 7, 3: 3}
    assert records.baselines.openings_of(OURS.deployment) == openings


def test_the_same_in_one_process_has_the_same_ids_and_numbers(records, tmp_path):
    worker = Worker(1)
    for number, people in enumerate(((1,), (1, 2), (1,))):
        worker.list(*people)
        worker.look(number)
    worker.end(3)
    record(records, worker)
    with Records.open(f"sqlite:///{tmp_path}/other.db") as one_process:
        run = RunBaselines(one_process, OURS, [])
        for people in ((1,), (1, 2), (1,)):
            run.offer(Index(*people))
        here, there = (
            each.baselines.openings_of(OURS.deployment) for each in (one_process, records)
        )
    assert [(each.number, each.baseline_id, each.changes, each.baseline) for each in here] == [
        (each.number, each.baseline_id, each.changes, each.baseline) for each in there
    ]


def test_two_workers_that_take_a_change_up_one_after_the_other_are_in_the_same(records):
    one, other = Worker(1), Worker(1)
    one.look(0)
    other.look(0, camera="yard")
    one.list(1, 2)
    one.look(1)
    other.look(1, camera="yard")  # it has not heard of it yet
    other.list(1, 2)
    other.look(2, camera="yard")
    one.end(2)
    other.end(3, camera="yard")
    record(records, one, other)
    assert figures(records) == {1: 3, 2: 2}


def test_only_the_first_tally_of_each_camera_describes_the_baseline():
    worker = Worker(1)
    worker.look(0, STRETCH, 2 * STRETCH)
    worker.look(0, camera="yard")
    worker.end(2 * STRETCH + 1)
    worker.end(1, camera="yard")
    descriptions = [
        (each.camera, each.first_seq, each.adoption is not None) for each in worker.tallies
    ]
    assert descriptions == [
        ("gate", 0, True), ("gate", STRETCH, False), ("gate", 2 * STRETCH, False),
        ("yard", 0, True),
    ]  # fmt: skip
    assert len({(each.baseline, each.baseline_since) for each in worker.tallies}) == 1


def test_a_restarted_worker_continues_the_same_baseline(records):
    before, after = Worker(1), Worker(1)
    before.look(0)
    before.end(1)
    after.look(0, camera="yard")
    after.end(1, camera="yard")
    record(records, before, after)
    assert figures(records) == {1: 2}


FORGERIES = {
    "rules": {"rules": "9" * 64},
    "list_root": {"list_root": "9" * 64},
    "threshold": {"threshold": 0.3},
    "threshold_origin": {"threshold_origin": "calibrated"},
    "an unknown origin": {"threshold_origin": "guessed"},
    "target_fpir": {"target_fpir": 0.001},
    "camera_inputs": {"camera_inputs": "9" * 64},
    "software": {"software": "OpenLFR 9"},
}


def signed(record, reporter, vault=VAULT):
    """What somebody writes who has that service's key."""
    unsigned = replace(record, headers=[each for each in record.headers if each[0] != "mac"])
    return seal.sign(unsigned, bootstrap.derive_tally_keys(vault)[reporter])


def raised(record):
    """The same with more faces in it."""
    tally = tally_pb2.Tally.FromString(record.value)
    tally.faces_detected += 1000
    return replace(record, value=tally.SerializeToString())


FORGED = {
    "unsigned": lambda honest: replace(honest, headers=honest.headers[:-1]),
    "altered": raised,
    "of another camera": lambda honest: replace(honest, key=b"yard"),
    "another vault's": lambda honest: signed(honest, Reporter.ANALYSIS, MemoryVault()),
    "ingest's key": lambda honest: signed(raised(honest), Reporter.INGEST),
    "another topic's key": lambda honest: seal.sign(
        replace(honest, headers=honest.headers[:-1]),
        VAULT.derive(seal.purpose_of("sightings.v1")),
    ),
}


@pytest.mark.parametrize("what", FORGED)
def test_a_forged_tally_is_a_dead_letter_and_changes_no_record(records, what):
    worker = Worker(1)
    worker.look(0)
    worker.end(1)
    [honest] = worker.published
    recording = recording_into(records)
    [(topic, letter)] = recording.record_tallies([as_message(FORGED[what](honest), 0)])
    assert topic == "dead-letters.v1"
    assert "authentication code" in codec.decode_dead_letter(letter.value).reason
    assert (recording.counts["tallies_forged"], recording.counts["set_aside"]) == (1, 1)
    assert (
        records.tallies.totals(OURS.deployment)
        == records.baselines.openings_of(OURS.deployment)
        == []
    )
    # The true one counts nevertheless: it has the same id.
    assert recording.record_tallies([as_message(honest, 1)]) == []
    assert [each.faces_detected for each in records.tallies.totals(OURS.deployment)] == [
        worker.tallies[0].faces_detected
    ]


def test_ingest_has_a_key_of_its_own(records):
    """It is given the key of control.v1 alone, and may count for nobody else."""
    key = bootstrap.derive_ingest_tally_key(VAULT.derive(seal.purpose_of("control.v1")))
    tally = Tally(
        OURS.deployment, "gate", 1, Reporter.INGEST, 0, 9, NOON, NOON, frames_sampled_away=10
    )
    sent = seal.sign(codec.encode_tally(tally), key)
    assert recording_into(records).record_tallies([as_message(sent, 0)]) == []
    [totals] = records.tallies.totals(OURS.deployment)
    assert totals.frames_sampled_away == 10


@pytest.mark.parametrize("what", FORGERIES)
def test_a_tally_whose_baseline_does_not_match_is_a_dead_letter(records, what):
    worker = Worker(1)
    worker.look(0)
    worker.end(1)
    [honest] = worker.published
    forged = tally_pb2.Tally.FromString(honest.value)
    for name, value in FORGERIES[what].items():
        setattr(forged.baseline_taken_up, name, value)
    recording = recording_into(records)
    altered = signed(replace(honest, value=forged.SerializeToString()), Reporter.ANALYSIS)
    assert len(recording.record_tallies([as_message(altered, 0)])) == 1
    assert records.baselines.openings_of(OURS.deployment) == []
    assert records.tallies.totals(OURS.deployment) == []


def test_an_earlier_version_records_what_a_newer_worker_counted():
    """Of a tally it reads what it knows: the fields that this version added are no others."""
    worker = Worker(1)
    worker.look(0)
    worker.end(1)
    message = tally_pb2.Tally.FromString(worker.published[0].value)
    message.ClearField("baseline_taken_up")
    message.ClearField("baseline_since")
    tally = codec.decode_tally(message.SerializeToString())
    assert replace(worker.tallies[0], adoption=None, baseline_since=None) == tally


def test_tallies_that_name_a_baseline_which_nobody_recorded_are_counted_apart(records):
    worker = Worker(1)
    worker.look(0)
    worker.end(1)
    [tally] = worker.tallies
    records.tallies.record([replace(tally, adoption=None)], at=datetime.now(UTC))
    assert figures(records) == {0: 1}
