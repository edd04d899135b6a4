"""Entries of the watchlist and their templates."""

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
"""Longest time on the list for categories without a limit of their own: three years.

It only prevents entries without an end; the right time for each category is a matter of policy."""


class EntryStatus(StrEnum):
    """Status of an entry. Only `ACTIVE` entries that have not expired are searched."""

    PENDING = "pending"  # recorded, its template not yet in the vector store
    ACTIVE = "active"
    REFUSED = "refused"  # rejected by the gallery's rules after import (duplicate, magnet)
    SUSPENDED = "suspended"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """A checked row of an import manifest: all fields are present, the people differ.

    Attributes:
        line: Line number in the manifest, from 1 (the header).
        image: Path of the photo, resolved against the manifest's folder.
        captured_on: Date of the photo.
        expires: Last time at which the entry may match, UTC.
        second_authoriser: The person who allows a picture that is already listed under another
            name; empty without one.
        second_reason: Reason of the second authoriser; empty without one.
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
    """An enrolled photo of a subject, as recorded; its template is in the vector store.

    Attributes:
        reference_id: UUID text.
        template_hash: sha256 (hex) of the float32 little-endian template bytes.
        picture: Name of the encrypted reference picture in the vault.
        quality: Quality of the face, 0 to 100.
        expires: UTC.
        second_authoriser, second_reason: The person who allowed the picture to be listed under
            another name too, and the reason; empty without one.
        entry_hash: The recorded result of `hash_entry`; computed where none is given.
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
    """The fields of a searchable reference that the records and control.v1 have in common."""

    @property
    def watchlist(self) -> str:
        """Name of its list."""
        ...

    @property
    def category(self) -> str:
        """Why the person is listed; empty in data of earlier versions."""
        ...

    @property
    def template_hash(self) -> str:
        """sha256 (hex); vectors with another hash are ignored."""
        ...

    @property
    def entry_hash(self) -> str:
        """Result of `hash_entry`; empty in data of earlier versions."""
        ...

    @property
    def expires(self) -> datetime:
        """Last capture time at which the reference may match, UTC."""
        ...


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """A searchable reference from the records; see `ListedEntry`."""

    watchlist: str
    category: str
    template_hash: str
    entry_hash: str
    expires: datetime


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


@dataclass(frozen=True, slots=True)
class Settlement:
    """The decision of the gallery's rules on a pending entry.

    Attributes:
        status: `ACTIVE` or `REFUSED`.
        note: Reason of a rejection, or a remark on an accepted entry.
    """

    reference_id: str
    status: EntryStatus
    note: str


def hash_template(vector: NDArray[np.float32]) -> str:
    """Sha256 (hex) of a template's float32 little-endian bytes."""
    return hashlib.sha256(np.ascontiguousarray(vector, "<f4").tobytes()).hexdigest()


def hash_entry(reference_id: str, subject: str, watchlist: str, template_hash: str) -> str:
    """Sha256 (hex) that binds a template to its subject and list.

    A stored template counts only with the recorded hash. So an attacker who can write to the
    vector store can neither rename a person nor exchange two people's faces. Each text is preceded
    by its length in bytes, so that no two entries have the same input.
    """
    digest = hashlib.sha256()
    for text in (reference_id, subject, watchlist, template_hash):
        content = text.encode()
        digest.update(len(content).to_bytes(4, "big") + content)
    return digest.hexdigest()


def matches_entry(stored: StoredRow, entry: ListedEntry) -> bool:
    """Whether a row of the vector store agrees with the listed entry of its reference.

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
"""The fields of a `Reference` that name people; erased some time after its removal."""
