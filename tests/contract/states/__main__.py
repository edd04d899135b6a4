"""Writes the content of a database of the present schema with the present code."""

import tempfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tests.contract.states import dump, write
from tests.contract.states.facts import facts
from tests.contract.test_baseline_records import A, opened
from tests.contract.test_tally_records import tally
from tests.deployments import configured
from tests.enrolling import add_entry
from tests.sightings import sighting_of
from tests.unit.domain.test_calibrations import calibration

from openlfr.adapters.sql.records import Records
from openlfr.adapters.sql.schema import REVISIONS
from openlfr.domain.adjudication import DecisionTimes, Judgement, Reason
from openlfr.domain.alert_records import HoldKind
from openlfr.domain.alerts import (
    Adjudication,
    AlertEvent,
    EventKind,
    Outcome,
    alert_id_of,
    event_id_of,
)
from openlfr.domain.faces import Box
from openlfr.domain.impossible import ImpossibleMatch, ImpossibleReason
from openlfr.domain.principals import Principal, Role
from openlfr.domain.templates import GalleryFacts
from openlfr.domain.watchlist import EntryStatus, GalleryDecision, Reference
from openlfr.operations.adjudicate import (
    AlertVersion,
    OutcomeReport,
    apply_deadlines,
    decide,
    look_again,
    record_outcome,
    undo,
)
from openlfr.operations.calibrations import record_calibration
from openlfr.operations.entries import Entries, remove, suspend
from openlfr.operations.holds import HoldRequest, place_hold

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
OP, EVA, SUE = (
    Principal("https://people.example", each.lower(), each, frozenset(Role))
    for each in ("Op", "Eva", "Sue")
)
TIMES = DecisionTimes()


def enrol(records: Records) -> None:
    with records.unit_of_work() as work:
        work.watchlist.bind_model(GalleryFacts("sface", "a" * 64, 128, "arcface-112", 0.4), NOON)
        for name, subject in (("a1", "Ann"), ("b1", "Bea"), ("c1", "Cleo"), ("d1", "Dora")):
            entry = Reference(
                name,
                "default",
                subject,
                "wanted",
                "Order 1",
                "passport",
                date(2025, 1, 2),
                "Eve",
                "Otto",
                NOON + timedelta(days=400),
                EntryStatus.PENDING,
                name * 32,
                f"references/{name}",
                70.0,
            )
            add_entry(work, entry, picture_hash=name * 32, at=NOON)
            if name != "d1":
                work.watchlist.settle([GalleryDecision(name, EntryStatus.ACTIVE, "")], NOON)
    suspend(Entries("Bea", reason="appeal"), records=records, by=OP, at=NOON)
    remove(Entries("Cleo", reason="ended"), records=records, by=OP, at=NOON)


def see(records: Records, second: int, subject: str, first: str = "") -> str:
    seen = sighting_of(
        "street",
        "gate",
        1,
        second * 10,
        subject,
        "default",
        "a1",
        NOON + timedelta(seconds=second),
        Box(10.5, 20, 48, 60),
        0.5 + second / 1000,
        0.4,
        61.3,
    )
    own = alert_id_of(seen.sighting_id)
    kind = EventKind.JOINED if first else EventKind.OPENED
    flag = ImpossibleMatch(ImpossibleReason.TOO_FAR, "Straße", 12.5, 4200) if first else None
    event = AlertEvent(kind, event_id_of(seen.sighting_id), first or own, seen, flag)
    assert records.alerts.record(event, f"evidence/{seen.sighting_id}", emitted_at=seen.captured_at)
    return first or own


def alert(records: Records) -> None:
    see(records, 9, "Ann", see(records, 0, "Ann"))
    shared = {"records": records, "at": NOON + timedelta(seconds=60)}
    for n, (adjudication, outcome) in enumerate(
        [
            (Adjudication.ENGAGE, None),
            (Adjudication.ENGAGE, Outcome.CONFIRMED),
            (Adjudication.DO_NOT_ENGAGE, None),
            (Adjudication.ENGAGE, Outcome.REFUTED),
            (Adjudication.CANNOT_TELL, None),
        ]
    ):
        which = AlertVersion(see(records, 20 + n, f"Person {n}"))
        decide(which, Judgement(adjudication, note="seen well"), by=OP, times=TIMES, **shared)
        if outcome is not None:
            record_outcome(
                which, OutcomeReport(outcome, 7, "at the gate"), by=SUE, times=TIMES, **shared
            )
    which = AlertVersion(see(records, 40, "Undone"))
    decide(which, Judgement(Adjudication.ENGAGE, Reason.MARK_AGREES), by=OP, times=TIMES, **shared)
    undo(which, reason="slip", by=OP, **shared)
    which = AlertVersion(see(records, 50, "Disputed"))
    decide(which, Judgement(Adjudication.ENGAGE), by=OP, times=TIMES, **shared)
    later = {"records": records, "at": NOON + timedelta(seconds=90)}
    look_again(which, Judgement(Adjudication.DO_NOT_ENGAGE), by=EVA, times=TIMES, **later)
    held = HoldRequest(which.alert_id, HoldKind.COMPLAINT, NOON + timedelta(days=90), "letter")
    place_hold(held, by=SUE, **later)
    apply_deadlines(records, NOON + timedelta(minutes=4))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder)}/openlfr.db"
        with Records.open(url) as records:
            enrol(records)
            alert(records)
            records.tallies.record([replace(tally(), deployment="street")], at=NOON)
            with records.unit_of_work() as work:
                work.deployments.put(configured(NOON, NOON + timedelta(days=1)), NOON)
            opened(records, A, alone=True)
            record_calibration(calibration(), records=records, by=SUE)
            expected = facts(records)
        write(REVISIONS[-1], {"expected": expected, "tables": dump(url)})


main()
