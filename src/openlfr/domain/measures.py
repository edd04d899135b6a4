"""Histograms of eye distance, sharpness and light of the best faces of passes.

Each pass counts once, by its best face, with or without a search. The histograms reveal a camera
that is too far away, out of focus or in the dark. They contain no information about a person.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from openlfr.domain.faces import Quality

EYE_EDGES = (0.0, 4.0, 7.0, 10.0, 14.0, 20.0, 28.0, 40.0, 56.0, 80.0)
"""Lower borders of the bins of eye distance, source pixels; the last bin has no upper border."""
SHARE_EDGES = tuple(n / 10 for n in range(10))
"""Lower borders of the bins of sharpness and light, 0 to 1; the last bin includes 1."""


@dataclass(frozen=True, slots=True)
class Measures:
    """Numbers of passes by properties of their best face.

    Attributes:
        eye_distances: Counts by the bins of `EYE_EDGES`.
        sharpness, light: Counts by the bins of `SHARE_EDGES`; light is the share of usefully bright
            pixels.
    """

    eye_distances: tuple[int, ...] = (0,) * len(EYE_EDGES)
    sharpness: tuple[int, ...] = (0,) * len(SHARE_EDGES)
    light: tuple[int, ...] = (0,) * len(SHARE_EDGES)

    def __add__(self, other: Self) -> Self:
        """Return the bin-wise sum of all histograms."""
        return type(self)(
            *(
                tuple(a + b for a, b in zip(counts, getattr(other, each.name), strict=True))
                for each in fields(self)
                for counts in [getattr(self, each.name)]
            )
        )

    @classmethod
    def from_face(cls, face: Quality) -> Self:
        """Return the histograms of one pass, by its best face."""
        return cls(
            _single_count(EYE_EDGES, face.eye_distance),
            _single_count(SHARE_EDGES, face.sharpness),
            _single_count(SHARE_EDGES, face.exposure),
        )

    @classmethod
    def from_json(cls, values: Mapping[str, Sequence[int]]) -> Self:
        """Restore histograms from `dataclasses.asdict` values; missing histograms are empty."""
        stored = {each.name: values[each.name] for each in fields(cls) if values.get(each.name)}
        return cls(**{name: tuple(counts) for name, counts in stored.items()})


def _single_count(edges: Sequence[float], value: float) -> tuple[int, ...]:
    bin_number = max(bisect_right(edges, value) - 1, 0)
    return tuple(int(number == bin_number) for number in range(len(edges)))
