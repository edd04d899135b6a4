"""Which photos may be enrolled, whose face is taken, and what is kept of it."""

import hashlib
from datetime import UTC, date, datetime, timedelta

import cv2
import numpy as np
import pytest

from openlfr.adapters.memory_vault import MemoryVault
from openlfr.adapters.sql import Records
from openlfr.domain.errors import BadInput
from openlfr.domain.faces import Box, Detection
from openlfr.domain.watchlist import EntryStatus, ManifestRow, hash_template
from openlfr.operations.enrol import (
    EnrolmentRules,
    Verdict,
    choose_face,
    enrol,
    examine,
    find_faces,
    outbox_name,
)
from openlfr.operations.evidence import decode

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
RULES = EnrolmentRules()


def face(x, y, side):
    """A face whose box has its centre at (x, y)."""
    box = Box(x - side / 2, y - side / 2, side, side)
    return Detection(box, np.zeros((5, 2), np.float32), 0.9)


@pytest.fixture
def save(tmp_path):
    def write(image, name="photo.png"):
        path = tmp_path / name
        cv2.imwrite(str(path), image)
        return path

    return write


@pytest.mark.parametrize(
    "others",
    [[], [face(150, 100, 30)], [face(160, 100, 40)], [face(20, 20, 90)]],
    ids=["alone", "smaller beside", "as large but aside", "larger in a corner"],
)
def test_takes_the_face_nearest_the_middle(tmp_path, others):
    central = face(100, 100, 50)
    chosen, rest = choose_face([*others, central], 200, 200, tmp_path)
    assert chosen is central
    assert rest == others


@pytest.mark.parametrize(
    "pair",
    [
        [face(70, 100, 50), face(130, 100, 50)],
        [face(100, 100, 50), face(140, 100, 45)],
        [face(100, 100, 20), face(130, 110, 100)],
    ],
    ids=["side by side", "one a little aside", "a larger one behind a small central one"],
)
def test_refuses_two_that_are_equally_large_and_central(tmp_path, pair):
    with pytest.raises(BadInput, match="2 faces are equally large and central"):
        choose_face(pair, 200, 200, tmp_path)


@pytest.mark.parametrize("size", [128, 250, 512, 2000])
def test_finds_the_face_of_a_portrait_of_any_size(yunet, astronaut, size):
    portrait = cv2.resize(astronaut[0:256, 96:352], (size, size))
    assert len(find_faces(portrait, yunet)) == 1


def test_finds_a_face_that_fills_the_picture(yunet, astronaut):
    (found,) = find_faces(astronaut, yunet)
    x, y, w, h = (int(v) for v in found.box)
    (filled,) = find_faces(cv2.resize(astronaut[y : y + h, x : x + w], (600, 800)), yunet)
    assert filled.box.iou(Box(0, 0, 600, 800)) > 0.6


def test_finds_a_small_face_in_a_large_picture(yunet, astronaut):
    street = np.full((2400, 3200, 3), 90, np.uint8)
    street[1000:1256, 1500:1756] = cv2.resize(astronaut[0:256, 96:352], (256, 256))
    assert len(find_faces(street, yunet)) == 1


def test_a_good_photo_gives_a_template_that_finds_the_person(yunet, sface, astronaut, save):
    first = examine(save(astronaut), yunet, sface, RULES)
    smaller = cv2.resize(astronaut[:300, 80:380], (220, 220), interpolation=cv2.INTER_AREA)
    second = examine(save(smaller, "other.jpg"), yunet, sface, RULES)
    assert float(first.template @ second.template) > 0.8
    assert first.warnings == ()


@pytest.fixture
def one_among_others(yunet, group_photo):
    """One person in the middle, others at the edges."""
    central = min(find_faces(group_photo, yunet), key=lambda f: abs(f.box.centre[0] - 640))
    x, y = (int(v) for v in central.box.centre)
    return np.ascontiguousarray(group_photo[max(0, y - 200) : y + 200, max(0, x - 260) : x + 260])


def test_warns_of_others_in_the_picture(yunet, sface, one_among_others, save):
    examined = examine(save(one_among_others), yunet, sface, RULES)
    assert any("the one nearest its middle was taken" in w for w in examined.warnings)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda a: np.full_like(a, 128), "no face was found"),
        (lambda a: cv2.resize(a, (160, 160)), "too small, .* pixels between the eyes where 24"),
        (lambda a: cv2.GaussianBlur(a, (0, 0), 9), "not sharp"),
        (lambda a: np.clip(a * 2.6, 0, 255).astype(np.uint8), "badly exposed"),
        (lambda a: np.hstack([a[:, 60:392], a[:, 60:392]]), "equally large and central"),
    ],
    ids=["no face", "too small", "blurred", "overexposed", "two alike"],
)
def test_refuses_a_poor_photo_with_reason_and_file(yunet, sface, astronaut, save, spoil, says):
    path = save(spoil(astronaut))
    with pytest.raises(BadInput, match=rf"photo\.png: .*{says}"):
        examine(path, yunet, sface, RULES)


def test_refuses_a_photo_below_the_set_quality(yunet, sface, astronaut, save):
    with pytest.raises(BadInput, match="of poor quality"):
        examine(save(astronaut), yunet, sface, EnrolmentRules(min_quality=99))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (lambda jpeg: jpeg[: len(jpeg) // 2], "breaks off"),
        (lambda _: b"", "is empty"),
        (lambda _: b"not a picture", "is no picture"),
        (lambda jpeg: jpeg[:40] + jpeg[-40:], "is no picture|breaks off"),
    ],
    ids=["truncated", "zero bytes", "text", "corrupt"],
)
def test_refuses_a_file_that_is_no_whole_picture(yunet, sface, astronaut, save, content, says):
    path = save(astronaut, "photo.jpg")
    path.write_bytes(content(path.read_bytes()))
    with pytest.raises(BadInput, match=rf"photo\.jpg ({says})"):
        examine(path, yunet, sface, RULES)


@pytest.fixture
def records(tmp_path):
    with Records.open(f"sqlite:///{tmp_path}/openlfr.db") as opened:
        yield opened


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
                rows, watchlist="default", detector=yunet, embedder=sface,
                records=records.watchlist, vault=vault, rules=RULES, now=NOW,
            )
        )  # fmt: skip

    run.vault = vault
    return run


def test_records_entry_act_picture_and_encrypted_template(enrol_rows, records, astronaut, save):
    path = save(astronaut)
    (outcome,) = enrol_rows(row(path))
    assert (outcome.verdict, outcome.line, outcome.reason) == (Verdict.ACCEPTED, 2, "")
    ((entry, sealed),) = records.watchlist.outbox()
    assert entry.reference_id == outcome.reference_id
    assert (entry.subject, entry.status) == ("Ann", EntryStatus.PENDING)
    template = np.frombuffer(
        enrol_rows.vault.unseal(outbox_name(entry.reference_id), sealed), "<f4"
    )
    assert hash_template(template) == entry.template_hash
    (act,) = records.acts.all()
    assert (act.actor, act.act, act.object_id) == ("Eve", "reference.enrolled", entry.reference_id)
    assert act.detail["authorised_by"] == "Otto"
    assert act.detail["picture_hash"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_kept_picture_shows_one_face_and_no_other(
    enrol_rows, records, yunet, one_among_others, save
):
    found = find_faces(one_among_others, yunet)
    (outcome,) = enrol_rows(row(save(one_among_others)))
    assert outcome.verdict is Verdict.ACCEPTED
    (entry,) = records.watchlist.references()
    kept = decode(enrol_rows.vault.get(entry.picture))
    others = [face for face in found if face.box.iou(kept.box) < 0.5]
    assert len(others) == len(found) - 1 > 0
    for other in others:  # too few cells for a face that anybody could know
        assert other.box.w / kept.scene.cell <= 8


def test_the_same_row_again_is_already_listed_and_changes_nothing(
    enrol_rows, records, astronaut, save
):
    path = save(astronaut)
    enrol_rows(row(path))
    before = (records.watchlist.version(), enrol_rows.vault.names())
    (again,) = enrol_rows(row(path))
    assert again.verdict is Verdict.ALREADY_LISTED
    assert "is pending until 2026-05-10 12:00 UTC; remove it first" in again.reason
    assert len(records.watchlist.references()) == 1
    assert enrol_rows.vault.names() == before[1]


def test_a_refused_row_leaves_the_others_alone(enrol_rows, records, astronaut, save, tmp_path):
    path = save(astronaut)
    first, second = enrol_rows(row(tmp_path / "nope.jpg", line=2), row(path, line=3))
    assert (first.verdict, second.verdict) == (Verdict.REFUSED, Verdict.ACCEPTED)
    assert first.reason.startswith("line 2: ")
    assert "nope.jpg cannot be read" in first.reason
    assert len(records.watchlist.references()) == 1
