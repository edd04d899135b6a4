"""Templates of enrolled faces, and their match with the entries of the watchlist."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from openlfr.domain.errors import BadInput, Misconfigured
from openlfr.domain.watchlist import hash_entry

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openlfr.domain.watchlist import ListedEntry


class StoredRow(Protocol):
    """A row of the vector store, with or without its vector."""

    @property
    def watchlist(self) -> str:
        """The list that the row names."""
        ...

    @property
    def template_hash(self) -> str:
        """The hash of the vector, according to the row."""
        ...

    @property
    def entry_hash(self) -> str:
        """Result of `hash_entry` for the row's fields."""
        ...


@dataclass(frozen=True, slots=True)
class GalleryFacts:
    """The properties that all templates of a gallery share; other templates are rejected.

    Attributes:
        model_sha256: sha256 (hex) of the embedder's file as shipped (before preparation).
        dimension: Length of a template.
        alignment: Names of the face alignment and of the other steps that make a template.
        default_threshold: Uncalibrated per-track score from which a candidate is a sighting.
    """

    model_name: str
    model_sha256: str
    dimension: int
    alignment: str
    default_threshold: float


@dataclass(frozen=True, slots=True, eq=False)
class StoredTemplate:
    """A reference's template as stored in the vector store.

    Attributes:
        vector: (dimension,) float32, L2-normalised.
    """

    reference_id: str
    watchlist: str
    subject: str
    template_hash: str
    vector: NDArray[np.float32]

    @property
    def entry_hash(self) -> str:
        """Result of `hash_entry` for the row's fields."""
        return hash_entry(self.reference_id, self.subject, self.watchlist, self.template_hash)


def hash_template(vector: NDArray[np.float32]) -> str:
    """Return the sha256 (hex) of a template's float32 little-endian bytes."""
    return hashlib.sha256(np.ascontiguousarray(vector, "<f4").tobytes()).hexdigest()


def matches_entry(stored: StoredRow, entry: ListedEntry) -> bool:
    """Return whether a row of the vector store agrees with the listed entry of its reference.

    The caller checks that the vector has the row's hash.
    """
    return (
        stored.template_hash == entry.template_hash
        and stored.watchlist == entry.watchlist
        and entry.entry_hash in ("", stored.entry_hash)
    )


def check_template(template: StoredTemplate, facts: GalleryFacts) -> None:
    """Reject a template that no store may accept.

    Raises:
        BadInput: The dimension is wrong, or the vector not finite or not of unit length.
    """
    vector = template.vector
    if vector.shape != (facts.dimension,):
        raise BadInput(
            f"The template of reference {template.reference_id} has shape {vector.shape}; "
            f"{facts.model_name} makes ({facts.dimension},)."
        )
    length = float(np.linalg.norm(vector))
    if not abs(length - 1) <= 1e-3:  # NaN and infinity fail here as well
        raise BadInput(
            f"The template of reference {template.reference_id} has length {length:.4g}; "
            "a template is finite and of length 1."
        )


def check_model(kept: GalleryFacts, given: GalleryFacts, holder: str) -> None:
    """Refuse to compare templates that were made in different ways.

    Args:
        kept: Properties of the stored templates.
        given: Properties of the configured embedder.
        holder: Where the templates are stored; begins a sentence.

    Raises:
        Misconfigured: Model, dimension or alignment differ; name and threshold may differ.
    """
    same = ("model_sha256", "dimension", "alignment")
    if any(getattr(kept, name) != getattr(given, name) for name in same):
        raise Misconfigured(
            f"{holder} holds templates of {kept.model_name} "
            f"({kept.model_sha256[:12]}, {kept.dimension} numbers, {kept.alignment}), but "
            f"models.embedder is {given.model_name} ({given.model_sha256[:12]}, "
            f"{given.dimension} numbers, {given.alignment}): templates that were "
            "made in two ways cannot be compared; set the former model, or use a new data_dir and "
            "import the watchlist again."
        )
