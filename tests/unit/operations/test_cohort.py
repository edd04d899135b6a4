"""Nobody who is listed walks in a calibration, and nobody walks as two people."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from tests.enrolling import add_entry

from openlfr.adapters.memory.records import MemoryRecords
from openlfr.adapters.memory.template_store import MemoryTemplateStore
from openlfr.domain.errors import BadInput
from openlfr.domain.templates import GalleryFacts, StoredTemplate, hash_template
from openlfr.domain.watchlist import EntryStatus, GalleryDecision, Reference
from openlfr.operations import cohort

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
FACTS = GalleryFacts("sface", "a" * 64, 4, "arcface-112", 0.4)
EMBEDDER = SimpleNamespace(facts=FACTS)


def vector(*values: float):
    row = np.array(values, np.float32)
    return (row / np.linalg.norm(row)).astype(np.float32)


FACES = {
    "listed": vector(1, 0, 0, 0),
    "copy": vector(1, 0.5, 0, 0),  # 0.89
    "alike": vector(1, 1.4, 0, 0),  # 0.58: a stranger who resembles somebody
    "zoe": vector(0, 0, 1, 0),
    "zoe again": vector(0, 0, 1, 0.2),
    "yan": vector(0, 0, 0, 1),
}


@pytest.fixture(autouse=True)
def photos(monkeypatch):
    """Each photo shows the face that its file is named for; an unknown name shows no face."""

    def examine(path, *_):
        if path.stem not in FACES:
            raise BadInput(f"{path}: no face was found.")
        return SimpleNamespace(template=FACES[path.stem], picture_hash=f"hash of {path.stem}")

    monkeypatch.setattr(cohort, "examine", examine)


def listed(status=EntryStatus.ACTIVE, watchlist="default"):
    records, templates = MemoryRecords(), MemoryTemplateStore(FACTS)
    hashed = hash_template(FACES["listed"])
    entry = Reference(
        "r1", watchlist, "José Listed", "wanted", "Order 1", "passport", date(2025, 1, 2), "Eve",
        "Otto", NOW + timedelta(days=9), EntryStatus.PENDING, hashed, "references/r1", 70.0,
    )  # fmt: skip
    with records.unit_of_work() as work:
        add_entry(work, entry, at=NOW)
        if status is not EntryStatus.PENDING:
            work.watchlist.settle([GalleryDecision("r1", EntryStatus.ACTIVE, "")], NOW)
        if status is EntryStatus.SUSPENDED:
            work.watchlist.change_subject_status(entry.subject, None, status, NOW)
    templates.put([StoredTemplate("r1", watchlist, entry.subject, hashed, FACES["listed"])])
    return records, templates


def select(people, records, templates):
    return cohort.select_people(
        {name: [Path(f"{photo}.jpg") for photo in photos] for name, photos in people.items()},
        records=records, templates=templates, detector=None, embedder=EMBEDDER,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("people", "walking", "reasons"),
    [
        ({"Zoe": ["zoe"], "Yan": ["yan"]}, ["Zoe", "Yan"], {}),
        ({"Zoe": ["zoe", "bad"]}, ["Zoe"], {}),
        ({"Zoe": ["bad"]}, [], {"Zoe": "no face was found"}),
        ({"Jose_Listed": ["zoe"]}, [], {"Jose_Listed": "José Listed is on the list"}),
        ({"LISTED, José": ["zoe"]}, [], {"LISTED, José": "José Listed is on the list"}),
        ({"Jo": ["copy"]}, [], {"Jo": "same picture as one of José Listed, who is on the list"}),
        ({"Jo": ["zoe", "copy"]}, [], {"Jo": "same picture as one of José Listed"}),
        ({"Jo": ["alike"]}, ["Jo"], {}),
        ({"Zoe": ["zoe"], "Zo": ["zoe again"]}, ["Zoe"], {"Zo": "picture as one of Zoe in this"}),
        ({"Zoe": ["zoe", "zoe again"]}, ["Zoe"], {}),
    ],
)
def test_listed_people_and_copies_are_left_out_and_named(people, walking, reasons):
    selected = select(people, *listed())
    assert list(selected.photos) == walking
    assert selected.left_out.keys() == reasons.keys()
    for name, reason in reasons.items():
        assert reason in selected.left_out[name]


@pytest.mark.parametrize("status", [EntryStatus.PENDING, EntryStatus.SUSPENDED])
def test_pending_and_suspended_people_are_listed_too(status):
    assert "José_Listed" in select({"José_Listed": ["zoe"]}, *listed(status)).left_out


def test_the_digest_depends_on_the_photos_and_not_on_names():
    one = select({"Zoe": ["zoe"], "Yan": ["yan"]}, *listed())
    same = select({"A": ["yan"], "B": ["zoe"]}, *listed())
    other = select({"Zoe": ["zoe"]}, *listed())
    assert one.photos_sha256 == same.photos_sha256 != other.photos_sha256
