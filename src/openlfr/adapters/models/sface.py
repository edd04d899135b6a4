"""SFace, a face embedder of 128 dimensions, on ONNX Runtime.

Zhong et al., "SFace: Sigmoid-Constrained Hypersphere Loss for Robust Face Recognition", IEEE
Transactions on Image Processing 30 (2021).

The poorer the picture of a face, the closer is its template to the template of a featureless grey
picture. So poor faces of two people are similar. Therefore a share of the featureless template is
subtracted from every template. This correction does not depend on a person or a watchlist. Source:
Deng and others, "Harnessing Unrecognizable Faces for Improving Face Recognition", WACV 2023. The
share was chosen on simulated streets (docs/adr/0022).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openlfr.adapters.models.onnx import batch_factor, open_session
from openlfr.adapters.models.onnx_graph import PICTURES
from openlfr.adapters.models.parallel_calls import ParallelCalls
from openlfr.domain.errors import BadInput
from openlfr.domain.templates import GalleryFacts
from openlfr.stages import align, reference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from openlfr.adapters.models.store import PreparedModel

ALIGNMENT = f"{align.NAME}, {reference.NAME}, less-featureless"
DIMENSION = 128
_SIDE = 112
FEATURELESS_SHARE = 0.2
"""Share of the featureless template that is subtracted."""
_GREY = 128
_FACES_PER_RUN = 8  # batch size on a CPU; 32 cost 100 MB more and are no faster


class SFace:
    """The `FaceEmbedder` port on a prepared SFace graph.

    Args:
        ready: Model from `ModelStore.load`.
        providers: Providers from `choose_providers`.
        threads: Number of batches that are embedded in parallel on a CPU.
        default_threshold: Threshold of scores without calibration.

    Raises:
        Misconfigured: The file is no graph that ONNX Runtime can run.
    """

    def __init__(
        self,
        ready: PreparedModel,
        *,
        providers: Sequence[str],
        threads: int = 1,
        default_threshold: float,
    ) -> None:
        self._session = open_session(ready.content, providers=providers, path=ready.path)
        self._calls = ParallelCalls(self._session, threads)
        self._faces_per_run = _FACES_PER_RUN * batch_factor(self._session)
        self._facts = GalleryFacts(
            model_name="sface",
            model_sha256=ready.sha256,
            dimension=DIMENSION,
            alignment=ALIGNMENT,
            default_threshold=default_threshold,
        )

        grey = np.full((1, _SIDE, _SIDE, 3), _GREY, np.uint8)
        self._featureless = FEATURELESS_SHARE * normalise_rows(self._run(grey))

    @property
    def facts(self) -> GalleryFacts:
        """Properties that all templates of this embedder share."""
        return self._facts

    @property
    def providers(self) -> list[str]:
        """Providers that run the network, in order of preference."""
        names: list[str] = self._session.get_providers()
        return names

    def embed(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed aligned faces.

        Args:
            faces: (n, 112, 112, 3) uint8 BGR, aligned by `stages.align`; n may be 0.

        Returns:
            (n, 128) float32, each row L2-normalised.

        Raises:
            BadInput: `faces` has another shape or type.
        """
        check_aligned(faces, _SIDE)
        if not len(faces):
            return np.empty((0, DIMENSION), np.float32)
        return normalise_rows(normalise_rows(self._run(faces)) - self._featureless)

    def _run(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Run the network for n >= 1 faces."""
        size = min(self._faces_per_run, -(-len(faces) // self._calls.parallel))
        parts = [faces[start : start + size] for start in range(0, len(faces), size)]
        outputs = self._calls.map(lambda part: self._session.run(None, {PICTURES: part})[0], parts)
        return np.concatenate(outputs)


def check_aligned(faces: NDArray[np.uint8], side: int) -> None:
    """Check the shape and type of aligned faces.

    Raises:
        BadInput: The faces are not (n, side, side, 3) uint8.
    """
    if faces.shape[1:] != (side, side, 3) or faces.dtype != np.uint8:
        raise BadInput(
            f"Faces of shape {faces.shape} and type {faces.dtype} cannot be embedded; they must "
            f"be (n, {side}, {side}, 3) of uint8."
        )


def normalise_rows(templates: NDArray[np.float32]) -> NDArray[np.float32]:
    """Divide each row by its Euclidean length."""
    lengths = np.linalg.norm(templates, axis=1, keepdims=True)
    result: NDArray[np.float32] = templates / np.maximum(lengths, np.finfo(np.float32).tiny)
    return result
