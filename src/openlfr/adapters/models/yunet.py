"""YuNet, a small face detector with five landmarks, on ONNX Runtime.

Wu, Peng and Yu, "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research
20 (2023). For every cell of three grids (strides 8, 16 and 32) the network computes the likelihood
of a face (cls), the fit of the face's box (obj), and box and landmarks relative to the cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from openlfr.adapters.models.onnx import batch_factor, open_session
from openlfr.adapters.models.onnx_graph import PICTURES
from openlfr.adapters.models.parallel_calls import ParallelCalls
from openlfr.domain.errors import BadInput
from openlfr.domain.faces import Box, Detection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from openlfr.adapters.models.store import PreparedModel

STRIDES = (8, 16, 32)
_MULTIPLE = 32  # the network halves the picture five times
_OVERLAP = 0.3  # intersection over union above which two boxes are one face
_SIDE_AGAIN = 320  # input size of the second search of a picture, pixels
_MIN_SCORE_AGAIN = 0.3  # of the second search; benchmarks.masking counts missed faces
_PIXELS_PER_RUN = 1280 * 736  # on a CPU; four times as many cost 300 MB more and are no faster


class YuNet:
    """The `FaceDetector` port on a prepared YuNet graph.

    Args:
        ready: Model from `ModelStore.load`.
        providers: Providers from `choose_providers`.
        threads: Number of batches that are searched in parallel on a CPU.
        min_score: Minimum score of a returned detection, 0 to 1.

    Raises:
        Misconfigured: The file is no graph that ONNX Runtime can run.
    """

    def __init__(
        self,
        ready: PreparedModel,
        *,
        providers: Sequence[str],
        threads: int = 1,
        min_score: float = 0.5,
    ) -> None:
        self._session = open_session(ready.content, providers=providers, path=ready.path)
        self._calls = ParallelCalls(self._session, threads)
        self._pixels_per_run = _PIXELS_PER_RUN * batch_factor(self._session)
        self._min_score = min_score
        kinds = ("cls", "obj", "bbox", "kps")
        self._outputs = [f"{kind}_{stride}" for stride in STRIDES for kind in kinds]

    @property
    def providers(self) -> list[str]:
        """Providers that run the network, in order of preference."""
        names: list[str] = self._session.get_providers()
        return names

    def detect(
        self, images: Sequence[NDArray[np.uint8]], input_size: tuple[int, int]
    ) -> list[list[Detection]]:
        """Detect faces; pictures with the same fitted shape are searched in one batch.

        Args:
            images: (h, w, 3) uint8 BGR each; sizes may differ.
            input_size: (width, height) into which each picture is fitted; its aspect is retained.

        Returns:
            The detections of each picture in its own pixels, best score first.

        Raises:
            BadInput: A picture is not (h, w, 3) uint8.
        """
        return self._detect(images, input_size, self._min_score)

    def detect_again(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Detect all possible faces, as the port describes.

        Raises:
            BadInput: A picture is not (h, w, 3) uint8.
        """
        return self._detect(images, (_SIDE_AGAIN, _SIDE_AGAIN), _MIN_SCORE_AGAIN)

    def _detect(
        self, images: Sequence[NDArray[np.uint8]], input_size: tuple[int, int], min_score: float
    ) -> list[list[Detection]]:
        fits = [_Fit.of(image, input_size) for image in images]
        by_shape: dict[tuple[int, int], list[int]] = {}
        for index, fit in enumerate(fits):
            by_shape.setdefault(fit.shape, []).append(index)
        batches: list[list[int]] = []
        for (height, width), members in by_shape.items():
            size = max(1, self._pixels_per_run // (height * width))
            size = min(size, -(-len(members) // self._calls.parallel))
            batches += [members[start : start + size] for start in range(0, len(members), size)]

        def run_batch(batch: list[int]) -> list[list[Detection]]:
            pictures = fit_pictures([images[index] for index in batch], input_size)
            grids = self._session.run(self._outputs, {PICTURES: pictures})
            width = pictures.shape[2]
            return [
                self._decode([grid[row] for grid in grids], width, fits[index].scale, min_score)
                for row, index in enumerate(batch)
            ]

        by_image: list[list[Detection]] = [[] for _ in images]
        for batch, detections in zip(batches, self._calls.map(run_batch, batches), strict=True):
            for index, of_image in zip(batch, detections, strict=True):
                by_image[index] = of_image
        return by_image

    def _decode(
        self,
        grids: Sequence[NDArray[np.float32]],
        width: int,
        scale: tuple[float, float],
        min_score: float,
    ) -> list[Detection]:
        """Compute detections from one picture's grids.

        The score is sqrt(cls * obj). So that only a few dozen of 20,000 cells need a root, cells
        are first selected by the product and the squared minimum.
        """
        parts: list[NDArray[np.float32]] = []
        for level, stride in enumerate(STRIDES):
            cls, obj, bbox, kps = grids[4 * level : 4 * level + 4]
            product = cls[:, 0] * obj[:, 0]
            cells = np.flatnonzero(product >= min_score * min_score)
            if not cells.size:
                continue
            row, column = np.divmod(cells, width // stride)
            origin = np.stack([column, row], axis=1).astype(np.float32)
            faces = np.empty((cells.size, 15), np.float32)
            offsets = bbox[cells]
            extent = np.exp(offsets[:, 2:])
            faces[:, 0:2] = origin + offsets[:, :2] - extent / 2
            faces[:, 2:4] = extent
            faces[:, 4:14] = kps[cells] + np.tile(origin, 5)
            faces[:, :14] *= stride
            faces[:, 14] = np.sqrt(product[cells])
            parts.append(faces)
        if not parts:
            return []
        faces = np.concatenate(parts)
        # OpenCV needs a third of numpy's time for a crowd of 18 faces. Best score first.
        indices = cv2.dnn.NMSBoxes(  # its stub does not accept arrays
            faces[:, :4],  # type: ignore[arg-type]
            faces[:, 14],  # type: ignore[arg-type]
            0.0,
            _OVERLAP,
        )
        faces = faces[indices]
        faces[:, :14] /= np.tile(np.asarray(scale, np.float32), 7)
        landmarks = faces[:, 4:14].reshape(-1, 5, 2)
        return [
            Detection(Box(*box), points, score)
            for box, points, score in zip(
                faces[:, :4].tolist(), landmarks, faces[:, 14].tolist(), strict=True
            )
        ]


@dataclass(frozen=True, slots=True)
class _Fit:
    """Scaling and padding of a picture for the network.

    Attributes:
        inner: (height, width) of the scaled picture, pixels.
        shape: (height, width) with padding, multiples of 32.
        scale: Scale factors of x and y.
    """

    inner: tuple[int, int]
    shape: tuple[int, int]
    scale: tuple[float, float]

    @classmethod
    def of(cls, image: NDArray[np.uint8], input_size: tuple[int, int]) -> _Fit:
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise BadInput(
                f"A picture of shape {image.shape} and type {image.dtype} cannot be searched for "
                "faces; it must be (height, width, 3) of uint8."
            )
        height, width = image.shape[:2]
        scale = min(input_size[0] / width, input_size[1] / height)
        inner = max(1, round(height * scale)), max(1, round(width * scale))
        rows, columns = (-(-side // _MULTIPLE) * _MULTIPLE for side in inner)
        return cls(inner, (rows, columns), (inner[1] / width, inner[0] / height))


def fit_pictures(
    images: Sequence[NDArray[np.uint8]], input_size: tuple[int, int]
) -> NDArray[np.uint8]:
    """Scale pictures into `input_size`, and pad them with black on the right and below.

    Pictures are padded to the next multiple of 32, not to the whole input size: a 16:9 picture in
    a square input costs 40% less. Scaling is bilinear. Area averaging found equally many faces of
    16 to 70 pixels at every tested size (1280 to 960, 640 and 448) and took 4 to 14 times as long.

    Args:
        images: (h, w, 3) uint8 BGR each, all with the same fitted shape.
        input_size: (width, height).

    Returns:
        (n, height, width, 3) uint8 BGR. A single picture that already fits is not copied.
    """
    fits = [_Fit.of(image, input_size) for image in images]
    shape = fits[0].shape
    if len(images) == 1 and images[0].shape[:2] == shape:
        return images[0][None]
    batch = np.zeros((len(images), *shape, 3), np.uint8)
    for image, fit, canvas in zip(images, fits, batch, strict=True):
        height, width = fit.inner
        inner = canvas[:height, :width]
        if image.shape[:2] == fit.inner:
            inner[:] = image
        else:
            cv2.resize(image, (width, height), dst=inner, interpolation=cv2.INTER_LINEAR)
    return batch
