"""The remains of an erased alert: in every row, and in every byte of the database."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.sightings import sighting_of

from openlfr.adapters.memory.alert_book import MemoryAlertBook
from openlfr.adapters.memory.records import MemoryRecords
from openlfr.adapters.memory.vault import MemoryVault
from openlfr.domain.adjudication import DecisionTimes, Judgement
from openlfr.domain.alert_records import HoldKind
from openlfr.domain.alerts import Adjudication, Outcome
from openlfr.domain.errors import BadInput, Conflict, NotAllowed
from openlfr.domain.faces import Box
from openlfr.domain.impossible import ImpossibleMatch, ImpossibleReason
from openlfr.domain.principals import Principal, Role
from openlfr.domain.runs import WrittenFiles
from openlfr.operations.adjudicate import AlertVersion, OutcomeReport, decide, record_outcome
from openlfr.operations.evidence import evidence_name
from openlfr.operations.holds import HoldRequest, place_hold, release_holds
from openlfr.operations.purge import erase_due
from openlfr.operations.reject import Rejection, reject_sighting
from openlfr.operations.show_alert import PictureRequest, show_alert

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TIMES = DecisionTimes()
OP = Principal("https://people.example", "op", "Op", frozenset({Role.OPERATOR}))
SUE = Principal("https://people.example", "sue", "Sue", frozenset({Role.SUPERVISOR}))
WHO = "Zacharias Unverwechselbar"


class Place:
    """Records, vault and book of one deployment."""

    def __init__(self, records):
        self.records = records
        self.vault, self.book = MemoryVault(), MemoryAlertBook()

    def see(self, *seconds, camera="north-gate-7"):
        """Record sightings, and return the alert that they make."""
        for second in seconds:
            seen = sighting_of(
                "street", camera, 1, second, WHO, "default", "reference-7",
                NOON + timedelta(seconds=second), Box(10, 20, 30, 40), 0.5 + second / 1000, 0.4,
                60.0,
            )  # fmt: skip
            flag = (
                ImpossibleMatch(ImpossibleReason.TOO_FAR, "south-gate-3", 2.0, 900.0)
                if second
                else None
            )
            event = self.book.fold(seen, window=timedelta(minutes=3), impossible=flag)
            name = evidence_name(seen.sighting_id)
            self.vault.put(name, b"picture")
            self.records.alerts.record(event, name, emitted_at=seen.captured_at)
        return event.alert_id

    def decide(self, alert, adjudication):
        what = Judgement(adjudication)
        decide(AlertVersion(alert), what, records=self.records, by=OP, at=NOON, times=TIMES)

    def erase(self, at):
        due = erase_due(
            records=self.records, vault=self.vault, book=self.book,
            retention=timedelta(days=31), now=at,
        )  # fmt: skip
        return +due.counts

    def kept(self):
        return len(self.vault.names("evidence/")), len(self.book.events("street"))

    def rows_with(self, *words):
        """Return the rows of all tables that contain all these words."""
        found = []
        if isinstance(self.records, MemoryRecords):
            rows = ((table, str(row)) for table, row in rows_in_memory(self.records))
            return [(name, text) for name, text in rows if all(word in text for word in words)]
        with self.records._engine.connect() as connection:
            for name in sa.inspect(connection).get_table_names():
                for row in connection.execute(sa.text(f'SELECT * FROM "{name}"')):
                    text = " ".join(str(value) for value in row)
                    if all(word in text for word in words):
                        found.append((name, text))
        return found


def rows_in_memory(records):
    """Yield each row of each part of the state."""
    state = records.reading()
    for each in fields(state):
        table = getattr(state, each.name)
        rows = table.values() if isinstance(table, dict) else table
        yield from (
            (each.name, row) for row in (rows if isinstance(table, dict | tuple) else [table])
        )


@pytest.fixture
def place(every_records):
    return Place(every_records)


@pytest.mark.parametrize("why", ["not engaged", "refuted", "retention"])
def test_after_an_erasure_no_row_joins_subject_camera_and_time(place, why):
    alert = place.see(0, 5)
    assert place.rows_with(WHO)
    due = (
        NOON
        + {
            "not engaged": TIMES.settle,
            "refuted": TIMES.sealed,
            "retention": timedelta(days=31, seconds=6),
        }[why]
    )
    if why == "not engaged":
        place.decide(alert, Adjudication.DO_NOT_ENGAGE)
    elif why == "refuted":
        place.decide(alert, Adjudication.ENGAGE)
        became = OutcomeReport(Outcome.REFUTED)
        record_outcome(
            AlertVersion(alert), became, records=place.records, by=OP, at=NOON, times=TIMES
        )
    assert place.erase(due - timedelta(seconds=10)) == {}
    assert place.kept() == (2, 2)
    assert place.erase(due)
    assert place.kept() == (0, 0)
    assert place.rows_with(WHO) == []  # the mistaken subject is in no row
    assert place.rows_with("reference-7") == []
    found = place.records.alerts.find(alert)
    assert (found.subject, found.erased_at, found.events) == ("", due, 2)
    cameras = {event.event.sighting.camera for event in place.records.alerts.events(alert)}
    assert cameras == {"north-gate-7"}  # so that a camera's false alerts are counted
    assert place.erase(due + timedelta(days=99)) == {}


def test_a_hold_retains_an_alert_until_its_release_or_expiry(place):
    alert = place.see(0)
    place.decide(alert, Adjudication.DO_NOT_ENGAGE)
    wanted = HoldRequest(
        alert[:9], HoldKind.COMPLAINT, NOON + timedelta(days=40), " letter of 3 May "
    )
    with pytest.raises(NotAllowed):
        place_hold(wanted, records=place.records, by=OP, at=NOON)
    place_hold(wanted, records=place.records, by=SUE, at=NOON)
    for at in (NOON + TIMES.settle, NOON + timedelta(days=39)):
        assert place.erase(at) == {}
    assert place.kept() == (1, 1)
    [placed] = [act for act in place.records.audit.all() if act.kind == "alert.hold_placed"]
    assert placed.detail["reason"] == "letter of 3 May"
    released = NOON + timedelta(days=39)
    release_holds(alert, "answered", records=place.records, by=SUE, at=released)
    with pytest.raises(BadInput, match="has no active hold"):
        release_holds(alert, "answered", records=place.records, by=SUE, at=released)
    assert place.erase(released) == {"mistaken": 1}
    assert place.kept() == (0, 0)
    with pytest.raises(BadInput, match=r"was erased at 2027-01-01 .*nothing left to hold"):
        place_hold(
            HoldRequest(alert, HoldKind.DISCLOSURE, released + timedelta(days=9), "court"),
            records=place.records, by=SUE, at=released,
        )  # fmt: skip
    other = place.see(4000)
    place_hold(
        HoldRequest(other, HoldKind.DISCLOSURE, NOON + timedelta(days=60), "court"),
        records=place.records, by=SUE, at=NOON,
    )  # fmt: skip
    assert place.erase(NOON + timedelta(days=59)) == {}
    assert place.erase(NOON + timedelta(days=60))["alerts"] == 1


def test_the_last_recorded_act_counts_after_the_clock_was_set_back(place):
    alert = place.see(0)
    place.decide(alert, Adjudication.ENGAGE)
    for became, at in ((Outcome.CONFIRMED, NOON + timedelta(hours=1)), (Outcome.REFUTED, NOON)):
        what = OutcomeReport(became)
        record_outcome(AlertVersion(alert), what, records=place.records, by=OP, at=at, times=TIMES)
    case = place.records.alerts.case(alert)
    assert case.outcome.outcome is place.records.alerts.find(alert).outcome is Outcome.REFUTED
    assert case.is_sealed
    # The seal begins at the latest act, not at the earlier time of the clock.
    assert place.erase(NOON + TIMES.sealed) == {}
    assert place.erase(NOON + timedelta(hours=1) + TIMES.sealed) == {"mistaken": 1}


def test_only_a_supervisor_with_a_reason_unseals_by_another_outcome_and_the_day_does_not_restart(
    place,
):
    alert = place.see(0)
    place.decide(alert, Adjudication.ENGAGE)

    def becomes(outcome, *, by, note="", hours=0):
        at = NOON + timedelta(hours=hours)
        what = OutcomeReport(outcome, note=note)
        record_outcome(AlertVersion(alert), what, records=place.records, by=by, at=at, times=TIMES)

    becomes(Outcome.REFUTED, by=OP)
    with pytest.raises(NotAllowed, match="Op may not open sealed pictures"):
        becomes(Outcome.CONFIRMED, by=OP, note="curious", hours=1)
    with pytest.raises(BadInput, match="with a reason"):
        becomes(Outcome.CONFIRMED, by=SUE, hours=1)
    assert place.records.alerts.case(alert).is_sealed
    becomes(Outcome.CONFIRMED, by=SUE, note="the papers were his after all", hours=1)
    assert not place.records.alerts.case(alert).is_sealed
    becomes(Outcome.REFUTED, by=OP, hours=2)
    assert place.erase(NOON + TIMES.sealed) == {"mistaken": 1}


def test_sealed_pictures_are_opened_by_a_supervisor_with_a_reason(place):
    alert = place.see(0)
    place.decide(alert, Adjudication.ENGAGE)
    became = OutcomeReport(Outcome.REFUTED)
    record_outcome(AlertVersion(alert), became, records=place.records, by=OP, at=NOON, times=TIMES)
    stores = {"records": place.records, "vault": place.vault}
    with pytest.raises(NotAllowed, match="Op may not open sealed pictures"):
        show_alert(PictureRequest(alert, "a.html", "curious"), **stores, by=OP, at=NOON)
    with pytest.raises(BadInput, match="are sealed, since somebody was stopped by mistake"):
        show_alert(PictureRequest(alert, "a.html"), **stores, by=SUE, at=NOON)
    assert b"Alert about" in show_alert(
        PictureRequest(alert, "a.html", "complaint 12"), **stores, by=SUE, at=NOON
    )
    opened = place.records.audit.all()[-1]
    assert (opened.kind, opened.by.name, opened.detail["reason"]) == (
        "alert.unsealed", "Sue", "complaint 12",
    )  # fmt: skip


def annex_of(folder, alert):
    """Write an annex with the alert's face, as a run does."""
    file = folder / "annex.html"
    file.write_text(f"<!-- alert {alert} --><img src=face><!-- /alert -->")
    return file


def test_a_sealed_alert_is_in_no_annex(place, tmp_path, monkeypatch):
    alert = place.see(0)
    place.decide(alert, Adjudication.ENGAGE)
    annex = annex_of(tmp_path, alert)
    monkeypatch.setattr(place.records, "written_files", lambda: [WrittenFiles(report=tmp_path)])

    def becomes(outcome, by, note="", hours=0):
        at = NOON + timedelta(hours=hours)
        what = OutcomeReport(outcome, note=note)
        record_outcome(AlertVersion(alert), what, records=place.records, by=by, at=at, times=TIMES)

    becomes(Outcome.CONFIRMED, OP)
    assert "src=face" in annex.read_text()
    assert not place.records.alerts.sealed_alert_ids()
    becomes(Outcome.REFUTED, OP, hours=1)
    assert "src=face" not in annex.read_text()
    assert place.records.alerts.sealed_alert_ids() == {alert}
    # An annex that is found later, because of a crash, loses the face with the due erasure.
    annex_of(tmp_path, alert)
    assert place.erase(NOON + timedelta(hours=2)) == {}
    assert "src=face" not in annex.read_text()
    becomes(Outcome.CONFIRMED, SUE, "his after all", hours=3)
    assert not place.records.alerts.sealed_alert_ids()
    assert "src=face" not in annex.read_text()
    becomes(Outcome.REFUTED, OP, hours=4)
    place.erase(NOON + timedelta(days=2))
    assert not place.records.alerts.sealed_alert_ids()


def test_a_stranger_who_joined_a_true_alert_is_removed_from_it_at_once(place):
    alert = place.see(0)
    place.see(9, camera="east-gate-9")
    place.decide(alert, Adjudication.ENGAGE)
    first, stranger = place.records.alerts.events(alert)
    stores = {"records": place.records, "vault": place.vault, "book": place.book}
    rejection = Rejection(alert, stranger.event.event_id[:12], "another coat", version=2)
    after = reject_sighting(rejection, **stores, by=OP, at=NOON)
    assert (after.events, after.best_score, after.last_at) == (1, 0.5, NOON)
    assert (after.adjudication, after.subject) == (Adjudication.ENGAGE, WHO)
    assert place.vault.names("evidence/") == [evidence_name(first.event.sighting.sighting_id)]
    assert [e.sighting.seq for e in place.book.events("street")] == [0]
    assert place.rows_with("east-gate-9") == []
    assert place.records.alerts.events(alert)[1].rejected_at == NOON
    with pytest.raises(Conflict, match="changed since version 2"):
        reject_sighting(rejection, **stores, by=OP, at=NOON)
    with pytest.raises(BadInput, match="No sighting of the alert"):
        reject_sighting(Rejection(alert, stranger.event.event_id), **stores, by=OP, at=NOON)
    with pytest.raises(BadInput, match=r"only sighting of the alert .* decide do_not_engage"):
        reject_sighting(Rejection(alert, first.event.event_id), **stores, by=OP, at=NOON)
    assert place.records.audit.all()[-1].kind == "alert.sighting_rejected"


def test_an_interrupted_rejection_is_completed_by_the_next_erasure(place):
    alert = place.see(0, 9)
    stranger = place.records.alerts.events(alert)[1].event.event_id

    class Away(MemoryAlertBook):
        def erase(self, *_):
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        reject_sighting(
            Rejection(alert, stranger), records=place.records, vault=place.vault, book=Away(),
            by=OP, at=NOON,
        )  # fmt: skip
    assert place.erase(NOON)["rejected"] == 1
    assert place.kept() == (1, 1)
    assert place.erase(NOON) == {}


def database_bytes(records):
    """Return the content of all files of the database."""
    if isinstance(records, MemoryRecords):
        return repr(records.reading()).encode()
    engine = records._engine
    if engine.dialect.name == "sqlite":
        path = Path(str(engine.url.database))
        files = [path, path.with_name(path.name + "-wal")]
        return b"".join(file.read_bytes() for file in files if file.exists())
    with engine.connect() as connection:
        connection.execute(sa.text("CHECKPOINT"))
        read = "SELECT pg_read_binary_file(pg_relation_filepath(oid)) FROM pg_class"
        ours = " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')"
        return b"".join(connection.scalars(sa.text(read + ours)))


def test_no_byte_of_the_mistaken_subject_remains_in_the_database(place):
    """For SQLite the log and free pages too; for PostgreSQL the heap and indexes, not its log."""
    alert = place.see(0, 5)
    place.decide(alert, Adjudication.DO_NOT_ENGAGE)
    assert WHO.encode() in database_bytes(place.records)
    assert place.erase(NOON + TIMES.settle)
    assert place.records.erase_for_good()
    assert WHO.encode() not in database_bytes(place.records)


def test_written_reasons_are_erased_with_their_alert_and_names_on_request(place):
    alert = place.see(0, 5)
    note = "a woman in a red coat"
    what = Judgement(Adjudication.DO_NOT_ENGAGE, note=note)
    decide(AlertVersion(alert), what, records=place.records, by=OP, at=NOON, times=TIMES)
    [given] = place.records.alerts.case(alert).verdicts
    assert (given.by, given.judgement.note) == (OP, note)
    [act] = place.records.audit.all()
    assert (act.by, act.detail["reason"], "words_sha256" in act.detail) == (OP, note, False)
    if not isinstance(place.records, MemoryRecords):  # its log can be changed
        with place.records._engine.connect() as connection:
            log = connection.execute(sa.text("SELECT name, detail FROM audit_events")).all()
        assert all(word not in str(log) for word in ("Op", note))
    assert place.erase(NOON + TIMES.settle)
    assert place.records.erase_for_good()
    assert note.encode() not in database_bytes(place.records)
    decided = place.records.audit.all()[0]
    assert (decided.by.name, "reason" in decided.detail) == ("Op", False)
    assert decided.detail["adjudication"] == "do_not_engage"
    assert place.records.alerts.case(alert).first_verdict.by == OP  # the decider's name remains
    with place.records.unit_of_work() as work:
        assert work.alerts.erase_names(NOON, NOON).erased == 0
        assert work.alerts.erase_names(NOON + timedelta(seconds=1), NOON).erased == 1
    decided = place.records.audit.all()[0]
    assert (decided.by.name, decided.by.subject, decided.kind) == ("", "op", "alert.decided")


@pytest.mark.parametrize(
    ("change", "name", "reason"),
    [("name = 'Somebody Else'", "(altered)", "seen"), ("words = '{}'", "Op", "(altered)")],
)
def test_erased_names_and_reasons_cannot_be_replaced_by_others(records, change, name, reason):
    place = Place(records)
    alert = place.see(0)
    what = Judgement(Adjudication.ENGAGE, note="seen")
    decide(AlertVersion(alert), what, records=place.records, by=OP, at=NOON, times=TIMES)
    with place.records._engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE act_words SET {change}"))
    [act] = place.records.audit.all()
    assert (act.by.name, act.detail["reason"]) == (name, reason)
