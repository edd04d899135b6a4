"""The threshold of a sighting: the configured value, else the model's default."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlfr.domain.thresholds import DefaultRow, Threshold, ThresholdOrigin, default_threshold

if TYPE_CHECKING:
    from openlfr.domain.templates import GalleryFacts
    from openlfr.settings import Settings

SFACE_SHA256 = "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79"

SFACE_DEFAULTS = (
    DefaultRow(20, 0.410, 3275, 3, 0.00267),
    DefaultRow(100, 0.460, 3275, 3, 0.00267),
    DefaultRow(400, 0.480, 3275, 3, 0.00267),
    DefaultRow(800, 0.490, 3275, 2, 0.00220),
)
"""SFace's default thresholds by length of the list. Each is the lowest threshold at which at most
one pass of a stranger in a thousand gives an alert. `python -m benchmarks.default_thresholds`
prints the table (docs/benchmarks.md, ADR 0022)."""


def choose_threshold(settings: Settings, facts: GalleryFacts, subjects: int) -> Threshold:
    """Return the threshold for a list of this many subjects.

    Args:
        settings: The configuration; `matching.threshold` has priority if it is set.
        facts: Facts of the configured embedder.
        subjects: Number of listed subjects at the start; the threshold stays until the next start.
    """
    known = facts.model_sha256 == SFACE_SHA256
    if settings.matching.threshold is not None:
        return Threshold(settings.matching.threshold, ThresholdOrigin.SET, subjects, fitted=known)
    table = SFACE_DEFAULTS if known else ()
    return default_threshold(table, facts.default_threshold, subjects)
