"""An operator's own ArcFace embedder or SCRFD detector, called through insightface.

OpenLFR may not use the models that insightface distributes: they are for non-commercial research,
and include models that guess age and sex. The library's loader is not used either, since it opens
any file to find its kind, and downloads missing files. This module opens a file that was declared
and checked (see `catalogue.py` and `gate.py`), and passes it to insightface's class of its family.
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
from openlfr.adapters.models.sface import check_aligned, normalise_rows
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
_FACES_PER_RUN = 8  # as for SFace
_PIXELS_PER_RUN = 1280 * 736  # as for YuNet


class ArcFace:
    """The `FaceEmbedder` port on an operator's own ArcFace graph.

    Args:
        ready: Model from `ModelStore.load`.
        providers: Providers from `choose_providers`.
        threads: Number of threads inside one operator.

    Raises:
        Misconfigured: The graph cannot be run, or its input is not a face of 112x112 pixels.
    """

    def __init__(self, ready: PreparedModel, *, providers: Sequence[str], threads: int = 1) -> None:
        from insightface.model_zoo import ArcFaceONNX

        session, split = open_for_batches(
            ready, providers=providers, threads=threads, splits=[split_rows]
        )
        # insightface parses the graph again, so pass the verified content and not the file.
        self._model: Any = ArcFaceONNX(model_file=io.BytesIO(ready.content), session=session)
        self._model.model_file = None
        # insightface guesses mean and std from the names of nodes, wrongly for some files.
        self._model.input_mean, self._model.input_std = ready.model.mean, ready.model.std
        if tuple(self._model.input_size) != (_SIDE, _SIDE):
            raise Misconfigured(
                f"{ready.path} requires faces of {self._model.input_size} pixels; OpenLFR's are "
                f"{_SIDE}x{_SIDE}."
            )
        self._faces_per_run = 1 if split is None else _FACES_PER_RUN * batch_factor(session)
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
        """Properties that all templates of this embedder share."""
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
        return normalise_rows(self._forward(faces))

    def _forward(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        size = self._faces_per_run
        runs = [faces[start : start + size] for start in range(0, len(faces), size)]
        outputs: list[NDArray[np.float32]] = [self._model.get_feat(list(run)) for run in runs]
        return np.concatenate(outputs)


_SIDE_AGAIN = 448  # input size of the second search of a picture, pixels
_MIN_SCORE_AGAIN = 0.3  # of the second search, lower than of the first; not measured


class Scrfd:
    """The `FaceDetector` port on an operator's own SCRFD graph.

    Args:
        ready: Model from `ModelStore.load`.
        providers: Providers from `choose_providers`.
        threads: Number of threads inside one operator.
        min_score: Minimum score of a returned detection, 0 to 1.

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
            session, split, pixels_per_run=_PIXELS_PER_RUN * batch_factor(session)
        )
        self._model.input_mean, self._model.input_std = ready.model.mean, ready.model.std
        self._min_score = min_score
        self._path = ready.path

    def detect(
        self, images: Sequence[NDArray[np.uint8]], input_size: tuple[int, int]
    ) -> list[list[Detection]]:
        """Detect faces; several pictures per run if the graph accepts batches (`onnx_batches`).

        Args:
            images: (h, w, 3) uint8 BGR each.
            input_size: (width, height) of the network's input, rounded up to multiples of 32.

        Returns:
            The detections of each picture in its own pixels, best score first.

        Raises:
            Misconfigured: The graph has a fixed input size that differs from `input_size`.
        """
        width, height = (-(-side // _MULTIPLE) * _MULTIPLE for side in input_size)
        fixed = self._model.static_input_size
        if fixed is not None and tuple(fixed) != (width, height):
            # insightface would silently use the fixed size.
            raise Misconfigured(
                f"{self._path} only accepts pictures of {fixed[0]}x{fixed[1]}; set every camera's "
                f"input_size to this size, not {width}x{height}."
            )
        return self._detect(images, (width, height), self._min_score)

    def detect_again(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Detect all possible faces, at the graph's fixed size or at a small size."""
        width, height = self._model.static_input_size or (_SIDE_AGAIN, _SIDE_AGAIN)
        return self._detect(images, (width, height), _MIN_SCORE_AGAIN)

    def _detect(
        self, images: Sequence[NDArray[np.uint8]], size: tuple[int, int], min_score: float
    ) -> list[list[Detection]]:
        return [
            [
                Detection(Box(left, top, right - left, bottom - top), points, score)
                for (left, top, right, bottom, score), points in zip(
                    boxes.tolist(), landmarks, strict=True
                )
            ]
            for boxes, landmarks in self._model.detect_all(images, size, min_score)
        ]


def uses_insightface(ready: PreparedModel) -> bool:
    """Return whether a model is called through insightface."""
    return ready.model.family in (Family.ARCFACE, Family.SCRFD)
