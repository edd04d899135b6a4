"""Templates of enrolled photos, with the real embedder."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from openlfr.stages.align import align
from openlfr.stages.reference import reference_templates


@pytest.fixture(scope="module")
def people(yunet, group_photo):
    """Return (6, 112, 112, 3) faces of six people."""
    found = yunet.detect([group_photo], (1280, 896))[0]
    return align(group_photo, np.stack([face.landmarks for face in found]))


def as_small_as(pixels, faces):
    """Return faces as a camera records them: small and compressed."""
    small = [cv2.resize(face, (pixels, pixels), interpolation=cv2.INTER_AREA) for face in faces]
    seen = [cv2.imdecode(cv2.imencode(".jpg", face, [1, 60])[1], 1) for face in small]
    return np.stack([cv2.resize(face, (112, 112)) for face in seen])


def test_distant_faces_are_nearer_to_the_reference_template_than_to_the_photo_alone(sface, people):
    references = reference_templates(people, sface)
    alone = sface.embed(people)
    for pixels in (16, 20, 24):
        probes = sface.embed(as_small_as(pixels, people))
        assert (probes * references).sum(axis=1).mean() > (probes * alone).sum(axis=1).mean() + 0.03


def test_good_faces_still_match_their_own_reference(sface, people):
    references = reference_templates(people, sface)
    scores = sface.embed(people[:, :, ::-1]) @ references.T
    assert scores.diagonal().min() > 0.6
    assert scores[~np.eye(len(people), dtype=bool)].max() < 0.45


def test_a_single_photo_yields_the_template_of_any_batch(sface, people):
    alone = np.concatenate([reference_templates(photo[None], sface) for photo in people])
    np.testing.assert_allclose(reference_templates(people, sface), alone, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(alone, axis=1), 1, atol=1e-6)
