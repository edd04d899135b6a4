"""Score a candidate against the others: how much more like this subject than like the rest?

Some probes are a little like everybody: a blurred face, a common pose, or a kind of face that
the embedder was shown too few of. Their similarities to all subjects are high together, so that
one threshold stops far more strangers of that kind than of another. So the mean similarity of the
ten next most similar subjects, the cohort, is set against a candidate's own. This is T-norm
(Auckenthaler, Carey and Lloyd-Thomas, "Score Normalization for Text-Independent Speaker
Verification Systems", Digital Signal Processing 10, 2000) with the nearest subjects as cohort.

The scale stays that of a cosine: a candidate whose cohort is a typical one keeps its similarity.
Subjects that a short list lacks count as typical. On a longer list the cohort is nearer, so that
scores fall as chances to be alike rise. Weight and size of the cohort were chosen on street seeds
6 to 10 by a trial that is not kept; docs/adr/0012 has the table of the rule as it stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

COHORT = 10
"""How many other subjects a candidate is set against."""

WEIGHT = 0.7
"""How much of the cohort's mean counts."""

TYPICAL = 0.15
"""Mean similarity of a typical cohort."""


def against_cohort(ranked: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scores from similarities.

    The order of a row's subjects does not change.

    Args:
        ranked: (n, m) float32: for each probe the similarities of its m most similar subjects,
            highest first; m must reach COHORT + 1 where there are so many subjects. -inf where
            there is none.

    Returns:
        (n, m) float32 scores, -inf where there is no subject.
    """
    head = ranked[:, : COHORT + 1]
    known = np.isfinite(head)
    total = np.where(known, head, 0).sum(axis=1, keepdims=True)
    count = known.sum(axis=1, keepdims=True)
    own = np.where(np.isfinite(ranked), ranked, 0)
    # Beyond the head a subject is none of the ten nearest; the head's last one is left out.
    own[:, COHORT + 1 :] = np.where(known[:, -1:], head[:, -1:], 0)
    others = np.maximum(count - 1, 0)
    mean = (total - own + (COHORT - others) * TYPICAL) / COHORT
    return np.asarray(ranked - WEIGHT * (mean - TYPICAL), np.float32)
