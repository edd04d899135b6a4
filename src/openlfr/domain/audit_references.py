"""Audit events about entries of the watchlist (see `domain.audit`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from openlfr.domain.audit import ActDetails

if TYPE_CHECKING:
    from openlfr.domain.watchlist import Reference


@dataclass(frozen=True, slots=True)
class ReferenceActDetails(ActDetails):
    """Details of an act on an entry of the watchlist.

    Attributes:
        reason: Free text of the person; empty if the act needs no reason.
    """

    object_kind: ClassVar[str] = "reference"
    reference_id: str
    subject: str
    watchlist: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ReferenceEnrolled(ActDetails):
    """A person was listed.

    Attributes:
        enrolled_by, authorised_by: Names from the manifest.
        expires: ISO 8601, UTC.
        picture_hash: sha256 (hex) of the imported file.
        model_sha256: sha256 (hex) of the embedder's file as shipped.
        second_authoriser, second_reason: The person who allowed a picture that is also listed
            under another name, and that person's reason.
        entry_hash: Hash of the entry (`watchlist.hash_entry`); empty in acts of earlier versions.
    """

    kind: ClassVar[str] = "reference.enrolled"
    object_kind: ClassVar[str] = "reference"
    reference_id: str
    subject: str
    watchlist: str
    category: str
    legal_basis: str
    source: str
    enrolled_by: str
    authorised_by: str
    expires: str
    picture_hash: str
    model_sha256: str
    second_authoriser: str = ""
    second_reason: str = ""
    entry_hash: str = ""

    @classmethod
    def from_entry(cls, entry: Reference, *, picture_hash: str, model_sha256: str) -> Self:
        """Return the details of an entry's enrolment."""
        return cls(
            reference_id=entry.reference_id,
            subject=entry.subject,
            watchlist=entry.watchlist,
            category=entry.category,
            legal_basis=entry.legal_basis,
            source=entry.source,
            enrolled_by=entry.enrolled_by,
            authorised_by=entry.authorised_by,
            expires=entry.expires.isoformat(),
            picture_hash=picture_hash,
            model_sha256=model_sha256,
            second_authoriser=entry.second_authoriser,
            second_reason=entry.second_reason,
            entry_hash=entry.entry_hash,
        )


@dataclass(frozen=True, slots=True)
class ReferenceActivated(ActDetails):
    """An entry passed the gallery's rules and is searchable."""

    kind: ClassVar[str] = "reference.activated"
    object_kind: ClassVar[str] = "reference"
    reference_id: str
    subject: str
    note: str = ""
    second_authoriser: str = ""
    second_reason: str = ""


@dataclass(frozen=True, slots=True)
class ReferenceRefused(ActDetails):
    """The gallery's rules rejected an entry after its import."""

    kind: ClassVar[str] = "reference.refused"
    object_kind: ClassVar[str] = "reference"
    reference_id: str
    subject: str
    note: str = ""
    second_authoriser: str = ""
    second_reason: str = ""


@dataclass(frozen=True, slots=True)
class ReferenceSuspended(ReferenceActDetails):
    """An entry was suspended, so that it is not searchable until it is resumed."""

    kind: ClassVar[str] = "reference.suspended"


@dataclass(frozen=True, slots=True)
class ReferenceResumed(ReferenceActDetails):
    """A suspended entry is searchable again."""

    kind: ClassVar[str] = "reference.resumed"


@dataclass(frozen=True, slots=True)
class ReferenceRemoved(ReferenceActDetails):
    """An entry was removed for good; its template and picture were erased."""

    kind: ClassVar[str] = "reference.removed"


@dataclass(frozen=True, slots=True)
class ReferenceExpired(ActDetails):
    """An entry expired; its template and picture were erased.

    Attributes:
        expires: ISO 8601, UTC.
    """

    kind: ClassVar[str] = "reference.expired"
    object_kind: ClassVar[str] = "reference"
    reference_id: str
    subject: str
    expires: str


@dataclass(frozen=True, slots=True)
class ReferenceForgotten(ActDetails):
    """The subject's name and other personal fields of a removed entry were erased."""

    kind: ClassVar[str] = "reference.forgotten"
    object_kind: ClassVar[str] = "reference"
    reference_id: str
