"""Probe: fuse the best few faces of a track to one template.

A single face of a distant walker is unreliable: compression, motion or a turn of the head may spoil
any one frame. The quality-weighted mean of a track's best templates is more reliable, and one bad
template hardly changes it. Faces of a track that are not alike (somebody walked through) are
separated first: on street seeds 6 to 8 the similarity of the best six faces of one person is 0.38
or more in 99 of 100 pairs (easy; 0.14 hard), and that of two people's at most 0.34 (in a trial that
`benchmarks/fit_quality.py` repeats).
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
    """When a track is searched, and with which faces.

    The rules depend on quality only, never on a score or the threshold, so that cost is
    proportional to people and calibration stays valid. `worth`, `doubt`, `unsettled` and `agree`
    were fitted to SFace's scores. For another embedder they are not fitted, which run, doctor and
    report state (`domain.thresholds`). The trial is in docs/adr/0019.

    Attributes:
        faces: Most faces of one probe.
        min_quality: Least quality of a face in a probe, 0 to 100.
        min_eye_distance: Least inter-eye distance of a face in a probe, pixels.
        worth_first: Sum of the faces' qualities from which a track is searched. It finds people
            with very high scores one second before there is a good probe.
        worth: Sum of the faces' qualities of a good probe: three good faces or six poor ones. On
            street seeds 6 to 10 about half of the strangers' highest scores came from poorer
            probes. The rule cost one of 56 hard passes at threshold 0.38.
        doubt: Amount by which the scores of a probe below `worth` are lowered.
        unsettled: Further amount by which scores are lowered while the track is live and may get
            better faces. With better faces a listed person's score rises and a stranger's falls,
            so that scores near the threshold are decided by the track's best probe.
        settles_after: Seconds after its first search at which a track is settled. It limits how
            long an alert near the threshold is delayed, whatever faces follow.
        worth_alone: Quality of the best face from which a track that has ended has a good probe
            even below `worth`, such as a track of one detection.
        better: Factor by which the sum of the faces' qualities must grow for another search.
        agree: Cosine similarity from which two faces of a track are of one person.
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

    def usable(self, qualities: Sequence[float], *, last: bool) -> bool:
        """Whether faces of these qualities are searched, as a good probe or a poor one."""
        return sum(qualities) >= self.worth_first or self.good(qualities, last=last)

    def good(self, qualities: Sequence[float], *, last: bool) -> bool:
        """Whether faces of these qualities make a good probe; `last`: the track has ended."""
        return sum(qualities) >= self.worth or (
            last and max(qualities, default=0.0) >= self.worth_alone
        )


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """One probe of a track.

    Attributes:
        template: (dimension,) float32, L2-normalised: the quality-weighted mean of its faces.
        rows: Indices of its faces, the most representative first.
    """

    template: NDArray[np.float32]
    rows: tuple[int, ...]


def fuse(
    templates: NDArray[np.float32], qualities: Sequence[float], *, agree: float
) -> list[Probe]:
    """Group a track's faces into people, and fuse the faces of each to a probe.

    The face to which most of the quality is similar forms a group with all faces that are similar
    to it; the remaining faces are grouped in the same way. A face that is similar to no other is
    taken for another person's and is left out, however good it is. Where no two faces are similar,
    the heaviest one is the probe. So a track of two people gives a probe of each, not one of both.

    Args:
        templates: (n, dimension) float32, L2-normalised, n >= 1.
        qualities: n weights, each > 0.
        agree: Cosine similarity from which two faces of a track are of one person.

    Returns:
        At least one probe, the heaviest first.
    """
    alike = templates @ templates.T
    weights = np.asarray(qualities, np.float32)
    left = np.arange(len(templates))
    probes: list[Probe] = []
    while left.size and (left.size > 1 or not probes):
        among = alike[np.ix_(left, left)]
        centre = int((np.maximum(among, 0) @ weights[left]).argmax())
        near = among[centre] >= agree
        near[centre] = True
        rows = left[near]
        left = left[~near]
        fused = (templates[rows] * weights[rows, None]).sum(axis=0)
        # Good and similar to the others, so that another person's good face does not come first.
        representative = weights[rows] * among[centre][near]
        best_first = rows[np.argsort(-representative, kind="stable")]
        probes.append(Probe(fused / np.linalg.norm(fused), tuple(best_first.tolist())))
    shared = [probe for probe in probes if len(probe.rows) > 1]
    return shared or probes[:1]
