"""Compares a pending entry with all listed entries, to detect copies, look-alikes and magnets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openlfr.domain.errors import BadInput
from openlfr.domain.watchlist import EntryStatus
from openlfr.operations.enrol import outbox_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openlfr.domain.templates import GalleryFacts
    from openlfr.domain.watchlist import Reference
    from openlfr.ports import TemplateStore, Vault, WatchlistRecords

NEAR_COPY = 0.8
"""Cosine similarity from which two photos count as the same picture. Measured with SFace: 13 kinds
of copies of 25 LFW photos (encoded again, shrunk, cut, mirrored, grey ...) all reach 0.80, and 92%
of them 0.9. No two of 148 people exceed 0.42 (`benchmarks/near_copies.py FOLDER --people 150
--copied 25`)."""

MAGNET_SUBJECTS = 3
MAGNET_SHARE = 0.02
"""A reference that reaches the threshold against at least this number and this share of other
subjects is a magnet: it would cause alerts about strangers too. LFW contains no magnet, with one
photo each of 20 to 1,600 people and threshold 0.40; the worst photo reaches 6 of 1,599 others."""

_HOW_TO_LIST_TWICE = (
    "remove that entry first, or have a third person fill in second_authoriser and second_reason "
    "in the manifest; if two rows of one import are copies, the upper row is accepted"
)
_MAX_NAMES = 3  # number of people named in a note


class ListedTemplates:
    """All listed templates in one matrix, with room for new ones."""

    def __init__(self, room: int, dimension: int) -> None:
        self._vectors = np.empty((room, dimension), np.float32)
        self._references: list[Reference] = []

    @classmethod
    def read(
        cls, records: WatchlistRecords, templates: TemplateStore, *, room: int, dimension: int
    ) -> ListedTemplates:
        """Read the templates of active and suspended entries of all watchlists."""
        listed_references = {
            reference.reference_id: reference
            for reference in records.references(
                statuses=(EntryStatus.ACTIVE, EntryStatus.SUSPENDED)
            )
        }
        watchlists = sorted({reference.watchlist for reference in listed_references.values()})
        stored = [t for t in templates.all(watchlists) if t.reference_id in listed_references]
        listed = cls(len(stored) + room, dimension)
        for template in stored:
            listed.add(listed_references[template.reference_id], template.vector)
        return listed

    def add(self, reference: Reference, vector: NDArray[np.float32]) -> None:
        """Add the template of an accepted entry."""
        self._vectors[len(self._references)] = vector
        self._references.append(reference)

    def best_of_each(self, vector: NDArray[np.float32]) -> dict[str, tuple[float, Reference]]:
        """Return, for each listed subject, the highest similarity and the entry that reaches it."""
        best: dict[str, tuple[float, Reference]] = {}
        scores = self._vectors[: len(self._references)] @ vector
        for reference, score in zip(self._references, scores.tolist(), strict=True):
            if reference.subject not in best or score > best[reference.subject][0]:
                best[reference.subject] = score, reference
        return best


def judge_entry(
    reference: Reference,
    sealed: bytes,
    vault: Vault,
    facts: GalleryFacts,
    listed: ListedTemplates,
) -> tuple[str, str, NDArray[np.float32] | None]:
    """Compare a pending entry with the listed entries.

    Returns:
        A note for the entry, the reason of a refusal, and the template. The reason is empty if the
        entry is accepted; else the note is empty and the template None.
    """
    try:
        content = vault.unseal(outbox_name(reference.reference_id), sealed)
    except BadInput as error:
        return "", f"its template cannot be read: {error}", None
    vector = np.frombuffer(content, "<f4").astype(np.float32)
    if vector.shape != (facts.dimension,):
        return "", f"its template has {vector.size} numbers, expected {facts.dimension}", None
    best = listed.best_of_each(vector)
    own = best.pop(reference.subject, None)
    notes = []
    if own is not None and own[0] >= NEAR_COPY:
        notes.append(f"nearly the same picture is listed already ({own[0]:.2f})")
    alike = sorted(
        (
            (score, name, other)
            for name, (score, other) in best.items()
            if score >= min(facts.default_threshold, NEAR_COPY)
        ),
        key=lambda one: (-one[0], one[1]),
    )
    copies = [one for one in alike if one[0] >= NEAR_COPY]
    if copies:
        which = f"nearly the same picture as {_entry(*copies[0])}, listed under another name"
        if not reference.second_authoriser:
            return "", f"{which}; {_HOW_TO_LIST_TWICE}", None
        notes.append(f"{which}, as {reference.second_authoriser} allows")
    others = alike[len(copies) :]
    names = ", ".join(f"{name} ({score:.2f})" for score, name, _ in others[:_MAX_NAMES])
    if len(others) >= MAGNET_SUBJECTS and len(others) >= MAGNET_SHARE * len(best):
        return (
            "",
            (
                f"a magnet: it resembles {len(others)} of {len(best)} other listed subjects "
                f"(first {names}) and would cause alerts about strangers; use another photo"
            ),
            None,
        )
    if others:
        more = f" and {len(others) - _MAX_NAMES} more" if len(others) > _MAX_NAMES else ""
        notes.append(f"looks like {names}{more}, listed under another name")
    return "; ".join(notes), "", vector


def _entry(score: float, subject: str, other: Reference) -> str:
    """Describe an entry so that a person can find it in the list."""
    how = ", suspended" if other.status is EntryStatus.SUSPENDED else ""
    where = f"in {other.watchlist}{how}"
    return f"that of {subject} (entry {other.reference_id} {where}; {score:.2f})"
