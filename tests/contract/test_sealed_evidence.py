"""Evidence of a mistaken stop: nobody erases it before its time."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest
from tests.contract.test_alert_erasure import NOON, OP, SUE, TIMES, WHO, Place

from openlfr.adapters.memory.template_store import MemoryTemplateStore
from openlfr.domain.alert_records import HoldKind, NameErasures
from openlfr.domain.alerts import Adjudication, Outcome
from openlfr.domain.errors import BadInput, NotAllowed
from openlfr.domain.templates import GalleryFacts
from openlfr.domain.watchlist import EntryStatus, Reference
from openlfr.operations.adjudicate import AlertVersion, OutcomeReport, record_outcome
from openlfr.operations.gallery import erase_removed_entries
from openlfr.operations.holds import HoldRequest, place_hold, release_holds
from openlfr.operations.purge import erase_names, find_due, purge
from openlfr.operations.reject import Rejection, reject_sighting


class SealedPlace(Place):
    """A place with acts on a sealed alert."""

    def seal(self, *seconds):
        """Return an alert of a person who was stopped by mistake at noon."""
        alert = self.see(*seconds)
        self.decide(alert, Adjudication.ENGAGE)
        report = OutcomeReport(Outcome.REFUTED)
        target = AlertVersion(alert)
        record_outcome(target, report, records=self.records, by=OP, at=NOON, times=TIMES)
        return alert

    def reject(self, alert, number, by, reason="", at=NOON):
        event = self.records.alerts.events(alert)[number].event.event_id
        reject_sighting(
            Rejection(alert, event, reason), records=self.records, vault=self.vault, book=self.book,
            by=by, at=at,
        )  # fmt: skip

    def hold(self, alert):
        request = HoldRequest(alert, HoldKind.COMPLAINT, NOON + timedelta(days=9), "letter")
        place_hold(request, records=self.records, by=SUE, at=NOON)


@pytest.fixture
def place(every_records):
    return SealedPlace(every_records)


def test_only_a_supervisor_with_a_reason_rejects_a_sighting_of_a_sealed_alert(place):
    alert = place.seal(0, 9)
    with pytest.raises(NotAllowed, match="Op may not open sealed pictures"):
        place.reject(alert, 1, OP, "another coat")
    with pytest.raises(BadInput, match="are sealed, since somebody was stopped by mistake"):
        place.reject(alert, 1, SUE)
    assert place.kept() == (2, 2)
    assert [event.rejected_at for event in place.records.alerts.events(alert)] == [None, None]
    place.reject(alert, 1, SUE, "another coat")
    assert place.kept() == (1, 1)


def test_a_shorter_retention_does_not_end_a_seal(place):
    alert = place.seal(0)
    early, stores = (
        NOON + TIMES.sealed / 2,
        {"records": place.records, "vault": place.vault, "book": place.book},
    )
    found = find_due(**stores, retention=timedelta(seconds=1), now=early)
    assert not found
    assert place.records.alerts.find(alert).erased_at is None
    assert place.erase(NOON + TIMES.sealed) == {"mistaken": 1}


def test_an_alert_sealed_after_a_purge_listed_it_is_not_erased(place):
    alert = place.see(0)
    place.decide(alert, Adjudication.ENGAGE)
    at = NOON + timedelta(hours=1)
    stores = {"records": place.records, "vault": place.vault, "book": place.book, "now": at}
    due = find_due(**stores, retention=timedelta(seconds=1))
    assert len(due.alerts) == 1
    report = OutcomeReport(Outcome.REFUTED)
    record_outcome(AlertVersion(alert), report, records=place.records, by=OP, at=at, times=TIMES)
    purge(due, **stores, by=SUE)
    assert place.kept() == (1, 1)


def test_of_two_operators_who_reject_the_last_two_sightings_one_is_refused(records):
    place = SealedPlace(records)
    alert = place.see(0, 9)
    both_started, problems = threading.Barrier(2), []

    def reject(number):
        both_started.wait(10)
        try:
            place.reject(alert, number, OP)
        except BadInput as error:
            problems.append(str(error))

    threads = [threading.Thread(target=reject, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(problems) == 1
    assert place.records.alerts.find(alert).events == 1


def test_a_rejection_and_a_release_lock_the_alert_before_they_read_it(place, monkeypatch):
    """On PostgreSQL another transaction could otherwise change what was read."""
    alert = place.see(0, 9)
    place.hold(alert)
    with place.records.unit_of_work() as work:
        kind = type(work.alerts)
    calls = []

    def log_calls(name):
        method = getattr(kind, name)

        def logged(*arguments):
            calls.append(name)
            return method(*arguments)

        monkeypatch.setattr(kind, name, logged)

    for name in ("case", "events", "holds"):
        log_calls(name)
    place.reject(alert, 1, OP)
    assert "events" in calls
    assert calls.index("case") < calls.index("events", calls.index("case"))
    calls.clear()
    release_holds(alert, "answered", records=place.records, by=SUE, at=NOON)
    assert calls[:2] == ["case", "holds"]
    assert place.records.alerts.find(alert).subject == WHO


def test_a_purge_of_names_skips_acts_on_held_and_sealed_alerts_and_counts_them(place):
    held = place.see(0)
    place.decide(held, Adjudication.ENGAGE)
    place.hold(held)
    sealed = place.seal(4000)
    free = place.see(8000)
    place.decide(free, Adjudication.ENGAGE)

    def purge_names(at):
        return erase_names(place.records, NOON + timedelta(seconds=1), by=SUE, at=at)

    def named():
        acts = place.records.audit.all(object_kind="alert")
        return {act.object_id for act in acts if act.by.name in {"Op", "Sue"}}

    assert purge_names(NOON + timedelta(seconds=1)) == NameErasures(erased=1, retained=4)
    assert named() == {held, sealed}
    [placed] = [act for act in place.records.audit.all() if act.kind == "alert.hold_placed"]
    assert placed.detail["reason"] == "letter"
    assert place.records.alerts.case(held).first_verdict.by.name == "Op"
    assert place.records.alerts.case(free).first_verdict.by.name == ""
    assert purge_names(NOON + TIMES.sealed) == NameErasures(erased=2, retained=2)
    assert purge_names(NOON + timedelta(days=9)) == NameErasures(erased=2, retained=0)
    assert not named()


@pytest.mark.parametrize("kind", ["held", "sealed"])
def test_the_reference_picture_of_a_held_or_sealed_alert_stays_until_its_end(place, kind):
    listed = [entry_of("reference-7"), entry_of("reference-8")]
    with place.records.unit_of_work() as work:
        for entry in listed:
            place.vault.put(entry.picture, b"picture")
            work.watchlist.add(entry, picture_hash=entry.reference_id, template=b"x", at=NOON)
    if kind == "sealed":
        alert, end = place.seal(0), NOON + TIMES.sealed
    else:
        alert, end = place.see(0), NOON + timedelta(days=9)
        place.hold(alert)
    templates = MemoryTemplateStore(GalleryFacts("sface", "a" * 64, 64, "arcface-112", 0.4))
    with place.records.unit_of_work() as work:
        work.watchlist.change_subject_status(WHO, None, EntryStatus.REMOVED, NOON)
    assert erase_removed_entries(place.records, templates, place.vault, now=NOON) == 2
    assert place.vault.names("references/") == ["references/reference-7"]
    assert place.records.watchlist.awaiting_erasure() == []
    place.erase(end - timedelta(seconds=1))
    assert place.vault.names("references/") == ["references/reference-7"]
    place.erase(end)
    assert place.vault.names("references/") == []
    assert [e.picture for e in place.records.watchlist.references()] == ["", ""]
    assert place.records.watchlist.removed_with_picture() == []


def entry_of(reference_id):
    return Reference(
        reference_id, "default", WHO, "wanted", "Order 1", "passport", date(2025, 1, 2),
        "Eve", "Otto", NOON + timedelta(days=90), EntryStatus.PENDING, "f" * 64,
        f"references/{reference_id}", 70.0, "",
    )  # fmt: skip
