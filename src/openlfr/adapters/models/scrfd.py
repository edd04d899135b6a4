"""insightface's SCRFD for several pictures in one run: its own letterbox, anchors and suppression.

It looks at one picture at a time. So it is asked twice: first only for what it would give to the
network, of every picture; then, with the network's answers at hand, for the faces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from insightface.model_zoo import SCRFD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import onnxruntime
    from numpy.typing import NDArray

    from openlfr.adapters.models.onnx_batches import Answer, Split

    Faces = tuple[NDArray[np.float32], NDArray[np.float32]]


class BatchedScrfd(SCRFD):  # type: ignore[misc]  # it ships no types
    """SCRFD whose network sees pictures together.

    Args:
        session: Of a graph that takes batches, or one picture where `split` is None.
        split: Takes an answer of the network apart, picture by picture.
        pixels_a_run: Of the network's input, of all pictures of a run together.
    """

    def __init__(
        self, session: onnxruntime.InferenceSession, split: Split | None, *, pixels_a_run: int
    ) -> None:
        # One session for all sizes; else it makes one more of each for every size. Without a file
        # it asks the session, whose graph was verified.
        super().__init__(session=session, static_shape_sessions=False)
        self._split = split
        self._pixels_a_run = pixels_a_run
        self._asked: list[NDArray[np.float32]] | None = None
        self._answer: Answer = []

    def detect_all(
        self, images: Sequence[NDArray[np.uint8]], size: tuple[int, int], least: float
    ) -> Iterator[Faces]:
        """For each picture boxes with scores (n, 5) and landmarks (n, 5, 2), in its own pixels."""
        many = 1 if self._split is None else max(1, self._pixels_a_run // (size[0] * size[1]))
        for start in range(0, len(images), many):
            shown = images[start : start + many]
            for image, answer in zip(shown, self._run(shown, size, least), strict=True):
                self._answer = answer
                boxes, landmarks = self.detect(image, input_size=size, det_thresh=least)
                yield boxes, landmarks

    def _run(
        self, images: Sequence[NDArray[np.uint8]], size: tuple[int, int], least: float
    ) -> list[Answer]:
        """The network's answers to each picture, as it gives them to that picture alone."""
        self._asked = []
        for image in images:
            self.detect(image, input_size=size, det_thresh=least)
        together, self._asked = np.concatenate(self._asked), None
        answers = self.session.run(self.output_names, {self.input_name: together})
        if self._split is None:
            return [answers]
        apart = [self._split(answer, len(images)) for answer in answers]
        return [[parts[n] for parts in apart] for n in range(len(images))]

    def forward(self, img: NDArray[np.uint8], threshold: float) -> Any:
        """What insightface calls with a picture that fits the network."""
        if self._asked is None:
            return super().forward(img, threshold)
        self._asked.append(super()._prepare_input_blob(img, tuple(img.shape[1::-1])))
        return [], [], []  # no face yet

    def _prepare_input_blob(self, _: NDArray[np.uint8], input_size: tuple[int, int]) -> Any:
        """Only its shape is looked at: the network has answered."""
        return np.broadcast_to(np.float32(0), (1, 3, input_size[1], input_size[0]))

    def _session_for_input_size(self, _: tuple[int, int]) -> Any:
        return self  # whose `run` gives the answer that is at hand

    def run(self, _: Sequence[str], __: dict[str, Any]) -> Answer:
        """What the network said of the picture."""
        return self._answer
