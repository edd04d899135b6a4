"""An operator's own ArcFace embedder or SCRFD detector, called through insightface.

Nothing comes with insightface that OpenLFR may use: its packs are for non-commercial research and
contain age and sex heads. So its routing (which loads a file to find out what it is, and fetches
what it does not find) is passed by: a file that was stated and checked (see `model_catalogue` and
`model_gate`) is opened here, and handed to the one class that its family needs.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from openlfr.adapters.models.catalogue import Family
from openlfr.adapters.models.onnx import batch_factor
from openlfr.adapters.models.onnx_batches import first_axis, interleaved, open_for_batches
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
    """The `FaceEmbedder` port on an ArcFace graph of the operator's.

    Args:
        ready: As `ModelStore.load` gave it.
        providers: As `choose_providers` gave them.
        threads: Inside one operator.

    Raises:
        Misconfigured: The graph cannot be run, or does not take 112x112 faces.
    """

    def __init__(self, ready: PreparedModel, *, providers: Sequence[str], threads: int = 1) -> None:
        from insightface.model_zoo import ArcFaceONNX

        session, split = open_for_batches(
            ready, providers=providers, threads=threads, splits=[first_axis]
        )
        # It reads its graph again, so it is given what was verified, not the file.
        self._model: Any = ArcFaceONNX(model_file=io.BytesIO(ready.content), session=session)
        self._model.model_file = None
        # It guesses these from the names of nodes, wrongly for some files.
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
        """What every template of this embedder has in common."""
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
        answers: list[NDArray[np.float32]] = [self._model.get_feat(list(run)) for run in runs]
        return np.concatenate(answers)


_SIDE_AGAIN = 448  # pixels of the input when a picture is searched again, and
_LEAST_AGAIN = 0.3  # the confidence, lower than for detecting; nobody has measured it


class Scrfd:
    """The `FaceDetector` port on an SCRFD graph of the operator's.

    Args:
        ready: As `ModelStore.load` gave it.
        providers: As `choose_providers` gave them.
        threads: Inside one operator.
        min_score: Detections below it are not returned, 0 to 1.

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
            ready, providers=providers, threads=threads, splits=[first_axis, interleaved(2)]
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
            input_size: (width, height) of the network's input, grown to multiples of 32.

        Returns:
            For each picture its detections in source pixels, best score first.

        Raises:
            Misconfigured: The graph has one fixed input size and this is another.
        """
        width, height = (-(-side // _MULTIPLE) * _MULTIPLE for side in input_size)
        fixed = self._model.static_input_size
        if fixed is not None and tuple(fixed) != (width, height):
            # insightface would use the fixed one and say nothing.
            raise Misconfigured(
                f"{self._path} only takes pictures of {fixed[0]}x{fixed[1]}; set every camera's "
                f"input_size to that, not {width}x{height}."
            )
        return self._detect(images, (width, height), self._min_score)

    def detect_again(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Detect whatever may be a face, in the one size that the graph takes or a small one."""
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
    """Whether this model is called through insightface."""
    return ready.model.family in (Family.ARCFACE, Family.SCRFD)
