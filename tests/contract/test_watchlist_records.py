"""Watchlist entries in the records: added, activated, changed, removed; searchable or not."""

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.contract.test_alert_erasure import database_bytes

from awaiting import PATIENCE_S
from enrolling import add_entry
from openlfr.adapters.sql.records import Records
from openlfr.domain.errors import Misconfigured
from openlfr.domain.principals import Principal, Role
from openlfr.domain.templates import GalleryFacts
from openlfr.domain.watchlist import EntryStatus, GalleryDecision, ManifestEntry, Reference
from openlfr.operations.entries import Entries, remove
from openlfr.operations.purge import forget_entries

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
FACTS = GalleryFacts("sface", "a" * 64, 128, "arcface-112", 0.4)
PENDING, ACTIVE, REFUSED, SUSPENDED, REMOVED = (
    EntryStatus.PENDING, EntryStatus.ACTIVE, EntryStatus.REFUSED, EntryStatus.SUSPENDED,
    EntryStatus.REMOVED,
)  # fmt: skip


@pytest.fixture
def records(every_records):
    return every_records


def reference(reference_id="r1", **changes):
    values = {
        "reference_id": reference_id, "watchlist": "default", "subject": "Ann",
        "category": "wanted", "legal_basis": "Order 1", "source": "passport",
        "captured_on": date(2025, 1, 2), "enrolled_by": "Eve", "authorised_by": "Otto",
        "expires": NOW + timedelta(days=30), "status": PENDING,
        "template_hash": "h-" + reference_id,
        "picture": "references/" + reference_id, "quality": 71.5, "note": "",
    }  # fmt: skip
    return Reference(**values | changes)


def add(records, entry, *, template=b"sealed", picture_hash="p1"):
    with records.unit_of_work() as work:
        add_entry(work, entry, picture_hash=picture_hash, template=template, at=NOW)


def settle(records, reference_id, status=ACTIVE, note=""):
    with records.unit_of_work() as work:
        return work.watchlist.settle([GalleryDecision(reference_id, status, note)], NOW)


def move(records, to, subject="Ann", lists=None):
    with records.unit_of_work() as work:
        return work.watchlist.change_subject_status(subject, lists, to, NOW)


def statuses(records):
    return {r.reference_id: r.status for r in records.watchlist.references()}


def test_an_added_entry_waits_in_the_outbox_and_is_not_searchable(records):
    add(records, reference())
    assert records.watchlist.references() == [reference()]
    assert records.watchlist.outbox() == [(reference(), b"sealed")]
    assert records.watchlist.manifest(["default"]) == {}


def test_entries_of_one_import_wait_in_the_order_of_their_addition(records):
    """The entries have one timestamp, and ids without an order."""
    ids = ["c", "a", "d", "b"]
    for each in ids:
        add(records, reference(each), picture_hash=each)
    assert [entry.reference_id for entry, _ in records.watchlist.outbox()] == ids


def test_an_error_rolls_back_the_whole_unit_of_work(records):
    def cut_off():
        with records.unit_of_work() as work:
            add_entry(work, reference(), picture_hash="p1", template=b"sealed", at=NOW)
            assert work.watchlist.references() == [reference()]  # reads its own change
            raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        cut_off()
    assert records.watchlist.references() == []


def test_activation_makes_an_entry_searchable_and_erases_its_sealed_template(records):
    add(records, reference())
    assert settle(records, "r1", note="looks like Bea") == {"r1"}
    assert records.watchlist.outbox() == []
    assert records.watchlist.manifest(["default"]) == {
        "r1": ManifestEntry(
            "default", "wanted", "h-r1", reference().entry_hash, NOW + timedelta(days=30)
        )
    }
    assert records.watchlist.manifest(["other"]) == {}
    assert records.watchlist.references()[0].note == "looks like Bea"
    assert settle(records, "r1", REFUSED) == set()
    assert statuses(records) == {"r1": ACTIVE}


def test_an_entry_without_an_enrolment_is_reported_and_not_searchable(records):
    with records.unit_of_work() as work:
        work.watchlist.add(reference(), picture_hash="p1", template=b"sealed", at=NOW)
    settle(records, "r1")
    assert records.watchlist.altered_entries(["default"]) == {
        "r1": "no enrolment of it was recorded"
    }
    assert records.watchlist.altered_entries(["second"], compare_all=True) == {}
    assert records.watchlist.manifest(["default"]) == {}


def test_an_entry_is_overdue_when_it_has_expired_until_it_is_removed(records):
    add(records, reference(expires=NOW))
    add(records, reference("r2"), picture_hash="p2")
    assert records.watchlist.overdue_entries(NOW) == []
    late = NOW + timedelta(seconds=1)
    assert [r.reference_id for r in records.watchlist.overdue_entries(late)] == ["r1"]
    with records.unit_of_work() as work:
        work.watchlist.remove_expired(["r1"], late)
    assert records.watchlist.overdue_entries(late) == []


def test_a_refused_entry_is_removed(records):
    add(records, reference())
    settle(records, "r1", REFUSED, "a magnet")
    assert [r.reference_id for r in records.watchlist.awaiting_erasure()] == ["r1"]
    with records.unit_of_work() as work:
        work.watchlist.mark_erased(["r1"], NOW)
    assert records.watchlist.awaiting_erasure() == []
    (entry,) = records.watchlist.references()
    assert (entry.status, entry.picture, entry.note) == (REFUSED, "", "a magnet")


def test_an_entry_suspended_before_its_activation_is_pending_when_resumed(records):
    add(records, reference())
    move(records, SUSPENDED)
    assert settle(records, "r1") == set()
    assert statuses(records) == {"r1": SUSPENDED}
    (moved,) = move(records, ACTIVE)
    assert moved.status == PENDING
    assert records.watchlist.outbox() == [(reference(), b"sealed")]


def test_suspend_resume_and_remove(records):
    add(records, reference("r1"))
    add(records, reference("r2", watchlist="second"), picture_hash="p2")
    add(records, reference("r3", subject="Bea"), picture_hash="p3")
    for reference_id in ("r1", "r2", "r3"):
        settle(records, reference_id)
    assert {r.reference_id for r in move(records, SUSPENDED)} == {"r1", "r2"}
    assert records.watchlist.manifest(["default", "second"]).keys() == {"r3"}
    assert [r.reference_id for r in move(records, ACTIVE, lists=["second"])] == ["r2"]
    assert records.watchlist.manifest(["default", "second"]).keys() == {"r2", "r3"}
    assert {r.reference_id for r in move(records, REMOVED)} == {"r1", "r2"}
    assert {r.reference_id for r in records.watchlist.awaiting_erasure()} == {"r1", "r2"}
    assert move(records, REMOVED) == []
    assert move(records, ACTIVE) == []


def test_retires_chosen_entries_once(records):
    for number in range(3):
        add(records, reference(f"r{number}"), picture_hash=str(number))
    chosen = ["r0", "r2"]

    with records.unit_of_work() as work:
        assert [r.reference_id for r in work.watchlist.remove_expired(chosen, NOW)] == chosen
        assert work.watchlist.remove_expired(chosen, NOW) == []
    assert statuses(records) == {"r0": REMOVED, "r1": PENDING, "r2": REMOVED}
    assert [r.reference_id for r, _ in records.watchlist.outbox()] == ["r1"]


def test_finds_the_entry_with_the_same_picture_of_a_subject(records):
    add(records, reference(expires=NOW), picture_hash="p1")

    def standing(**changes):
        values = {"watchlist": "default", "subject": "Ann", "picture_hash": "p1", "at": NOW}
        return records.watchlist.current_entry(**values | changes)

    assert standing().reference_id == "r1"
    assert standing(subject="Bea") is None
    assert standing(watchlist="second") is None
    assert standing(picture_hash="p2") is None
    assert standing(at=NOW + timedelta(seconds=1)) is None  # expired: it may be listed again
    move(records, REMOVED)
    assert standing() is None


def test_the_version_increases_with_every_change_only(records):
    seen = [records.watchlist.version()]

    def grown():
        seen.append(records.watchlist.version())
        return seen[-1] > seen[-2]

    add(records, reference())
    assert grown()
    settle(records, "r1")
    assert grown()
    move(records, SUSPENDED)
    assert grown()
    records.watchlist.references()
    records.watchlist.manifest(["default"])
    assert not grown()


def test_entries_are_listed_by_any_condition(records):
    add(records, reference("r1"))
    add(records, reference("r2", subject="Bea", watchlist="second"), picture_hash="p2")
    settle(records, "r2")

    def ids(**conditions):
        return [r.reference_id for r in records.watchlist.references(**conditions)]

    assert ids() == ["r1", "r2"]
    assert ids(watchlists=["second"]) == ["r2"]
    assert ids(subject="Ann") == ["r1"]
    assert ids(statuses=[ACTIVE, REFUSED]) == ["r2"]
    assert ids(reference_ids=["r2", "unknown"]) == ["r2"]
    assert ids(reference_ids=[]) == []


def test_lists_the_pictures_that_entries_refer_to(records):
    add(records, reference("r1"))
    add(records, reference("r2"), picture_hash="p2")
    move(records, REMOVED)
    with records.unit_of_work() as work:
        work.watchlist.mark_erased(["r2"], NOW)
    assert records.watchlist.picture_names() - {""} == {"references/r1"}


def test_the_gallery_is_bound_to_the_model_of_its_first_template(records):
    assert records.watchlist.bound_model() is None
    with records.unit_of_work() as work:
        work.watchlist.bind_model(FACTS, NOW)
        work.watchlist.bind_model(replace(FACTS, default_threshold=0.5), NOW)
    assert records.watchlist.bound_model() == FACTS
    with (
        pytest.raises(Misconfigured, match="such templates cannot be compared"),
        records.unit_of_work() as work,
    ):
        work.watchlist.bind_model(replace(FACTS, model_sha256="b" * 64), NOW)


def test_subjects_are_erased_from_entries_that_were_retired_long_ago(records):
    add(records, reference("gone"), picture_hash="p1")
    add(records, reference("leaving", subject="Bea"), picture_hash="p2")
    add(records, reference("listed", subject="Cleo"), picture_hash="p3")
    settle(records, "gone")
    move(records, REMOVED)
    move(records, REMOVED, subject="Bea")
    with records.unit_of_work() as work:
        work.watchlist.mark_erased(["gone"], NOW)  # the other picture is still due
    late = NOW + timedelta(days=31)
    version = records.watchlist.version()
    for moment, forgotten in ((NOW, 0), (late, 1), (late, 0)):
        assert forget_entries(records, moment, now=late) == forgotten
    left = {entry.reference_id: entry for entry in records.watchlist.references()}
    assert [left[each].subject for each in ("gone", "leaving", "listed")] == ["", "Bea", "Cleo"]
    assert left["gone"].enrolled_by == left["gone"].source == left["gone"].template_hash == ""
    assert (left["gone"].status, left["gone"].category) == (REMOVED, "wanted")
    assert records.watchlist.version() == version  # no searchable entry has changed
    assert records.audit.all()[-1].kind == "reference.forgotten"


WHO, OTTO = "Zacharias Unverwechselbar", "Otto Ordentlich"
REMOVER = Principal("https://people.example", "sue", "Sue", frozenset(Role))


def test_acts_on_an_entry_contain_no_subject_after_its_erasure(records):
    add(records, reference("gone", subject=WHO, authorised_by=OTTO), picture_hash="f" * 64)
    add(records, reference("listed", subject="Cleo"), picture_hash="p3")
    for each in ("gone", "listed"):
        settle(records, each)
    wanted = Entries(WHO, reason="mistaken for his brother")
    removed = remove(wanted, records=records, by=REMOVER, at=NOW)
    assert [each.reference_id for each in removed] == ["gone"]
    with records.unit_of_work() as work:
        work.watchlist.mark_erased(["gone"], NOW)
    before = records.audit.all(object_id="gone")
    assert before[0].detail["subject"] == WHO
    assert "reason" in before[-1].detail
    assert (before[-1].by.name, before[0].detail["authorised_by"]) == ("Sue", OTTO)
    late = NOW + timedelta(days=31)
    with records.unit_of_work() as work:
        assert work.alerts.erase_names(late, NOW).erased == 0  # listed names are still compared
    assert forget_entries(records, late, now=late) == 1
    after = records.audit.all(object_id="gone")
    assert [act.kind for act in after[:-1]] == [act.kind for act in before]
    assert after[0].detail["category"] == "wanted"
    text = repr(after)
    for word in (WHO, OTTO, "Eve", "passport", "brother", "f" * 64):
        assert word not in text
    assert after[-2].by == REMOVER  # the actor's name has its own retention
    with records.unit_of_work() as work:
        assert work.alerts.erase_names(late, NOW).erased == 1
    assert records.audit.all(object_id="gone")[-2].by.name == ""
    assert records.watchlist.altered_entries(["default"]) == {}
    assert records.watchlist.manifest(["default"]).keys() == {"listed"}


def test_no_byte_of_an_erased_subject_remains_in_the_database(records):
    add(records, reference("gone", subject=WHO, authorised_by=OTTO), picture_hash="f" * 64)
    move(records, REMOVED, subject=WHO)
    with records.unit_of_work() as work:
        work.watchlist.mark_erased(["gone"], NOW)
    words = (WHO.encode(), OTTO.encode(), b"f" * 64)
    assert all(word in database_bytes(records) for word in words)
    late = NOW + timedelta(days=31)
    assert forget_entries(records, late, now=late) == 1
    assert records.erase_for_good()
    kept = database_bytes(records)
    assert [word for word in words if word in kept] == []


def test_an_import_waits_for_another_import_before_it_looks_for_duplicates(records_url):
    """Otherwise two imports that check before either adds would both list the same picture."""
    with Records.open(records_url) as records:
        found = []
        begun = threading.Event()

        def look():
            begun.set()
            with records.unit_of_work() as work:
                work.watchlist.lock()
                found.append(work.watchlist.current_entry("default", "Ann", "p1", NOW))

        other = threading.Thread(target=look)
        with records.unit_of_work() as work:
            work.watchlist.lock()
            other.start()
            assert begun.wait(PATIENCE_S)
            add_entry(work, reference(), at=NOW)
        other.join(PATIENCE_S)
        assert [each and each.reference_id for each in found] == ["r1"]
