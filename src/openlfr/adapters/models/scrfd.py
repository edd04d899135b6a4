"""insightface's SCRFD for several pictures per run, with insightface's pre- and postprocessing.

insightface processes one picture at a time. So insightface is called twice for each picture: before
the run, to collect the network's inputs, and after the run, to compute the faces from the outputs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from insightface.model_zoo import SCRFD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import onnxruntime
    from numpy.typing import NDArray

    from openlfr.adapters.models.onnx_batches import Outputs, Split

    Faces = tuple[NDArray[np.float32], NDArray[np.float32]]


class BatchedScrfd(SCRFD):  # type: ignore[misc]  # insightface has no types
    """SCRFD that runs its network for several pictures together.

    Args:
        session: Session of a graph that accepts batches, or one picture if `split` is None.
        split: Function that splits an output of the network by picture.
        pixels_per_run: Maximum of all input pixels of a run.
    """

    def __init__(
        self, session: onnxruntime.InferenceSession, split: Split | None, *, pixels_per_run: int
    ) -> None:
        # One session for all sizes; by default insightface opens one for each size. Without a file,
        # insightface reads inputs and outputs from the session, whose graph was verified.
        super().__init__(session=session, static_shape_sessions=False)
        self._split = split
        self._pixels_per_run = pixels_per_run
        self._inputs: list[NDArray[np.float32]] | None = None  # while inputs are collected
        self._outputs: Outputs = []  # outputs of the picture whose faces are computed

    def detect_all(
        self, images: Sequence[NDArray[np.uint8]], size: tuple[int, int], min_score: float
    ) -> Iterator[Faces]:
        """Yield boxes with scores (n, 5) and landmarks (n, 5, 2) of each picture, in its pixels."""
        count = 1 if self._split is None else max(1, self._pixels_per_run // (size[0] * size[1]))
        for start in range(0, len(images), count):
            batch = images[start : start + count]
            for image, outputs in zip(batch, self._run_batch(batch, size, min_score), strict=True):
                self._outputs = outputs
                boxes, landmarks = self.detect(image, input_size=size, det_thresh=min_score)
                yield boxes, landmarks

    def _run_batch(
        self, images: Sequence[NDArray[np.uint8]], size: tuple[int, int], min_score: float
    ) -> list[Outputs]:
        """Run the network once, and return the outputs of each picture."""
        self._inputs = []
        for image in images:
            self.detect(image, input_size=size, det_thresh=min_score)
        together, self._inputs = np.concatenate(self._inputs), None
        outputs = self.session.run(self.output_names, {self.input_name: together})
        if self._split is None:
            return [outputs]
        by_output = [self._split(output, len(images)) for output in outputs]
        return [[parts[n] for parts in by_output] for n in range(len(images))]

    def forward(self, img: NDArray[np.uint8], threshold: float) -> Any:
        """Collect an input, or compute faces; insightface calls this with a scaled picture."""
        if self._inputs is None:
            return super().forward(img, threshold)
        self._inputs.append(super()._prepare_input_blob(img, tuple(img.shape[1::-1])))
        return [], [], []  # no faces yet

    def _prepare_input_blob(self, _: NDArray[np.uint8], input_size: tuple[int, int]) -> Any:
        """Return an empty input: the network has run, so insightface only reads the shape."""
        return np.broadcast_to(np.float32(0), (1, 3, input_size[1], input_size[0]))

    def _session_for_input_size(self, _: tuple[int, int]) -> Any:
        return self  # insightface then calls `run` below

    def run(self, _: Sequence[str], __: dict[str, Any]) -> Outputs:
        """Return the network's outputs of the current picture."""
        return self._outputs
