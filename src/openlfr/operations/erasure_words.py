"""Numbers of erasures in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ERASURE_WORDS = {
    "alerts": ("alert beyond the retention", "alerts beyond the retention"),
    "mistaken": ("alert about somebody else", "alerts about somebody else"),
    "rejected": ("rejected sighting", "rejected sightings"),
    "orphans": ("picture without an alert", "pictures without an alert"),
    "entries": ("expired entry", "expired entries"),
}


def describe_erasures(counts: Mapping[str, int]) -> str:
    """Describe the counts of `DueErasures`; empty if nothing was erased."""
    parts = [
        f"{number} {one if number == 1 else many}"
        for name, (one, many) in ERASURE_WORDS.items()
        if (number := counts.get(name, 0))
    ]
    return ", ".join(parts)
