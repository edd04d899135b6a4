"""The contract of every face embedder; insightface's call of the same file must agree with ours."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from openlfr.adapters.models.catalogue import CATALOGUE, Family
from openlfr.adapters.models.insightface import ArcFace
from openlfr.adapters.models.sface import SFace
from openlfr.adapters.models.store import PreparedModel
from openlfr.domain.errors import BadInput, Misconfigured
from openlfr.domain.templates import check_model
from openlfr.stages.align import align


@pytest.fixture(scope="module")
def through_insightface(model_store):
    """SFace as an operator would configure it: the shipped file, which normalises its input."""
    sface = CATALOGUE[1]
    own = replace(sface, name="own", family=Family.ARCFACE, upstream="", default_threshold=0.4)
    path = model_store.folder / sface.file
    ready = PreparedModel("own", path, path.read_bytes(), sface.sha256, own)
    return ArcFace(ready, providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def sface_on_three_threads(model_store):
    ready = model_store.load("sface")
    return SFace(
        ready,
        providers=["CPUExecutionProvider"],
        threads=3,
        default_threshold=0.4,
    )


@pytest.fixture(params=["sface", "sface_on_three_threads", "through_insightface"])
def embedder(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def faces(yunet, group_photo, astronaut):
    """Return (14, 112, 112, 3) faces: six people, one person, and the same seven mirrored."""
    aligned = [
        align(picture, np.stack([d.landmarks for d in yunet.detect([picture], (1280, 896))[0]]))
        for source in (group_photo, astronaut)
        for picture in (source,)
    ]
    people = np.concatenate(aligned)
    return np.concatenate([people, people[:, :, ::-1]])


def test_templates_are_of_unit_length(embedder, faces):
    templates = embedder.embed(faces)
    assert templates.shape == (14, embedder.facts.dimension)
    assert templates.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(templates, axis=1), 1, atol=1e-6)


def test_a_person_is_nearer_to_themselves_than_to_others(embedder, faces):
    templates = embedder.embed(faces)
    scores = templates[:7] @ templates[7:].T
    assert scores.diagonal().min() > 0.7
    assert scores[~np.eye(7, dtype=bool)].max() < 0.45


def test_a_single_face_yields_the_template_of_any_batch(embedder, faces):
    many = np.concatenate([faces] * 3)  # more than one batch of the network
    together = embedder.embed(many)
    alone = np.concatenate([embedder.embed(face[None]) for face in many])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_no_faces_yield_no_templates(embedder):
    empty = embedder.embed(np.empty((0, 112, 112, 3), np.uint8))
    assert empty.shape == (0, embedder.facts.dimension)
    assert empty.dtype == np.float32


@pytest.mark.parametrize(
    "faces",
    [np.zeros((1, 96, 96, 3), np.uint8), np.zeros((1, 112, 112, 3), np.float32)],
)
def test_an_array_that_is_no_aligned_face_is_bad_input(embedder, faces):
    with pytest.raises(BadInput, match="cannot be embedded"):
        embedder.embed(faces)


def test_facts_identify_the_shipped_file(embedder):
    assert embedder.facts.model_sha256 == CATALOGUE[1].sha256
    assert embedder.facts.dimension == 128
    assert embedder.facts.alignment.startswith("arcface-112, near-and-far")
    assert embedder.facts.default_threshold == 0.4


def test_insightface_yields_the_same_templates_before_the_featureless_part_is_subtracted(
    sface, through_insightface, faces
):
    grey = through_insightface.embed(np.full((1, 112, 112, 3), 128, np.uint8))
    less = through_insightface.embed(faces) - 0.2 * grey
    less /= np.linalg.norm(less, axis=1, keepdims=True)
    assert (sface.embed(faces) * less).sum(axis=1).min() > 0.99999


def test_templates_of_two_methods_are_distinguished(sface, through_insightface):
    with pytest.raises(Misconfigured, match="such templates cannot be compared"):
        check_model(through_insightface.facts, sface.facts, "The store")


def test_poor_faces_of_two_people_are_less_alike_than_the_network_s_output(
    sface, through_insightface, faces
):
    people = faces[:6]
    poor = np.stack([cv2.resize(cv2.resize(f, (14, 14)), (112, 112)) for f in people])
    others = ~np.eye(6, dtype=bool)
    ours, network = (e.embed(poor) for e in (sface, through_insightface))
    assert (ours @ ours.T)[others].mean() < (network @ network.T)[others].mean() - 0.02
