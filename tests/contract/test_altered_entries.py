"""Entries that somebody changed directly in the database: detected, and not searchable."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from enrolling import add_entry
from openlfr.adapters.sql import schema, tables
from openlfr.adapters.sql.records import Records, upgrade
from openlfr.domain import entry_acts
from openlfr.domain.audit import AuditEvent
from openlfr.domain.audit_references import ReferenceExpired, ReferenceRemoved
from openlfr.domain.errors import BadInput
from openlfr.domain.principals import SYSTEM
from openlfr.domain.watchlist import EntryStatus, GalleryDecision, Reference, hash_entry

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
EXPIRES = NOW + timedelta(days=30)


def reference(reference_id, subject):
    return Reference(
        reference_id, "default", subject, "wanted", "Order 1", "passport", date(2025, 1, 2), "Eve",
        "Otto", EXPIRES, EntryStatus.PENDING, reference_id * 32, f"references/{reference_id}", 70.0,
    )  # fmt: skip


@pytest.fixture
def listed(records):
    """Records in which Ann (a1) and Bea (b1) are searchable."""
    with records.unit_of_work() as work:
        for name, subject in (("a1", "Ann"), ("b1", "Bea")):
            add_entry(work, reference(name, subject), picture_hash=name, at=NOW)
            work.watchlist.settle([GalleryDecision(name, EntryStatus.ACTIVE, "")], NOW)
    assert records.watchlist.altered_entries(["default"]) == {}
    assert records.watchlist.manifest(["default"]).keys() == {"a1", "b1"}
    return records


def change(records, reference_id="a1", **values):
    """Change the database as a person with access to it would."""
    with records._engine.begin() as connection:
        statement = sa.update(tables.references).values(values)
        connection.execute(statement.where(tables.references.c.reference_id == reference_id))


BLANKED = ("subject", "category", "legal_basis", "source", "enrolled_by", "authorised_by",
           "entry_hash")  # fmt: skip


@pytest.mark.parametrize("name", BLANKED)
def test_the_database_refuses_to_blank_an_authority(listed, name):
    with pytest.raises(BadInput, match="without complete authority of two people"):
        change(listed, **{name: ""})


def test_the_database_refuses_an_authority_of_one_person(listed):
    with pytest.raises(BadInput, match="without complete authority of two people"):
        change(listed, authorised_by="Eve")


def test_a_retired_entry_may_be_blanked(listed):
    change(listed, status="removed", authorised_by="", subject="", enrolled_by="")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"authorised_by": "Mallory"}, "authorised_by differs from its enrolment"),
        (
            {"legal_basis": "none", "source": "none"},
            "legal_basis and source differ from its enrolment",
        ),
        ({"expires": EXPIRES + timedelta(days=1)}, "expires differs from its enrolment"),
        ({"subject": "Mr Innocent"}, "subject and its hash differ from its enrolment"),
        ({"category": "missing"}, "category differs from its enrolment"),
        ({"template_hash": "b1" * 32}, "its hash differs from its enrolment"),
        (
            {"subject": "Cy", "entry_hash": hash_entry("a1", "Cy", "default", "a1" * 32)},
            "subject and its hash differ from its enrolment",
        ),
    ],
)
def test_a_changed_entry_is_reported_and_not_searchable(listed, values, says):
    version = listed.watchlist.version()
    change(listed, **values)
    assert listed.watchlist.version() == version  # the change did not increase the version
    assert listed.watchlist.altered_entries(["default"]) == {}  # unchanged ones are not compared
    assert listed.watchlist.altered_entries(["default"], compare_all=True) == {"a1": says}
    assert listed.watchlist.altered_entries(["default"]) == {"a1": says}
    assert listed.watchlist.manifest(["default"]).keys() == {"b1"}
    assert listed.control.altered_entries() == {"a1": says}
    statuses = {each.reference_id: each.status for each in listed.control.changes_after()}
    assert statuses == {"a1": EntryStatus.SUSPENDED, "b1": EntryStatus.ACTIVE}


def test_two_people_whose_faces_were_exchanged_in_the_records_are_detected(listed):
    for name, other in (("a1", "b1"), ("b1", "a1")):
        subject = {"a1": "Ann", "b1": "Bea"}[name]
        made = hash_entry(name, subject, "default", other * 32)
        change(listed, name, template_hash=other * 32, entry_hash=made)
    altered = listed.watchlist.altered_entries(["default"], compare_all=True)
    assert altered == dict.fromkeys(("a1", "b1"), "its hash differs from its enrolment")
    assert listed.watchlist.manifest(["default"]) == {}


@pytest.mark.parametrize("how", ["removed", "expired"])
def test_a_retired_entry_stays_retired_whatever_its_row_contains(listed, how):
    with listed.unit_of_work() as work:
        (gone,) = work.watchlist.remove_expired(["a1"], NOW)
        ended = ReferenceRemoved("a1", "Ann", "default")
        expired = ReferenceExpired("a1", "Ann", gone.expires.isoformat())
        work.record(AuditEvent(NOW, SYSTEM, ended if how == "removed" else expired))
    change(listed, status="active", settled=True)
    says = {"removed": "it was removed before", "expired": "it had expired before"}[how]
    assert listed.watchlist.altered_entries(["default"]) == {"a1": says}
    assert listed.watchlist.manifest(["default"]).keys() == {"b1"}


def test_an_entry_with_a_changed_expiry_is_overdue_by_its_enrolled_expiry(listed):
    change(listed, expires=EXPIRES + timedelta(days=365))
    late = EXPIRES + timedelta(seconds=1)
    assert listed.watchlist.overdue_entries(EXPIRES) == []
    assert {each.reference_id for each in listed.watchlist.overdue_entries(late)} == {"a1", "b1"}
    change(listed, "b1", status="removed")
    assert [each.reference_id for each in listed.watchlist.overdue_entries(late)] == ["a1"]


AUTHORISERS_OF_THEN = {"a1": "Otto", "b1": "", "c1": "Eve", "d1": ""}
"""As they stand in the rows of the version before; all were enrolled with Otto's authority."""


def row_of_then(name):
    return {
        "reference_id": name, "watchlist": "default", "subject": "Ann", "category": "wanted",
        "legal_basis": "Order 1", "source": "passport", "captured_on": date(2025, 1, 2),
        "enrolled_by": "Eve", "authorised_by": AUTHORISERS_OF_THEN[name], "expires": EXPIRES,
        "status": "removed" if name == "d1" else "active", "template_hash": name * 32,
        "picture": "p", "picture_hash": name, "quality": 70.0, "note": "", "settled": True,
        "added_at": NOW, "changed_at": NOW, "version": 0, "second_authoriser": "",
        "second_reason": "", "template": None,
    }  # fmt: skip


def act_of_then(name):
    detail = {
        "subject": "Ann", "watchlist": "default", "category": "wanted", "legal_basis": "Order 1",
        "source": "passport", "authorised_by": "Otto", "expires": EXPIRES.isoformat(),
        "picture_hash": "p", "model_sha256": "m",
    }  # fmt: skip
    return {
        "event_id": name, "at": NOW, "issuer": "local", "principal": "", "name": "Eve",
        "roles": [], "kind": "reference.enrolled", "object_kind": "reference", "object_id": name,
        "detail": detail,
    }  # fmt: skip


def test_entries_of_the_previous_version_are_searchable_after_an_upgrade(records_url, monkeypatch):
    """Entries that are already blank are refused, with an act."""
    before = schema.REVISIONS[: schema.REVISIONS.index("0011")]
    with monkeypatch.context() as patch:
        patch.setattr(schema, "REVISIONS", before)
        upgrade(records_url)
        with Records.open(records_url, upgrade=False) as records:
            names = [c for c in tables.references.c if c.name != "entry_hash"]
            of_then = sa.table("watchlist_references", *(sa.column(c.name, c.type) for c in names))
            with records._engine.begin() as connection:
                for position, name in enumerate(AUTHORISERS_OF_THEN, 1):
                    connection.execute(
                        sa.insert(tables.audit_events).values(
                            act_of_then(name) | {"position": position}
                        )
                    )
                    connection.execute(sa.insert(of_then).values(row_of_then(name)))
                count = sa.update(tables.counters).where(tables.counters.c.name == "audit")
                connection.execute(count.values(value=len(AUTHORISERS_OF_THEN)))
    upgrade(records_url)
    with Records.open(records_url, upgrade=False) as records:
        entries = {each.reference_id: each for each in records.watchlist.references()}
        assert entries["a1"].entry_hash == hash_entry("a1", "Ann", "default", "a1" * 32)
        assert records.watchlist.altered_entries(["default"]) == {}
        assert records.watchlist.manifest(["default"]).keys() == {"a1"}
        assert records.control.altered_entries() == {}
        statuses = {name: str(each.status) for name, each in entries.items()}
        assert statuses == {"a1": "active", "b1": "refused", "c1": "refused", "d1": "removed"}
        assert {each.reference_id for each in records.watchlist.awaiting_erasure()} == {"b1", "c1"}
        refused = [each for each in records.audit.all() if each.kind == "reference.refused"]
        assert [(each.position, each.object_id) for each in refused] == [(5, "b1"), (6, "c1")]
        assert "authority was not complete" in str(refused[0].detail["note"])
        change(records, "a1", subject="Mr Innocent")
        assert records.watchlist.altered_entries(["default"], compare_all=True) == {
            "a1": "subject and its hash differ from its enrolment"
        }


@pytest.mark.parametrize(
    "change_of_words",
    [
        {"words": "", "words_salt": ""},
        {"words": '{"subject": "Ann", "source": "hearsay"}'},
        {"words_salt": "0" * 64},
    ],
)
def test_texts_of_an_enrolment_cannot_be_moved_to_another_enrolment(listed, change_of_words):
    """The texts can be erased; the enrolled entry is compared with their hash."""
    with listed._engine.begin() as connection:
        mine = tables.act_words.c.object_id == "a1"
        connection.execute(sa.update(tables.act_words).where(mine).values(change_of_words))
    found = listed.watchlist.altered_entries(["default"], compare_all=True)
    assert found.keys() == {"a1"}
    assert "subject, source" in found["a1"]
    assert listed.watchlist.manifest(["default"]).keys() == {"b1"}


def test_an_entry_changed_back_in_the_database_is_detected_and_then_searchable(listed):
    """Only changed rows are compared, whether or not the version was increased."""
    for _ in range(2):
        change(listed, source="hearsay")
        assert listed.watchlist.altered_entries(["default"], compare_all=True) == {
            "a1": "source differs from its enrolment"
        }
        assert listed.control.altered_entries() == listed.watchlist.altered_entries(["default"])
        change(listed, source="passport")
        assert listed.watchlist.altered_entries(["default"], compare_all=True) == {}
        assert listed.control.altered_entries() == {}
    assert listed.watchlist.altered_entries(["another"], compare_all=True) == {}


def test_a_second_check_compares_only_changed_entries(listed, monkeypatch):
    compared = []
    module = "openlfr.adapters.sql.watchlist_acts"

    def counted(entry, acts):
        compared.append(entry.reference_id)
        return entry_acts.find_alteration(entry, acts)

    assert listed.watchlist.altered_entries(["default"], compare_all=True) == {}
    monkeypatch.setattr(f"{module}.find_alteration", counted)
    assert listed.watchlist.altered_entries(["default"], compare_all=True) == {}
    assert compared == []
    for values in ({"category": "missing"}, {"expires": EXPIRES + timedelta(days=1)}):
        change(listed, "b1", **values)
        assert listed.watchlist.altered_entries(["default"], compare_all=True).keys() == {"b1"}
    assert compared == ["b1", "b1"]
