"""The strongest known attacks that identify a face of which a few cells are left.

The attacker has the positions of the five landmarks and of the cells, and a clear
photo of each suspect. Every suspect's head is moved to the probe's place and masked with the same
cells (`cells_of_head`: matched degradation). The attacks are:

- `pixels`: correlation of the two sets of cells, each colour relative to its mean over the face;
- `trained`: the likelihood of the cells for the suspect. Heads are Gaussian, with one part of
  the person and one of the photo, as in PLDA (Ioffe, 2006); both are
  learned from people who are neither suspects nor probes. Masking is linear, so the likelihood is
  exact for every place of the cells; a matcher trained on masked pictures covers only a few places;
- `restored`: SFace's similarity of the most likely head behind the cells (by the same model) to
  the suspects' heads after the same masking and restoring;
- `combined`: the weighted sum of all three, with the weights that are best among other people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from benchmarks.masking_faces import HEAD, HEAD_CENTRE, HEAD_SPAN, to_head

from openlfr.stages.align import SIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openlfr.domain.evidence import Scene
    from openlfr.ports import FaceEmbedder

    Values = NDArray[np.float64]

GRID = 24
"""Side of the head that the model knows, pixels; a face is 14 of them long."""

PARTS = 200
"""Principal components of it."""

_SAMPLES = 2  # points along a pixel, to divide it among cells
_LEAST_SEEN = 0.9  # share of a cell that the head must fill
_ROUNDING = 1e-4  # variance of a cell's value beyond what the model explains; of white = 1


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The cells of a scene on one head.

    Attributes:
        values: (n, 3) BGR, 0 to 1.
        weights: (n, GRID * GRID): weights of the head's pixels in each cell's mean.
    """

    values: Values
    weights: Values


def cells_of_head(scene: Scene, landmarks: NDArray[np.float32]) -> Cells:
    """Return a scene's cells on the head with these landmarks (5, 2), in source pixels."""
    back = cv2.invertAffineTransform(to_head(landmarks[None])[0] * (GRID / HEAD))
    at = (np.arange(GRID * _SAMPLES) + 0.5) / _SAMPLES
    x, y = np.meshgrid(at, at)
    column, row = (
        np.floor((a * x + b * y + c) / scene.cell).astype(int) for a, b, c in back.tolist()
    )
    rows, columns = scene.small.shape[:2]
    inside = (column >= 0) & (row >= 0) & (column < columns) & (row < rows)
    pixel = np.floor(y).astype(int) * GRID + np.floor(x).astype(int)
    cells, cell = np.unique((row * columns + column)[inside], return_inverse=True)
    weights = np.zeros((len(cells), GRID * GRID))
    area = abs(np.linalg.det(back[:, :2])) / _SAMPLES**2 / scene.cell**2
    np.add.at(weights, (cell, pixel[inside]), area)
    seen = weights.sum(1)
    full = seen >= _LEAST_SEEN
    values = scene.small.reshape(-1, 3)[cells[full]] / 255
    return Cells(values, weights[full] / seen[full, None])


class Attacker:
    """Learns from some people's heads, and ranks suspects for masked heads."""

    def __init__(
        self, heads: NDArray[np.uint8], people: NDArray[np.str_], embedder: FaceEmbedder
    ) -> None:
        """Fit the model.

        Args:
            heads: (n, HEAD, HEAD, 3) uint8 BGR.
            people: (n,) the person of each head; some must have several.
            embedder: Embeds heads for `restored`.
        """
        self._embedder = embedder
        pixels = _pixels(heads)
        self._mean = pixels.mean(0)
        _, axes = np.linalg.eigh((pixels - self._mean).T @ (pixels - self._mean))
        self._axes = axes[:, -PARTS:]
        parts = (pixels - self._mean) @ self._axes
        left = (pixels - self._mean) - parts @ self._axes.T
        self._left = (left**2).mean(0).reshape(GRID * GRID, 3)
        self._all = np.cov(parts.T)
        self._photo = _within(parts, people)
        values, vectors = np.linalg.eigh(self._all - self._photo)
        self._person = (vectors * np.clip(values, 0, None)) @ vectors.T
        self._all = self._person + self._photo

    def suspect(self, heads: NDArray[np.uint8]) -> None:
        """Set the suspects by their clear heads (n, HEAD, HEAD, 3), one each."""
        pixels = _pixels(heads)
        by_pixel = pixels.reshape(len(pixels), GRID * GRID, 3).transpose(1, 0, 2)
        self._suspects = np.ascontiguousarray(by_pixel.reshape(GRID * GRID, -1))
        parts = (pixels - self._mean) @ self._axes
        gain = self._person @ np.linalg.inv(self._all + 1e-6 * np.eye(len(self._all)))
        self._expected = gain @ parts.T  # of another photo of the suspect
        self._spread = self._all - gain @ self._person

    def pixels(self, cells: Cells) -> Values:
        """Return the suspects' scores; higher means more similar."""
        theirs = self._masked(cells)
        theirs = (theirs - theirs.mean(1, keepdims=True)).reshape(len(theirs), -1)
        ours = (cells.values - cells.values.mean(0)).reshape(-1)
        return np.asarray(
            theirs @ ours / (np.linalg.norm(theirs, axis=1) * np.linalg.norm(ours) + 1e-9)
        )

    def trained(self, cells: Cells) -> Values:
        """Return the log-likelihood of the cells for each suspect, up to a constant."""
        seen, mean, noise = self._masking(cells)
        off = cells.values.reshape(-1, 1) - mean - seen @ self._expected
        spread = seen @ self._spread @ seen.T + noise
        return np.asarray(-(off * np.linalg.solve(spread, off)).sum(0))

    def restore(self, cells: Cells) -> NDArray[np.uint8]:
        """Return the most likely head, aligned for the embedder: (SIDE, SIDE, 3) uint8 BGR."""
        seen, mean, noise = self._masking(cells)
        off = cells.values.reshape(-1, 1) - mean
        parts = self._all @ seen.T @ np.linalg.solve(seen @ self._all @ seen.T + noise, off)
        head = (self._mean + (self._axes @ parts)[:, 0]).reshape(GRID, GRID, 3)
        pixels = np.clip(head * 255, 0, 255).astype(np.uint8)
        scale = HEAD_SPAN / GRID
        x, y = (centre - HEAD_SPAN / 2 + scale / 2 - 0.5 for centre in HEAD_CENTRE)
        matrix = np.array([[scale, 0, x], [0, scale, y]])
        return np.asarray(
            cv2.warpAffine(pixels, matrix, (SIDE, SIDE), flags=cv2.INTER_CUBIC), np.uint8
        )

    def templates(self, cells: list[Cells]) -> Values:
        """Return the templates (n, d) of the restored heads."""
        return np.asarray(self._embedder.embed(np.stack([self.restore(one) for one in cells])))

    def as_masked(self, cells: Cells) -> list[Cells]:
        """Return the suspects' own heads behind the same cells."""
        masked = np.round(self._masked(cells) * 255) / 255
        return [Cells(values, cells.weights) for values in masked]

    def _masked(self, cells: Cells) -> Values:
        """Return the masked heads of the suspects, (suspects, cells, 3)."""
        flat = cells.weights @ self._suspects
        return np.asarray(flat.reshape(len(flat), -1, 3).transpose(1, 0, 2))

    def _masking(self, cells: Cells) -> tuple[Values, Values, Values]:
        """Return the cells as a linear function of a head's parts: factors, constant, noise."""
        n = len(cells.values)
        axes = self._axes.reshape(GRID * GRID, -1)
        seen = (cells.weights @ axes).reshape(n * 3, -1)
        mean = (cells.weights @ self._mean.reshape(GRID * GRID, 3)).reshape(-1, 1)
        noise = cells.weights**2 @ self._left + _ROUNDING
        return seen, mean, np.diag(noise.reshape(-1))


def _pixels(heads: NDArray[np.uint8]) -> Values:
    """Return the heads' pixels (n, GRID * GRID * 3), 0 to 1."""
    by = HEAD // GRID
    means = heads.reshape(len(heads), GRID, by, GRID, by, 3).mean((2, 4), dtype=np.float64)
    return np.asarray(means.reshape(len(heads), -1) / 255)


def _within(parts: Values, people: NDArray[np.str_]) -> Values:
    """Return the covariance of one person's photos, pooled over people with several."""
    names, index, counts = np.unique(people, return_inverse=True, return_counts=True)
    means = np.zeros((len(names), parts.shape[1]))
    np.add.at(means, index, parts)
    several = counts[index] > 1
    off = (parts - (means / counts[:, None])[index])[several]
    freedom = several.sum() - (counts > 1).sum()
    return np.asarray(off.T @ off / freedom)
