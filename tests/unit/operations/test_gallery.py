"""The gallery's rules, and that every step may be repeated or cut short."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from enrolling import add_entry
from openlfr.adapters.memory.records import MemoryRecords
from openlfr.adapters.memory.template_store import MemoryTemplateStore
from openlfr.adapters.memory.vault import MemoryVault
from openlfr.adapters.memory.watchlist import MemoryWatchlist
from openlfr.domain.errors import Unavailable
from openlfr.domain.evidence import Evidence, Scene
from openlfr.domain.faces import Box
from openlfr.domain.templates import GalleryFacts, hash_template
from openlfr.domain.watchlist import EntryStatus, Reference
from openlfr.operations import gallery
from openlfr.operations.enrol import outbox_name
from openlfr.operations.evidence import encode
from openlfr.operations.gallery import apply_pending, build_index, erase_unrecorded_pictures

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
FACTS = GalleryFacts("sface", "a" * 64, 64, "arcface-112", 0.4)


def direction(seed):
    """Unit vectors of different seeds are nearly at right angles (|cosine| < 0.4 here)."""
    vector = np.random.default_rng(seed).normal(size=FACTS.dimension)
    return vector / np.linalg.norm(vector)


def near(vector, cosine, seed=99):
    """A unit vector at this cosine to the given one."""
    other = direction(seed)
    other -= (other @ vector) * vector
    other /= np.linalg.norm(other)
    return cosine * vector + np.sqrt(1 - cosine**2) * other


class Desk:
    """Records, vault and template store in one place."""

    def __init__(self, records):
        self.records = records
        self.watchlist = records.watchlist
        self.vault = MemoryVault()
        self.templates = MemoryTemplateStore(FACTS)
        self.added = 0

    def add(self, subject, vector, watchlist="default", seal_as=None, second=("", "")):
        self.added += 1
        reference_id = f"r{self.added}"
        template = np.asarray(vector, np.float32)
        entry = Reference(
            reference_id, watchlist, subject, "wanted", "Order 1", "passport", date(2025, 1, 2),
            "Eve", "Otto", NOW + timedelta(days=9), EntryStatus.PENDING, hash_template(template),
            f"references/{reference_id}", 70.0, "", *second,
        )  # fmt: skip
        name = seal_as or outbox_name(reference_id)
        self.vault.put(entry.picture, b"picture")
        sealed = self.vault.seal(name, template.tobytes())
        at = NOW + timedelta(seconds=self.added)
        with self.records.unit_of_work() as work:
            add_entry(work, entry, picture_hash=reference_id, template=sealed, at=at)
        return reference_id

    def apply(self, limit=None):
        settled = apply_pending(
            self.records, self.templates, self.vault, FACTS, now=NOW, limit=limit
        )
        return {s.reference_id: s for s in settled}

    def move(self, subject, to):
        with self.records.unit_of_work() as work:
            work.watchlist.change_subject_status(subject, None, to, NOW)

    def searchable(self, *watchlists):
        return build_index(self.watchlist, self.templates, watchlists or ["default"]).subjects


@pytest.fixture
def desk():
    return Desk(MemoryRecords())


def test_a_pending_entry_becomes_searchable_and_leaves_the_outbox(desk):
    added = desk.add("Ann", direction(1))
    assert desk.searchable() == ()
    assert desk.apply()[added].status is EntryStatus.ACTIVE
    assert desk.searchable() == ("Ann",)
    assert desk.watchlist.outbox() == []
    assert desk.apply() == {}


def test_a_large_import_is_settled_a_few_at_a_time_by_the_same_rules(desk):
    added = [desk.add(f"subject {n}", direction(n)) for n in range(4)]
    added.append(desk.add("twin", near(direction(0), 0.7)))
    settled, versions = [], set()
    while some := desk.apply(limit=2):
        settled.append(list(some))
        versions.add(desk.watchlist.version())
        notes = {one.subject: one.note for one in some.values()}
    assert settled == [added[:2], added[2:4], added[4:]]
    assert len(versions) == 3  # whoever looks for changes sees that there is more
    assert "looks like subject 0" in notes["twin"]
    assert len(desk.searchable()) == 5


def test_notes_the_same_picture_and_look_alikes_listed_or_just_added(desk):
    desk.add("Ann", direction(1))
    desk.apply()
    again = desk.add("Ann", near(direction(1), 0.99))
    other = desk.add("Ann", near(direction(1), 0.7))
    twin = desk.add("Bea", near(direction(1), 0.45, seed=3), watchlist="second")
    settled = desk.apply()
    assert {s.status for s in settled.values()} == {EntryStatus.ACTIVE}
    assert settled[again].note == "nearly the same picture is listed already (0.99)"
    assert settled[other].note == ""
    assert settled[twin].note == "looks like Ann (0.45), listed under another name"
    assert {r.note for r in desk.watchlist.references(subject="Bea")} == {settled[twin].note}


@pytest.mark.parametrize(
    ("cosine", "listed", "watchlist"),
    [(1.0, 0, "default"), (0.999, 3, "second"), (0.85, 60, "default")],
)
def test_a_picture_that_is_listed_under_another_name_is_refused(desk, cosine, listed, watchlist):
    first = desk.add("Ann", direction(1))
    for number in range(listed):
        desk.add(f"subject {number}", direction(10 + number))
    desk.apply()
    copy = desk.add("Cleo", near(direction(1), cosine), watchlist=watchlist)
    settled = desk.apply()[copy]
    assert settled.status is EntryStatus.REFUSED
    assert settled.note.startswith(
        f"nearly the same picture as that of Ann (entry {first} in default; {cosine:.2f}), listed "
        "under another name; "
    )
    assert "second_authoriser" in settled.note
    assert "Cleo" not in desk.searchable("default", "second")
    assert f"references/{copy}" not in desk.vault.names()


def test_the_upper_of_two_rows_in_one_import_is_valid(desk):
    first, second = desk.add("Zoe", direction(1)), desk.add("Ann", near(direction(1), 0.97))
    settled = desk.apply()
    assert settled[first].status is EntryStatus.ACTIVE
    assert settled[second].status is EntryStatus.REFUSED
    assert "the upper row is accepted" in settled[second].note


def test_a_suspended_entry_counts_and_a_removed_one_does_not(desk):
    desk.add("Ann", direction(1))
    desk.apply()
    desk.move("Ann", EntryStatus.SUSPENDED)
    copy = desk.add("Bea", near(direction(1), 0.97))
    assert "in default, suspended" in desk.apply()[copy].note
    desk.move("Ann", EntryStatus.REMOVED)
    again = desk.add("Bea", near(direction(1), 0.97))
    assert desk.apply()[again].status is EntryStatus.ACTIVE


def test_an_entry_suspended_before_its_confirmation_is_checked_on_its_return(desk):
    copy = desk.add("Bea", near(direction(1), 0.97))
    desk.move("Bea", EntryStatus.SUSPENDED)
    desk.add("Ann", direction(1))
    desk.apply()
    desk.move("Bea", EntryStatus.ACTIVE)
    assert desk.apply()[copy].status is EntryStatus.REFUSED


def test_a_second_authoriser_is_recorded_in_the_act_of_the_listing(desk):
    desk.add("Ann", direction(1))
    copies = [
        desk.add(
            f"twin {n}", near(direction(1), 0.97, seed=50 + n), second=("Carla", "they are twins")
        )
        for n in range(4)  # nor are four of them a magnet
    ]
    settled = desk.apply()
    assert {settled[copy].status for copy in copies} == {EntryStatus.ACTIVE}
    assert "listed under another name, as Carla allows" in settled[copies[0]].note
    (entry,) = desk.watchlist.references(reference_ids=copies[:1])
    assert (entry.second_authoriser, entry.second_reason) == ("Carla", "they are twins")
    acts = desk.records.audit.all(object_id=copies[0])
    assert acts[-1].kind == "reference.activated"
    assert acts[-1].detail["second_authoriser"] == "Carla"
    assert acts[-1].detail["second_reason"] == "they are twins"


def test_refuses_a_magnet_and_erases_its_picture(desk):
    for number in range(8):
        desk.add(f"person {number}", direction(number))
    desk.apply()
    vectors = [direction(n) for n in range(5)]
    magnet = sum(vectors) / np.linalg.norm(sum(vectors))
    refused = desk.add("Magnet", magnet)
    settled = desk.apply()[refused]
    assert settled.status is EntryStatus.REFUSED
    assert settled.note.startswith("a magnet: it resembles ")
    assert "of 8 other listed subjects" in settled.note
    assert "Magnet" not in desk.searchable()
    assert f"references/{refused}" not in desk.vault.names()
    assert desk.watchlist.awaiting_erasure() == []


@pytest.mark.parametrize(("others", "refused"), [(3, True), (149, True), (160, False)])
def test_a_magnet_resembles_three_others_and_two_in_a_hundred(desk, others, refused):
    for number in range(3):  # all three at 0.57 to their own middle
        axis = np.zeros(FACTS.dimension)
        axis[number] = 1
        desk.add(f"alike {number}", axis)
    for number in range(others - 3):
        other = direction(1000 + number)
        other[:3] = 0
        desk.add(f"other {number:03d}", other / np.linalg.norm(other))
    desk.apply()
    middle = np.zeros(FACTS.dimension)
    middle[:3] = 3**-0.5
    added = desk.add("Middle", middle)
    assert (desk.apply()[added].status is EntryStatus.REFUSED) == refused


def test_a_template_that_cannot_be_read_is_refused_with_the_reason(desk):
    swapped = desk.add("Ann", direction(1), seal_as="outbox/another")
    good = desk.add("Bea", direction(2))
    settled = desk.apply()
    assert "cannot be decrypted" in settled[swapped].note
    assert settled[good].status is EntryStatus.ACTIVE


def test_suspended_is_not_searchable_and_removed_is_erased(desk):
    kept, gone = desk.add("Ann", direction(1)), desk.add("Bea", direction(2))
    desk.apply()
    desk.move("Ann", EntryStatus.SUSPENDED)
    desk.move("Bea", EntryStatus.REMOVED)
    assert desk.searchable() == ()  # before anybody has touched the vectors
    desk.apply()
    assert [t.reference_id for t in desk.templates.all(["default"])] == [kept]
    assert desk.vault.names() == [f"references/{kept}"]
    assert desk.watchlist.references(reference_ids=[gone])[0].picture == ""
    desk.move("Ann", EntryStatus.ACTIVE)
    assert desk.searchable() == ("Ann",)


def test_many_that_leave_at_once_are_erased_a_few_at_a_time(desk, monkeypatch):
    monkeypatch.setattr(gallery, "MAX_PER_TRANSACTION", 2)
    for number in range(5):
        desk.add(f"subject {number}", direction(number))
    desk.apply()
    for number in range(5):
        desk.move(f"subject {number}", EntryStatus.REMOVED)
    before = desk.watchlist.version()
    desk.apply()
    assert desk.watchlist.version() == before + 3  # so often may somebody else write in between
    assert desk.watchlist.awaiting_erasure() == []
    assert desk.templates.all(["default"]) == desk.vault.names() == []


@pytest.mark.parametrize("step", ["put", "settle", "remove", "delete", "mark_erased"])
def test_a_crash_before_any_step_loses_nothing(desk, monkeypatch, step):
    desk.add("Ann", direction(1))
    desk.add("Gone", direction(2))
    desk.apply()
    desk.add("Bea", direction(3))
    desk.move("Gone", EntryStatus.REMOVED)
    owner = {"put": desk.templates, "remove": desk.templates, "delete": desk.vault}.get(
        step, MemoryWatchlist
    )

    def crash(*_, **__):
        raise Unavailable("crash")

    with monkeypatch.context() as patch:
        patch.setattr(owner, step, crash)
        with pytest.raises(Unavailable):
            desk.apply()
    desk.apply()
    assert desk.searchable() == ("Ann", "Bea")
    assert desk.watchlist.outbox() == desk.watchlist.awaiting_erasure() == []
    assert len(desk.templates.all(["default"])) == len(desk.vault.names()) == 2


def test_an_entry_that_is_removed_while_it_is_applied_is_not_searchable(desk, monkeypatch):
    desk.add("Ann", direction(1))
    put = desk.templates.put

    def remove_meanwhile(templates):
        desk.move("Ann", EntryStatus.REMOVED)
        put(templates)

    with monkeypatch.context() as patch:
        patch.setattr(desk.templates, "put", remove_meanwhile)
        assert desk.apply() == {}
    assert desk.searchable() == ()
    desk.apply()
    assert desk.templates.all(["default"]) == []


def test_a_template_stored_after_the_erasure_of_its_entry_is_erased_too(desk, monkeypatch):
    desk.add("Ann", direction(1))
    kept = desk.add("Bea", direction(2))
    put = desk.templates.put

    def put_late(templates):
        desk.move("Ann", EntryStatus.REMOVED)
        gallery.erase_removed_entries(desk.records, desk.templates, desk.vault, now=NOW)
        put(templates)

    monkeypatch.setattr(desk.templates, "put", put_late)
    assert list(desk.apply()) == [kept]
    assert [each.subject for each in desk.templates.all(["default"])] == ["Bea"]


def test_pictures_that_no_entry_names_are_erased(desk):
    desk.add("Ann", direction(1))
    desk.vault.put("references/damaged", b"x")
    desk.vault.put("evidence/e1", b"x")
    for name, age in (("lost", timedelta(hours=2)), ("being-imported", timedelta(seconds=1))):
        scene = Scene(np.zeros((2, 2, 3), np.uint8), 2, 8, 8)
        picture = Evidence(scene, np.zeros((4, 4, 3), np.uint8), Box(0, 0, 4, 4))
        desk.vault.put(f"references/{name}", encode(picture, kept_at=NOW - age))
    assert erase_unrecorded_pictures(desk.watchlist, desk.vault, NOW) == 2
    assert desk.vault.names() == ["evidence/e1", "references/being-imported", "references/r1"]
