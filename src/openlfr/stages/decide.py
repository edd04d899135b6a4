"""Decide: compare the best candidate of a search with the threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openlfr.domain.faces import Candidate


def decide(candidates: Sequence[Candidate], threshold: float) -> Candidate | None:
    """Return the best candidate if its score is at least the threshold, else None.

    Args:
        candidates: Candidates of one search, best first; empty if no one is searchable.
        threshold: Minimum score of a sighting.
    """
    return candidates[0] if candidates and candidates[0].score >= threshold else None
