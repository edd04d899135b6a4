"""Evidence comes back as it was stored, and its pictures show one face in clear."""

from datetime import UTC, datetime

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from openlfr.domain.errors import BadInput
from openlfr.domain.evidence import Evidence, Scene
from openlfr.domain.faces import Box
from openlfr.operations.evidence import (
    compose,
    decode,
    encode,
    evidence_name,
    read_storage_time,
    render_scene,
    to_data_url,
    to_jpeg,
)
from openlfr.stages.mask import mask
from openlfr.stages.obscure import cut_picture, shrink

FACE = Box(170.5, 60.2, 105.0, 130.0)


def evidence_with(image: np.ndarray, box: Box) -> Evidence:
    kept = mask(cut_picture(image, shrink(image), box, []), [])
    assert kept is not None
    return kept


@pytest.fixture
def picture() -> np.ndarray:
    return np.ascontiguousarray(astronaut()[..., ::-1])


@pytest.fixture
def evidence(picture: np.ndarray) -> Evidence:
    return evidence_with(picture, FACE)


def test_evidence_survives_the_vault_without_loss(evidence: Evidence) -> None:
    back = decode(encode(evidence))
    assert np.array_equal(back.face, evidence.face)
    assert np.array_equal(back.scene.small, evidence.scene.small)
    assert (back.box, back.scene.cell) == (evidence.box, evidence.scene.cell)
    assert (back.scene.width, back.scene.height) == (512, 512)


def test_evidence_of_an_older_version_is_still_read() -> None:
    """Eight cells a face, and no margin: what stood in a vault before."""
    face, scene = np.full((130, 105, 3), 90, np.uint8), np.full((22, 22, 3), 60, np.uint8)
    box = Box(170, 60, 105, 130)
    old = decode(encode(Evidence(Scene(scene, 24, 512, 512), face, box)))
    assert (old.box, old.scene.cell) == (box, 24)
    assert render_scene(old).shape == (512, 512, 3)
    assert compose(old, None, captions=("a", "b")).size


def test_the_time_of_storage_can_be_read(evidence: Evidence) -> None:
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert read_storage_time(encode(evidence, kept_at=noon)) == noon


def test_evidence_contains_little_more_than_the_face(evidence: Evidence) -> None:
    assert len(encode(evidence)) < evidence.face.nbytes + evidence.scene.small.nbytes + 1000


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:3],
        lambda content: content[:60],
        lambda content: content[:-200],
        lambda content: b"XXXXX" + content[5:],
        lambda content: content.replace(b'"cell": ', b'"sell": '),
        lambda content: content.replace(b'"size": [512', b'"size": [812'),
    ],
)
def test_bytes_that_are_no_evidence_are_bad_input(evidence: Evidence, damage) -> None:
    with pytest.raises(BadInput, match=r"no evidence|cannot be read"):
        decode(damage(encode(evidence)))


def test_only_the_matched_face_of_a_scene_is_unmasked(
    picture: np.ndarray, evidence: Evidence
) -> None:
    shown = render_scene(evidence)
    assert shown.shape == picture.shape
    x, y, w, h = map(int, evidence.box)
    assert np.array_equal(shown[y : y + h, x : x + w], picture[y : y + h, x : x + w])
    outside = np.ones(shown.shape[:2], bool)
    outside[y - 4 : y + h + 4, x - 4 : x + w + 4] = False
    detail = np.abs(cv2.Laplacian(picture, cv2.CV_32F)).max(2) > 60
    cells = np.zeros_like(outside)  # pixels whose right and lower neighbour share their cell
    c = evidence.scene.cell
    yy, xx = np.mgrid[:512, :512]
    cells[(yy % c > 0) & (yy % c < c - 1) & (xx % c > 0) & (xx % c < c - 1)] = True
    assert (detail & outside & cells).sum() > 1000
    left = np.abs(cv2.Laplacian(shown, cv2.CV_32F)).max(2) > 0
    assert not (left & outside & cells).any()


@pytest.mark.parametrize("box", [Box(-10, -10, 80, 90), Box(470, 440, 90, 90)])
def test_a_face_at_the_edge_can_be_displayed(picture: np.ndarray, box: Box) -> None:
    edge = evidence_with(picture, box)
    assert render_scene(edge).shape == picture.shape


@pytest.mark.parametrize("reference", [True, False])
def test_the_probe_is_beside_the_reference(
    picture: np.ndarray, evidence: Evidence, reference: bool
) -> None:
    page = compose(evidence, picture if reference else None, captions=("gate 12:00", "Ánn, wanted"))
    assert page.dtype == np.uint8
    assert page.shape[1] >= 512
    assert page.shape[0] > 512 + 320
    again = cv2.imdecode(np.frombuffer(to_jpeg(page), np.uint8), cv2.IMREAD_COLOR)
    assert again.shape == page.shape
    assert to_data_url(page).startswith("data:image/jpeg;base64,/9j/")


def test_a_large_scene_is_shrunk_to_fit_a_screen() -> None:
    picture = np.zeros((2160, 3840, 3), np.uint8)
    box = Box(100, 100, 200, 200)
    page = compose(evidence_with(picture, box), None, captions=("a", "b"))
    assert page.shape[1] <= 1280 + 32


def test_names_distinguish_evidence_from_reference_pictures() -> None:
    assert evidence_name("abc") == "evidence/abc"
