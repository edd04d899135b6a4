"""Entries of the watchlist, their enrolment and their hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from openlfr.domain.faces import CONTROL

if TYPE_CHECKING:
    from datetime import date, datetime


DEFAULT_CATEGORIES = ("wanted", "missing", "at_risk", "court_order", CONTROL)
MAX_TIME_LISTED = timedelta(days=1096)
"""Longest time on the list for categories without a configured limit: three years.

The limit only prevents endless entries; the right time for each category is a matter of policy."""


class EntryStatus(StrEnum):
    """Status of an entry; only unexpired `ACTIVE` entries are searched."""

    PENDING = "pending"  # recorded, but its template is not yet in the vector store
    ACTIVE = "active"
    REFUSED = "refused"  # rejected by the gallery's rules after import (duplicate, magnet)
    SUSPENDED = "suspended"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """A checked row of an import manifest: no field is missing, and the people are different.

    Attributes:
        line: Line number in the manifest, from 1 (the header).
        image: Path of the photo, resolved against the manifest's folder.
        captured_on: Date of the photo.
        expires: Last time at which the entry may match, UTC.
        second_authoriser: The person who allows a picture that is already listed under another
            name; empty without such a person.
        second_reason: Reason of the second authoriser; empty without a second authoriser.
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
        second_authoriser, second_reason: The person who allowed a picture that is also listed
            under another name, and that person's reason; empty without such a person.
        entry_hash: The recorded result of `hash_entry`; computed if it is missing.
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
            computed = hash_entry(
                self.reference_id, self.subject, self.watchlist, self.template_hash
            )
            object.__setattr__(self, "entry_hash", computed)


class ListedEntry(Protocol):
    """The common fields of a searchable reference in the records and in control.v1."""

    @property
    def watchlist(self) -> str:
        """Name of the list."""
        ...

    @property
    def category(self) -> str:
        """Why the person is listed; empty in data of earlier versions."""
        ...

    @property
    def template_hash(self) -> str:
        """sha256 (hex) of the template; vectors with another hash are ignored."""
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


@dataclass(frozen=True, slots=True)
class GalleryDecision:
    """The decision of the gallery's rules on a pending entry.

    Attributes:
        status: `ACTIVE` or `REFUSED`.
        note: Reason for a rejection, or a remark on an accepted entry.
    """

    reference_id: str
    status: EntryStatus
    note: str


def hash_entry(reference_id: str, subject: str, watchlist: str, template_hash: str) -> str:
    """Return the sha256 (hex) that binds a template to its subject and list.

    A stored template is used only with the recorded hash. So an attacker who can write to the
    vector store can neither rename a person nor exchange the faces of two people. The input
    contains the length in bytes before each text, so that no two entries have the same input.
    """
    digest = hashlib.sha256()
    for text in (reference_id, subject, watchlist, template_hash):
        content = text.encode()
        digest.update(len(content).to_bytes(4, "big") + content)
    return digest.hexdigest()


PERSONAL_FIELDS = (
    "subject",
    "source",
    "enrolled_by",
    "authorised_by",
    "second_authoriser",
    "second_reason",
    "note",
    "template_hash",
)
"""The fields of a `Reference` that identify people; erased some time after the entry's removal."""
