"""Who is looked for, on whose authority and until when."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import numpy as np

from openlfr.domain.errors import BadInput, Misconfigured
from openlfr.domain.faces import CONTROL

if TYPE_CHECKING:
    from datetime import date, datetime

    from numpy.typing import NDArray

DEFAULT_CATEGORIES = ("wanted", "missing", "at_risk", "court_order", CONTROL)
LONGEST = timedelta(days=1096)
"""For how long somebody may be listed at most where a category has no limit of its own: three
years. It keeps nobody on a list for ever; how long is right for whom is for a policy to say."""


class EntryStatus(StrEnum):
    """Where an entry stands. Only `ACTIVE` ones that have not expired are searched."""

    PENDING = "pending"  # recorded, its template not yet in the vector store
    ACTIVE = "active"
    REFUSED = "refused"  # the gallery's rules turned it down after import (duplicate, magnet)
    SUSPENDED = "suspended"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """One row of an import manifest, checked: every field present, the people differ.

    Attributes:
        line: Line number in the manifest, from 1 (the header).
        image: Path as resolved against the manifest's folder.
        captured_on: Date the photo was taken.
        expires: Last moment at which the entry may match, UTC.
        second_authoriser: Allows a picture that is listed under another name already; empty
            where nobody does.
        second_reason: Why; with a second authoriser only.
    """

    line: int
    subject: str
    image: str
    category: str
    legal_basis: str
    source: str
    captured_on: date
    enrolled_by: str
    authorised_by: str
    expires: datetime
    second_authoriser: str = ""
    second_reason: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """One enrolled photo of a subject, as records keep it (its template lives elsewhere).

    Attributes:
        reference_id: UUID text.
        template_hash: sha256 (hex) of the float32 little-endian template bytes.
        picture: Name of the encrypted reference picture in the vault.
        quality: 0 to 100.
        expires: UTC.
        second_authoriser, second_reason: Who allows that the picture is listed under another
            name as well, and why; empty where nobody was asked.
        entry_hash: Of `hash_entry`, as it was recorded; made here where none is given.
    """

    reference_id: str
    watchlist: str
    subject: str
    category: str
    legal_basis: str
    source: str
    captured_on: date
    enrolled_by: str
    authorised_by: str
    expires: datetime
    status: EntryStatus
    template_hash: str
    picture: str
    quality: float
    note: str = ""
    second_authoriser: str = ""
    second_reason: str = ""
    entry_hash: str = ""

    def __post_init__(self) -> None:
        if not self.entry_hash:
            made = hash_entry(self.reference_id, self.subject, self.watchlist, self.template_hash)
            object.__setattr__(self, "entry_hash", made)


class ListedEntry(Protocol):
    """What must be known of a searchable reference, whoever says it: the records, the topic."""

    @property
    def watchlist(self) -> str:
        """The list on which it stands."""
        ...

    @property
    def category(self) -> str:
        """Why it is listed; empty where an earlier version did not say."""
        ...

    @property
    def template_hash(self) -> str:
        """sha256 (hex): a vector that does not carry it does not count."""
        ...

    @property
    def entry_hash(self) -> str:
        """Of `hash_entry`; empty where an earlier version did not say."""
        ...

    @property
    def expires(self) -> datetime:
        """Last moment of capture at which it may match, UTC."""
        ...


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """A searchable reference as the records have it; see `ListedEntry`."""

    watchlist: str
    category: str
    template_hash: str
    entry_hash: str
    expires: datetime


class StoredRow(Protocol):
    """A row of the vector store, with or without its vector."""

    @property
    def watchlist(self) -> str:
        """The list on which it says it stands."""
        ...

    @property
    def template_hash(self) -> str:
        """The hash that it says its vector has."""
        ...

    @property
    def entry_hash(self) -> str:
        """Of `hash_entry`, made of what it says."""
        ...


@dataclass(frozen=True, slots=True)
class GalleryFacts:
    """What all templates of a gallery have in common; templates of another kind are refused.

    Attributes:
        model_sha256: Of the embedder's file as shipped (before preparation).
        dimension: Of a template.
        alignment: Names of the alignment that the model expects and of what else makes a template.
        default_threshold: The per-track score from which a candidate is a sighting, uncalibrated.
    """

    model_name: str
    model_sha256: str
    dimension: int
    alignment: str
    default_threshold: float


@dataclass(frozen=True, slots=True, eq=False)
class StoredTemplate:
    """A reference's template as the vector store holds it.

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
        """Of the entry that it says it is of."""
        return hash_entry(self.reference_id, self.subject, self.watchlist, self.template_hash)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What the gallery's rules make of a pending entry.

    Attributes:
        status: `ACTIVE` or `REFUSED`.
        note: The reason of a refusal, or what a person should know of an accepted entry.
    """

    reference_id: str
    status: EntryStatus
    note: str


def hash_template(vector: NDArray[np.float32]) -> str:
    """Sha256 (hex) of a template's float32 little-endian bytes."""
    return hashlib.sha256(np.ascontiguousarray(vector, "<f4").tobytes()).hexdigest()


def hash_entry(reference_id: str, subject: str, watchlist: str, template_hash: str) -> str:
    """Sha256 (hex) that ties a template to whom it is of and to the list on which they stand.

    A stored template counts only where it carries the recorded hash: who can write to the vector
    store can neither rename somebody there nor exchange two people's faces. Each text is preceded
    by its length in bytes, so that no two entries are written alike.
    """
    digest = hashlib.sha256()
    for text in (reference_id, subject, watchlist, template_hash):
        content = text.encode()
        digest.update(len(content).to_bytes(4, "big") + content)
    return digest.hexdigest()


def matches_entry(stored: StoredRow, entry: ListedEntry) -> bool:
    """Whether a row of the vector store says what is listed of its reference.

    That its vector carries the row's hash is for whoever has the vector to see.
    """
    return (
        stored.template_hash == entry.template_hash
        and stored.watchlist == entry.watchlist
        and entry.entry_hash in ("", stored.entry_hash)
    )


def check_template(template: StoredTemplate, facts: GalleryFacts) -> None:
    """What every template store asks of a template before it takes it.

    Raises:
        BadInput: The wrong dimension, not finite, or not of unit length.
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
    """Refuse to compare templates that were made in two ways.

    Args:
        kept: Of the templates that are there.
        given: Of the embedder that is configured.
        holder: Who keeps the templates; begins a sentence.

    Raises:
        Misconfigured: Another model, dimension or alignment; the name and threshold may differ.
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


NAMING = (
    "subject",
    "source",
    "enrolled_by",
    "authorised_by",
    "second_authoriser",
    "second_reason",
    "note",
    "template_hash",
)
"""What of a `Reference` says who was listed, or by whom; erased some time after it left."""
