"""Templates of enrolled faces, and checks against the entries of the watchlist."""

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
        """Name of the list in the row."""
        ...

    @property
    def template_hash(self) -> str:
        """Hash of the vector in the row."""
        ...

    @property
    def entry_hash(self) -> str:
        """Result of `hash_entry` for the row's fields."""
        ...


@dataclass(frozen=True, slots=True)
class GalleryFacts:
    """The common properties of all templates of a gallery; other templates are rejected.

    Attributes:
        model_sha256: sha256 (hex) of the embedder's shipped file (before preparation).
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
    """A reference's template in the vector store.

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

    Template hash and list are compared, and the entry hash if the entry has one. The caller must
    check that the vector has the hash in the row.
    """
    return (
        stored.template_hash == entry.template_hash
        and stored.watchlist == entry.watchlist
        and entry.entry_hash in ("", stored.entry_hash)
    )


def check_template(template: StoredTemplate, facts: GalleryFacts) -> None:
    """Reject an invalid template.

    Raises:
        BadInput: The dimension is wrong, or the vector is not finite or not of unit length.
    """
    vector = template.vector
    if vector.shape != (facts.dimension,):
        raise BadInput(
            f"The template of reference {template.reference_id} has shape {vector.shape}; "
            f"templates of {facts.model_name} have the shape ({facts.dimension},)."
        )
    length = float(np.linalg.norm(vector))
    if not abs(length - 1) <= 1e-3:  # also false for NaN and infinity
        raise BadInput(
            f"The template of reference {template.reference_id} has length {length:.4g}; "
            "a template must be finite and have length 1."
        )


def check_model(stored: GalleryFacts, configured: GalleryFacts, holder: str) -> None:
    """Check that stored templates can be compared with templates of the configured embedder.

    Args:
        stored: Properties of the stored templates.
        configured: Properties of the configured embedder.
        holder: Location of the stored templates; first words of the error message.

    Raises:
        Misconfigured: Model, dimension or alignment differ; name and threshold may differ.
    """
    same = ("model_sha256", "dimension", "alignment")
    if any(getattr(stored, name) != getattr(configured, name) for name in same):
        raise Misconfigured(
            f"{holder} contains templates of {stored.model_name} "
            f"({stored.model_sha256[:12]}, {stored.dimension} numbers, {stored.alignment}), but "
            f"models.embedder is {configured.model_name} ({configured.model_sha256[:12]}, "
            f"{configured.dimension} numbers, {configured.alignment}), and such templates cannot "
            "be compared. Configure the previous model, or use a new data_dir and import the "
            "watchlist again."
        )
