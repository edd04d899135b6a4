"""An operator's own ArcFace embedder or SCRFD detector, called through insightface.

OpenLFR may use no model that comes with insightface: its packs are for non-commercial research and
contain age and sex heads. Its own loading (which opens any file to find out its kind, and downloads
missing files) is not used. A file that was stated and checked (see `catalogue.py` and `gate.py`) is
opened here, and passed to the class of its family.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from openlfr.adapters.models.catalogue import Family
from openlfr.adapters.models.onnx import batch_factor
from openlfr.adapters.models.onnx_batches import (
    open_for_batches,
    split_interleaved,
    split_rows,
)
from openlfr.adapters.models.sface import check_aligned, unit_length
from openlfr.domain.errors import Misconfigured
from openlfr.domain.faces import Box, Detection
from openlfr.domain.templates import GalleryFacts
from openlfr.stages import align, reference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from openlfr.adapters.models.store import PreparedModel

_SIDE = 112
_MULTIPLE = 32
_FACES_A_RUN = 8  # as for SFace
_PIXELS_A_RUN = 1280 * 736  # as for YuNet


class ArcFace:
    """The `FaceEmbedder` port on an operator's own ArcFace graph.

    Args:
        ready: Model from `ModelStore.load`.
        providers: Providers from `choose_providers`.
        threads: Number of threads inside one operator.

    Raises:
        Misconfigured: The graph cannot be run, or does not take 112x112 faces.
    """

    def __init__(self, ready: PreparedModel, *, providers: Sequence[str], threads: int = 1) -> None:
        from insightface.model_zoo import ArcFaceONNX

        session, split = open_for_batches(
            ready, providers=providers, threads=threads, splits=[split_rows]
        )
        # insightface reads the graph again: from the verified content, not from the file.
        self._model: Any = ArcFaceONNX(model_file=io.BytesIO(ready.content), session=session)
        self._model.model_file = None
        # insightface guesses these from the names of nodes, wrongly for some files.
        self._model.input_mean, self._model.input_std = ready.model.mean, ready.model.std
        if tuple(self._model.input_size) != (_SIDE, _SIDE):
            raise Misconfigured(
                f"{ready.path} takes faces of {self._model.input_size}, not {_SIDE}x{_SIDE}."
            )
        self._faces_a_run = 1 if split is None else _FACES_A_RUN * batch_factor(session)
        blank = np.zeros((1, _SIDE, _SIDE, 3), np.uint8)
        self._facts = GalleryFacts(
            model_name=ready.name,
            model_sha256=ready.sha256,
            dimension=int(self._forward(blank).shape[1]),
            alignment=f"{align.NAME}, {reference.NAME}",
            default_threshold=ready.model.default_threshold,
        )

    @property
    def facts(self) -> GalleryFacts:
        """Facts about all templates of this embedder."""
        return self._facts

    def embed(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed aligned faces.

        Args:
            faces: (n, 112, 112, 3) uint8 BGR, aligned by `stages.align`; n may be 0.

        Returns:
            (n, dimension) float32, each row L2-normalised.

        Raises:
            BadInput: `faces` has another shape or type.
        """
        check_aligned(faces, _SIDE)
        if not len(faces):
            return np.empty((0, self._facts.dimension), np.float32)
        return unit_length(self._forward(faces))

    def _forward(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        size = self._faces_a_run
        runs = [faces[start : start + size] for start in range(0, len(faces), size)]
        outputs: list[NDArray[np.float32]] = [self._model.get_feat(list(run)) for run in runs]
        return np.concatenate(outputs)


_SIDE_AGAIN = 448  # input size of the second search of a picture, pixels
_LEAST_AGAIN = 0.3  # least score of the second search, lower than of the first; not measured


class Scrfd:
    """The `FaceDetector` port on an operator's own SCRFD graph.

    Args:
        ready: Model from `ModelStore.load`.
        providers: Providers from `choose_providers`.
        threads: Number of threads inside one operator.
        min_score: Least score of a returned detection, 0 to 1.

    Raises:
        Misconfigured: The graph cannot be run.
    """

    def __init__(
        self,
        ready: PreparedModel,
        *,
        providers: Sequence[str],
        threads: int = 1,
        min_score: float = 0.5,
    ) -> None:
        from openlfr.adapters.models.scrfd import BatchedScrfd

        session, split = open_for_batches(
            ready, providers=providers, threads=threads, splits=[split_rows, split_interleaved(2)]
        )
        self._model = BatchedScrfd(
            session, split, pixels_a_run=_PIXELS_A_RUN * batch_factor(session)
        )
        self._model.input_mean, self._model.input_std = ready.model.mean, ready.model.std
        self._min_score = min_score
        self._path = ready.path

    def detect(
        self, images: Sequence[NDArray[np.uint8]], input_size: tuple[int, int]
    ) -> list[list[Detection]]:
        """Detect faces, several pictures in one run where the graph allows it (`onnx_batches`).

        Args:
            images: (h, w, 3) uint8 BGR each.
            input_size: (width, height) of the network's input, rounded up to multiples of 32.

        Returns:
            For each picture its detections in source pixels, best score first.

        Raises:
            Misconfigured: The graph has a fixed input size, which differs from `input_size`.
        """
        width, height = (-(-side // _MULTIPLE) * _MULTIPLE for side in input_size)
        fixed = self._model.static_input_size
        if fixed is not None and tuple(fixed) != (width, height):
            # insightface would silently use the fixed size.
            raise Misconfigured(
                f"{self._path} only takes pictures of {fixed[0]}x{fixed[1]}; set every camera's "
                f"input_size to that, not {width}x{height}."
            )
        return self._detect(images, (width, height), self._min_score)

    def detect_again(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Detect all possible faces, at the graph's fixed size or at a small one."""
        width, height = self._model.static_input_size or (_SIDE_AGAIN, _SIDE_AGAIN)
        return self._detect(images, (width, height), _LEAST_AGAIN)

    def _detect(
        self, images: Sequence[NDArray[np.uint8]], size: tuple[int, int], least: float
    ) -> list[list[Detection]]:
        return [
            [
                Detection(Box(left, top, right - left, bottom - top), points, score)
                for (left, top, right, bottom, score), points in zip(
                    boxes.tolist(), landmarks, strict=True
                )
            ]
            for boxes, landmarks in self._model.detect_all(images, size, least)
        ]


def uses_insightface(ready: PreparedModel) -> bool:
    """Whether a model is called through insightface."""
    return ready.model.family in (Family.ARCFACE, Family.SCRFD)
