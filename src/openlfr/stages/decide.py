"""Decide: is the best candidate of a search a sighting?"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openlfr.domain.faces import Candidate


def decide(candidates: Sequence[Candidate], threshold: float) -> Candidate | None:
    """The candidate to alert on, or None.

    Args:
        candidates: Of one search, best first; may be empty (nobody is searchable).
        threshold: Score from which (inclusive) a candidate is a sighting.
    """
    return candidates[0] if candidates and candidates[0].score >= threshold else None
