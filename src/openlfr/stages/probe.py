"""Probe: fuse the best few faces of a track to one template.

A single face of a distant walker is unreliable, since compression, motion or a turn of the head may
spoil any frame. The quality-weighted mean of a track's best templates is more reliable, and one bad
template hardly changes it. Faces of a track that are not similar, because another person walked
through, are separated first. On street seeds 6 to 8, two of the best six faces of one person have a
similarity of at least 0.38 in 99 of 100 pairs (easy streets; 0.14 on hard streets). Faces of two
people have at most 0.34 (`benchmarks/fit_quality.py` repeats this trial).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ProbeRules:
    """Rules that decide when a track is searched, and with which faces.

    The rules depend on quality only, never on a score or the threshold. So cost is proportional to
    the number of people, and calibration remains valid. `worth`, `doubt`, `unsettled` and `agree`
    were fitted to SFace's scores; for another embedder, run, doctor and report state that they are
    not fitted (`domain.thresholds`). The trial is in docs/adr/0019.

    Attributes:
        faces: Maximum number of faces of a probe.
        min_quality: Minimum quality of a face in a probe, 0 to 100.
        min_eye_distance: Minimum inter-eye distance of a face in a probe, pixels.
        worth_first: Minimum sum of the faces' qualities for a first search. The first search finds
            people with very high scores one second before there is a good probe.
        worth: Minimum sum of the faces' qualities for a good probe: three good faces or six poor
            faces. On street seeds 6 to 10 about half of the strangers' highest scores came from
            poorer probes. The rule cost one of 56 hard passes at threshold 0.38.
        doubt: Amount subtracted from the scores of a probe that is not good.
        unsettled: Further amount subtracted while the track is live and may get better faces. With
            better faces a listed person's score rises and a stranger's score falls, so that the
            track's best probe decides about scores near the threshold.
        settles_after: Seconds after a track's first search at which `unsettled` no longer applies.
            This limits the delay of an alert near the threshold.
        worth_alone: Minimum quality of the best face of an ended track with which its probe is
            good, even below `worth`. A track may consist of one detection.
        better: Factor by which the sum of the faces' qualities must grow for another search.
        agree: Minimum cosine similarity of two faces of a track that belong to one person.
    """

    faces: int = 6
    min_quality: float = 15.0
    min_eye_distance: float = 7.0
    worth_first: float = 35.0
    worth: float = 150.0
    doubt: float = 0.07
    unsettled: float = 0.05
    settles_after: float = 0.6
    worth_alone: float = 55.0
    better: float = 1.5
    agree: float = 0.35

    def is_searchable(self, qualities: Sequence[float], *, is_final: bool) -> bool:
        """Return whether a probe of faces of these qualities may be searched, good or not."""
        return sum(qualities) >= self.worth_first or self.is_good(qualities, is_final=is_final)

    def is_good(self, qualities: Sequence[float], *, is_final: bool) -> bool:
        """Return whether a probe of faces of these qualities is good.

        Args:
            qualities: Qualities of the faces, 0 to 100.
            is_final: Whether the track has ended or is settled; then a best face of `worth_alone`
                is sufficient.
        """
        return sum(qualities) >= self.worth or (
            is_final and max(qualities, default=0.0) >= self.worth_alone
        )


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """One probe of a track.

    Attributes:
        template: (dimension,) float32, L2-normalised: the quality-weighted mean of the faces.
        rows: Indices of the faces, the most representative first.
    """

    template: NDArray[np.float32]
    rows: tuple[int, ...]


def fuse(
    templates: NDArray[np.float32], qualities: Sequence[float], *, agree: float
) -> list[Probe]:
    """Group a track's faces by person, and fuse the faces of each person to a probe.

    The face with the largest quality-weighted similarity to all faces forms a group with the faces
    similar to it. The remaining faces are grouped in the same way. So a track of two people yields
    a probe of each person, not a mixture. A face that is similar to no other face is left out,
    whatever its quality. If no two faces are similar, the face of the first group is the probe.

    Args:
        templates: (n, dimension) float32, L2-normalised, n >= 1.
        qualities: n weights, each > 0.
        agree: Minimum cosine similarity of two faces of a track that belong to one person.

    Returns:
        At least one probe, in the order of the groups.
    """
    similarities = templates @ templates.T
    weights = np.asarray(qualities, np.float32)
    remaining = np.arange(len(templates))
    probes: list[Probe] = []
    while remaining.size and (remaining.size > 1 or not probes):
        among = similarities[np.ix_(remaining, remaining)]
        centre = int((np.maximum(among, 0) @ weights[remaining]).argmax())
        is_similar = among[centre] >= agree
        is_similar[centre] = True
        rows = remaining[is_similar]
        remaining = remaining[~is_similar]
        fused = (templates[rows] * weights[rows, None]).sum(axis=0)
        # Quality times similarity, so that another person's good face is not first.
        representative = weights[rows] * among[centre][is_similar]
        best_first = rows[np.argsort(-representative, kind="stable")]
        probes.append(Probe(fused / np.linalg.norm(fused), tuple(best_first.tolist())))
    shared = [probe for probe in probes if len(probe.rows) > 1]
    return shared or probes[:1]
