"""Choose the probe of a track: its best few faces, fused by quality.

A single face of a distant walker is a poor witness: compression, motion and a turn of the head
spoil one frame and not the next. The quality-weighted mean of the few best templates of a track
is a better one, and it hardly moves when one of them is bad. Faces of one track that are not
alike (someone walked through) are told apart first: on street seeds 6 to 8 the best six faces of
one person agree to 0.38 or more in 99 of 100 pairs (easy; 0.14 hard), those of two people to at
most 0.34 (a trial; `benchmarks/fit_quality.py` is
its kept form).
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

    The rules look at quality alone, never at a score or the threshold, so that cost follows
    people and a calibration stays honest. `worth`, `doubt`, `unsettled` and `agree` were fitted on
    SFace's scores; for another embedder they are not fitted, which run, doctor and report say
    (`domain.thresholds`). docs/adr/0019 has the trial.

    Attributes:
        faces: How many faces are fused at most.
        min_quality: A face below it is no probe (0 to 100).
        min_eye_distance: Nor is one with fewer pixels between the eyes.
        worth_first: Sum of the fused faces' qualities from which a track is searched. Who is alike
            beyond question is found with it, a second before there is a good probe.
        worth: Sum of the fused faces' qualities from which they make a good probe: three good
            faces or six poor ones. On street seeds 6 to 10 about half of the strangers' highest
            scores came from less; it cost one of 56 hard passes at threshold 0.38.
        doubt: By how much the scores of a probe below that are lowered.
        unsettled: By how much scores are lowered besides while the track goes on and may show
            better faces. A listed person's score rises with them, a stranger's falls back, so who
            is near the threshold is decided by the track's best probe.
        settles_after: Seconds after its first search from which a track is taken for settled: so
            long somebody near the threshold waits at most, however much better the faces become.
        worth_alone: Quality of the best face with which a track that has ended is searched all
            the same, as one that was seen once only.
        better: The sum of the held faces' qualities must grow by this factor for a new search.
        agree: Cosine similarity from which two faces of a track are one person's.
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
        """Whether faces of these qualities are searched, as a good probe or a doubtful one."""
        return sum(qualities) >= self.worth_first or self.good(qualities, last=last)

    def good(self, qualities: Sequence[float], *, last: bool) -> bool:
        """Whether faces of these qualities make a good probe; `last` when there will be no more."""
        return sum(qualities) >= self.worth or (
            last and max(qualities, default=0.0) >= self.worth_alone
        )


@dataclass(frozen=True, slots=True, eq=False)
class Fused:
    """One probe of a track.

    Attributes:
        template: (dimension,) float32, L2-normalised: the quality-weighted mean of its rows.
        rows: The faces that went into it, the one that speaks best for it first.
    """

    template: NDArray[np.float32]
    rows: tuple[int, ...]


def fuse(
    templates: NDArray[np.float32], qualities: Sequence[float], *, agree: float
) -> list[Fused]:
    """Group a track's faces into people, and fuse each.

    The face that most of the quality agrees with gathers all that are alike; what is left over
    is grouped in the same way. A face that is alike with no other is a glimpse of somebody else
    and is given up, however good it is, unless no two faces are alike: then the heaviest is the
    probe. So a track that two people share gives two probes of one each, not one of both.

    Args:
        templates: (n, dimension) float32, L2-normalised, n >= 1.
        qualities: n weights, each > 0.
        agree: Cosine similarity from which two faces of a track are one person's.

    Returns:
        At least one probe, the heaviest first.
    """
    alike = templates @ templates.T
    weights = np.asarray(qualities, np.float32)
    left = np.arange(len(templates))
    probes: list[Fused] = []
    while left.size and (left.size > 1 or not probes):
        among = alike[np.ix_(left, left)]
        centre = int((np.maximum(among, 0) @ weights[left]).argmax())
        near = among[centre] >= agree
        near[centre] = True
        rows = left[near]
        left = left[~near]
        fused = (templates[rows] * weights[rows, None]).sum(axis=0)
        # Good, and like the others: a good face of somebody else must not stand for the probe.
        speaks_for = weights[rows] * among[centre][near]
        best_first = rows[np.argsort(-speaks_for, kind="stable")]
        probes.append(Fused(fused / np.linalg.norm(fused), tuple(best_first.tolist())))
    shared = [probe for probe in probes if len(probe.rows) > 1]
    return shared or probes[:1]
