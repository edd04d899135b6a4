"""The alert desk between a crash and the next start: no event lost, none twice."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from tests.sightings import sighting_of

from openlfr.adapters.memory.alert_book import MemoryAlertBook
from openlfr.adapters.memory.vault import MemoryVault
from openlfr.adapters.sql.records import Records
from openlfr.domain.alerts import EventKind
from openlfr.domain.analysis import SightingWithEvidence
from openlfr.domain.evidence import Evidence, Scene
from openlfr.domain.faces import Box
from openlfr.domain.impossible import Movement, Place, find_impossible
from openlfr.embedded.desk import AlertDesk
from openlfr.embedded.lines import AlertLines
from openlfr.operations.evidence import evidence_name

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
WINDOW = timedelta(seconds=30)
MOVEMENT = Movement({"gate": Place(52.5163, 13.3777), "park": Place(52.5541, 13.3777)}, 36.0)


def sighted(
    seq: int, *, epoch: int = 1, camera: str = "gate", grey: int = 90
) -> SightingWithEvidence:
    face = np.full((40, 30, 3), grey, np.uint8)
    scene = Scene(np.full((9, 16, 3), 50, np.uint8), 40, 640, 360)
    seen = sighting_of(
        deployment="market", camera=camera, epoch=epoch, seq=seq, subject="ann",
        watchlist="default", reference_id="r", captured_at=AT + timedelta(seconds=seq),
        box=Box(10, 20, 30, 40), score=0.5, threshold=0.4, quality=50.0,
    )  # fmt: skip
    return SightingWithEvidence(seen, Evidence(scene, face, seen.box))


class Office:
    """The stores that outlive a process: the book, the records, the vault, the file."""

    def __init__(self, folder, *, file: bool = True):
        self.book, self.vault = MemoryAlertBook(), MemoryVault()
        self.records = Records.open(f"sqlite:///{folder}/openlfr.db")
        self.path = folder / "alerts.jsonl" if file else None
        self.lines: AlertLines | None = None

    def desk(self) -> AlertDesk:
        """A desk as a new process opens it."""
        if self.lines:
            self.lines.close()
        self.stream = io.StringIO()
        self.reported = []
        self.lines = AlertLines(self.path, self.stream)
        return AlertDesk(
            book=self.book, records=self.records, vault=self.vault, lines=self.lines,
            window=WINDOW, movement=MOVEMENT, on_event=self.reported.append,
        )  # fmt: skip

    def emitted(self) -> list[int]:
        text = self.path.read_text() if self.path else self.stream.getvalue()
        return [json.loads(line)["frame_index"] for line in text.splitlines()]

    def recorded(self, epoch: int = 1) -> list[int]:
        events = self.records.alerts.events_of_run("market", epoch)
        return [known.event.sighting.seq for known in events]


@pytest.fixture(params=[True, False], ids=["file", "stream"])
def office(tmp_path, request):
    office = Office(tmp_path, file=request.param)
    yield office
    office.lines.close()
    office.records.close()


def test_a_sighting_is_stored_folded_emitted_recorded_and_reported(office):
    desk = office.desk()
    events = [desk.raise_alert(sighted(seq)) for seq in (0, 5, 100)]
    assert [event.event for event in events] == ["opened", "joined", "opened"]
    assert office.emitted() == office.recorded() == [0, 5, 100]
    assert office.reported == events
    names = [evidence_name(sighted(seq).sighting.sighting_id) for seq in (0, 5, 100)]
    assert office.vault.names() == sorted(names)
    assert desk.event_counts == {("gate", EventKind.OPENED): 2, ("gate", EventKind.JOINED): 1}


def test_a_sighting_without_a_picture_is_alerted_on_all_the_same(office):
    desk = office.desk()
    first = desk.raise_alert(SightingWithEvidence(sighted(0).sighting, None))
    desk.raise_alert(sighted(5))
    assert first.event is EventKind.OPENED
    assert office.emitted() == office.recorded() == [0, 5]
    events = office.records.alerts.events_of_run("market", 1)
    name = evidence_name(sighted(5).sighting.sighting_id)
    assert [event.evidence for event in events] == [None, name]
    assert office.vault.names() == [name]


def test_a_repeated_sighting_changes_nothing(office):
    desk = office.desk()
    desk.raise_alert(sighted(0))
    assert desk.raise_alert(sighted(0)) is None
    assert office.emitted() == office.recorded() == [0]
    assert desk.event_counts.total() == 1


def test_a_face_beside_another_of_the_same_name_does_not_take_its_evidence(office):
    # Two tracks of one frame that answer to one subject have one sighting id.
    desk = office.desk()
    desk.raise_alert(sighted(0, grey=90))
    (name,) = office.vault.names()
    before = office.vault.get(name)
    desk.raise_alert(sighted(0, grey=200))
    assert office.vault.get(name) == before


def flags(office) -> list[str | None]:
    text = office.path.read_text() if office.path else office.stream.getvalue()
    reported = [json.loads(line).get("impossible") for line in text.splitlines()]
    recorded = [e.event.impossible for e in office.records.alerts.events_of_run("market", 1)]
    assert [None if flag is None else asdict(flag) for flag in recorded] == reported
    return [flag and f"{flag['why']} {flag['camera']} {flag['metres']}" for flag in reported]


def test_an_impossible_match_is_flagged_and_alerted(office):
    desk = office.desk()
    for seq, camera in ((0, "gate"), (9, "park"), (20, "park"), (200, "gate"), (201, "roof")):
        assert desk.raise_alert(sighted(seq, camera=camera)) is not None
    assert flags(office) == [None, "too_far gate 4203", None, None, None]
    assert [e.impossible is not None for e in office.reported] == [False, True, False, False, False]


def test_a_crash_changes_no_flag(office):
    office.desk().raise_alert(sighted(0))
    flag = find_impossible(sighted(9, camera="park").sighting, [sighted(0).sighting], MOVEMENT)
    office.book.fold(sighted(9, camera="park").sighting, window=WINDOW, impossible=flag)
    desk = office.desk()
    assert desk.catch_up("market", 1) == 1
    assert desk.raise_alert(sighted(9, camera="park")) is None
    assert [str(e.impossible) for e in office.reported] == [
        "9.0 s after being matched at gate, 4.2 km away"
    ]
    if office.path:
        assert flags(office) == [None, "too_far gate 4203"]


def test_evidence_that_was_erased_between_crash_and_resume_stays_erased(office):
    office.desk().raise_alert(sighted(0))
    (name,) = office.vault.names()
    office.vault.delete(name)
    office.book.erase("market", [sighted(0).sighting.sighting_id])
    desk = office.desk()
    desk.catch_up("market", 1)
    assert desk.raise_alert(sighted(0)) is None
    assert office.vault.names() == []
    assert desk.event_counts == {("gate", EventKind.OPENED): 1}  # it still counts


def crash_after_fold(office, *seqs, epoch=1):
    for seq in seqs:
        office.book.fold(sighted(seq, epoch=epoch).sighting, window=WINDOW)


def test_steps_missing_after_a_crash_behind_the_fold_are_completed(office):
    office.desk().raise_alert(sighted(0))
    crash_after_fold(office, 5)
    desk = office.desk()
    assert desk.catch_up("market", 1) == 1
    assert desk.catch_up("market", 1) == 0
    assert office.recorded() == [0, 5]
    assert [event.sighting.seq for event in office.reported] == [5]
    assert office.emitted() == ([0, 5] if office.path else [5])
    assert desk.event_counts == {("gate", EventKind.OPENED): 1, ("gate", EventKind.JOINED): 1}


def test_after_a_crash_behind_the_line_the_event_is_recorded_but_not_emitted_again(tmp_path):
    office = Office(tmp_path)
    desk = office.desk()
    event = office.book.fold(sighted(0).sighting, window=WINDOW)
    office.lines.write(event, AT)
    office.lines.close()
    desk = office.desk()
    assert desk.catch_up("market", 1) == 0
    assert office.emitted() == office.recorded() == [0]
    office.lines.close()
    office.records.close()


def test_a_new_run_records_events_of_an_old_run_without_emitting_them(office):
    crash_after_fold(office, 0, 5, epoch=1)
    desk = office.desk()
    assert desk.catch_up("market", None) == 0
    assert office.recorded(epoch=1) == [0, 5]
    assert office.emitted() == []
    assert desk.event_counts.total() == 0
