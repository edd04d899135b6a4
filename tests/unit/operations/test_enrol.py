"""The record of a manifest row, and the stored picture of its photo."""

import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from openlfr.adapters.memory.records import MemoryRecords
from openlfr.adapters.memory.vault import MemoryVault
from openlfr.domain.errors import NotAllowed
from openlfr.domain.principals import Principal, Role, local_principal
from openlfr.domain.templates import hash_template
from openlfr.domain.watchlist import EntryStatus, ManifestRow
from openlfr.operations.enrol import Enrolment, RowResult, enrol, outbox_name
from openlfr.operations.evidence import decode
from openlfr.operations.examine import EnrolmentRules, find_faces
from openlfr.stages.obscure import FACE_CELLS

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
RULES = EnrolmentRules()


@pytest.fixture
def records():
    return MemoryRecords()


def row(image, line=2, subject="Ann"):
    expires = NOW + timedelta(days=9)
    return ManifestRow(
        line, subject, str(image), "wanted", "Order 1", "passport", date(2025, 1, 2), "Eve",
        "Otto", expires,
    )  # fmt: skip


@pytest.fixture
def enrol_rows(yunet, sface, records):
    vault = MemoryVault()

    def run(*rows):
        return list(
            enrol(
                rows,
                Enrolment("default", yunet, sface, RULES),
                records=records,
                vault=vault,
                by=local_principal("eve-account"),
                now=NOW,
            )
        )

    run.vault = vault
    return run


def test_records_entry_act_picture_and_encrypted_template(enrol_rows, records, astronaut, save):
    path = save(astronaut)
    (outcome,) = enrol_rows(row(path))
    assert (outcome.result, outcome.line, outcome.reason) == (RowResult.ACCEPTED, 2, "")
    ((entry, sealed),) = records.watchlist.outbox()
    assert entry.reference_id == outcome.reference_id
    assert (entry.subject, entry.status) == ("Ann", EntryStatus.PENDING)
    template = np.frombuffer(
        enrol_rows.vault.unseal(outbox_name(entry.reference_id), sealed), "<f4"
    )
    assert hash_template(template) == entry.template_hash
    (act,) = records.audit.all()
    assert (act.kind, act.object_id) == ("reference.enrolled", entry.reference_id)
    assert (act.by.issuer, act.by.subject, act.by.name) == ("local", "eve-account", "Eve")
    assert act.detail["authorised_by"] == "Otto"
    assert act.detail["picture_hash"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_stored_picture_shows_only_one_face(enrol_rows, records, yunet, one_among_others, save):
    found = find_faces(one_among_others, yunet)
    (outcome,) = enrol_rows(row(save(one_among_others)))
    assert outcome.result is RowResult.ACCEPTED
    (entry,) = records.watchlist.references()
    kept = decode(enrol_rows.vault.get(entry.picture))
    assert len(found) > 1
    assert max(kept.scene.small.shape[:2]) <= FACE_CELLS  # of the whole photo


def test_a_repeated_row_is_already_listed_and_changes_nothing(enrol_rows, records, astronaut, save):
    path = save(astronaut)
    enrol_rows(row(path))
    before = (records.watchlist.version(), enrol_rows.vault.names())
    (again,) = enrol_rows(row(path))
    assert again.result is RowResult.ALREADY_LISTED
    assert "is pending until 2026-05-10 12:00 UTC; remove it first" in again.reason
    assert len(records.watchlist.references()) == 1
    assert enrol_rows.vault.names() == before[1]


def test_of_two_imports_at_once_one_lists_a_picture(
    enrol_rows, records, astronaut, save, monkeypatch
):
    path, put = save(astronaut), enrol_rows.vault.put

    def meanwhile(name, content):
        monkeypatch.setattr(enrol_rows.vault, "put", put)
        (faster,) = enrol_rows(row(path))  # another terminal, while this one looked for the face
        assert faster.result is RowResult.ACCEPTED
        put(name, content)

    monkeypatch.setattr(enrol_rows.vault, "put", meanwhile)
    (slower,) = enrol_rows(row(path))
    assert slower.result is RowResult.ALREADY_LISTED
    (entry,) = records.watchlist.references()
    assert slower.reference_id == entry.reference_id
    assert enrol_rows.vault.names() == [entry.picture]
    assert [act.kind for act in records.audit.all()] == ["reference.enrolled"]


def test_a_refused_row_leaves_the_others_alone(enrol_rows, records, astronaut, save, tmp_path):
    path = save(astronaut)
    first, second = enrol_rows(row(tmp_path / "nope.jpg", line=2), row(path, line=3))
    assert (first.result, second.result) == (RowResult.REFUSED, RowResult.ACCEPTED)
    assert first.reason.startswith("line 2: ")
    assert "nope.jpg does not exist" in first.reason
    assert len(records.watchlist.references()) == 1


@pytest.mark.parametrize("roles", [{Role.SUPERVISOR}, set(Role)], ids=["supervisor", "every role"])
def test_a_logged_in_importer_cannot_state_an_authorisation_in_a_file(
    yunet, sface, records, astronaut, save, roles
):
    vault = MemoryVault()
    sue = Principal("https://idp.example", "sue", "Sue Super", frozenset(roles))
    stated = replace(row(save(astronaut)), enrolled_by="Bob Puppet", authorised_by="Sue Super")
    for each in (stated, row(save(astronaut))):  # by herself, and by somebody else
        import_of_one = enrol(
            [each],
            Enrolment("default", yunet, sface, RULES),
            records=records,
            vault=vault,
            by=sue,
            now=NOW,
        )
        with pytest.raises(NotAllowed, match=r"Sue Super may not .* line 2 .*role authoriser"):
            list(import_of_one)
    assert (records.watchlist.outbox(), vault.names(), records.audit.all()) == ([], [], [])
