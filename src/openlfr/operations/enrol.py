"""Enrols rows of a manifest: records an entry with its template and reference picture."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from openlfr.domain.audit import AuditEvent
from openlfr.domain.audit_references import ReferenceEnrolled
from openlfr.domain.errors import BadInput, NotAllowed
from openlfr.domain.permissions import Action, require
from openlfr.domain.templates import hash_template
from openlfr.domain.watchlist import EntryStatus, Reference
from openlfr.operations.evidence import encode
from openlfr.operations.examine import examine, make_reference_picture
from openlfr.operations.pictures import read_content

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from openlfr.domain.principals import Principal
    from openlfr.domain.watchlist import ManifestRow
    from openlfr.operations.examine import EnrolmentRules
    from openlfr.ports import FaceDetector, FaceEmbedder, Records, Vault

PICTURES = "references/"
"""Prefix of reference pictures in the vault; they are encoded by `operations.evidence`."""


class RowResult(StrEnum):
    """The result of a row."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    ALREADY_LISTED = "already listed"


@dataclass(frozen=True, slots=True)
class RowReport:
    """The result of one row, for the person who imports.

    Attributes:
        line: Line in the manifest.
        subject, image: Values of the row.
        result: The result.
        reason: The reason if the row was refused or is already listed; empty if accepted.
        warnings: Sentences about an accepted photo.
        reference_id: Id of the new or existing entry; empty if refused.
        quality: Quality of the entry's face, 0 to 100; None if refused.
    """

    line: int
    subject: str
    image: str
    result: RowResult
    reason: str = ""
    warnings: tuple[str, ...] = field(default=())
    reference_id: str = ""
    quality: float | None = None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The target and the tools of an import.

    Attributes:
        watchlist: Name of the watchlist.
        detector: Detects the faces.
        embedder: Computes the templates; the gallery is bound to this model.
        rules: Minimum quality of photos.
    """

    watchlist: str
    detector: FaceDetector
    embedder: FaceEmbedder
    rules: EnrolmentRules


def enrol(
    rows: Iterable[ManifestRow],
    enrolment: Enrolment,
    *,
    records: Records,
    vault: Vault,
    by: Principal,
    now: datetime,
) -> Iterator[RowReport]:
    """Record an entry for every row with a good photo that is not listed yet.

    Each row is enrolled when its report is read from the iterator, and its entry is durable by
    then. A row that cannot be enrolled yields a report too. Entries are pending until
    `gallery.apply_pending` has moved their templates to the vector store.

    Args:
        rows: Rows from `read_manifest`, with enroller and authoriser.
        enrolment: The list, the models, the rules.
        records: Store of the entries, their audit events and encrypted templates.
        vault: Store of the reference pictures; encrypts the templates.
        by: The person who imports.
        now: UTC, recorded as the time of the act.

    Raises:
        NotAllowed: The person may not enrol. Or the person is logged in, which is reported at the
            first row: a file cannot prove that another person authorised an entry.
        Misconfigured: The gallery was made with another model.
        Unavailable: The records or the vault do not answer.
    """
    require(by, Action.ENROL)
    with records.unit_of_work() as work:
        work.watchlist.bind_model(enrolment.embedder.facts, now)
    return _enrol_each(rows, enrolment, records, vault, by, now)


def _enrol_each(
    rows: Iterable[ManifestRow],
    enrolment: Enrolment,
    records: Records,
    vault: Vault,
    by: Principal,
    now: datetime,
) -> Iterator[RowReport]:
    for row in rows:
        if by.is_authenticated:
            raise NotAllowed(
                f"{by.name} may not enrol line {row.line} with the authorisation stated in the "
                "file: another person with the role authoriser must log in and authorise the entry."
            )
        try:
            yield _enrol_row(row, enrolment, records, vault, by, now)
        except BadInput as error:
            reason = f"line {row.line}: {error}"
            yield RowReport(row.line, row.subject, row.image, RowResult.REFUSED, reason)


def _enrol_row(
    row: ManifestRow,
    enrolment: Enrolment,
    records: Records,
    vault: Vault,
    by: Principal,
    now: datetime,
) -> RowReport:
    watchlist = enrolment.watchlist
    content_hash = hashlib.sha256(read_content(Path(row.image))).hexdigest()
    existing_entry = records.watchlist.current_entry(watchlist, row.subject, content_hash, now)
    if existing_entry is not None:
        return _already_listed(row, existing_entry)
    examined = examine(Path(row.image), enrolment.detector, enrolment.embedder, enrolment.rules)
    reference_id = str(uuid.uuid4())
    reference = Reference(
        reference_id=reference_id,
        watchlist=watchlist,
        subject=row.subject,
        category=row.category,
        legal_basis=row.legal_basis,
        source=row.source,
        captured_on=row.captured_on,
        enrolled_by=row.enrolled_by,
        authorised_by=row.authorised_by,
        expires=row.expires,
        status=EntryStatus.PENDING,
        template_hash=hash_template(examined.template),
        picture=PICTURES + reference_id,
        quality=examined.quality.score,
        note="; ".join(examined.warnings),
        second_authoriser=row.second_authoriser,
        second_reason=row.second_reason,
    )
    # Store the picture first, so that every entry has a picture. After a crash in between, the
    # picture has no entry, and `gallery.erase_unrecorded_pictures` erases it. The vault is slow, so
    # this happens outside the transaction.
    vault.put(reference.picture, encode(make_reference_picture(examined), kept_at=now))
    sealed = vault.seal(outbox_name(reference_id), examined.template.astype("<f4").tobytes())
    who = by.with_name(row.enrolled_by)
    enrolled = ReferenceEnrolled.from_entry(
        reference,
        picture_hash=examined.picture_hash,
        model_sha256=enrolment.embedder.facts.model_sha256,
    )
    with records.unit_of_work() as work:
        # Check again under the lock: another import may have listed the picture since the first
        # check, and without a lock two imports could both list it.
        work.watchlist.lock()
        existing_entry = work.watchlist.current_entry(watchlist, row.subject, content_hash, now)
        if existing_entry is None:
            work.watchlist.add(
                reference, picture_hash=examined.picture_hash, template=sealed, at=now
            )
            work.record(AuditEvent(now, who, enrolled))
    if existing_entry is not None:
        vault.delete(reference.picture)
        return _already_listed(row, existing_entry)
    return RowReport(
        row.line,
        row.subject,
        row.image,
        RowResult.ACCEPTED,
        warnings=examined.warnings,
        reference_id=reference_id,
        quality=examined.quality.score,
    )


def _already_listed(row: ManifestRow, existing_entry: Reference) -> RowReport:
    return RowReport(
        row.line,
        row.subject,
        row.image,
        RowResult.ALREADY_LISTED,
        reason=f"this picture of {row.subject} is {existing_entry.status} until "
        f"{existing_entry.expires:%Y-%m-%d %H:%M} UTC; remove it first to change its entry",
        reference_id=existing_entry.reference_id,
        quality=existing_entry.quality,
    )


def outbox_name(reference_id: str) -> str:
    """Return the name under which a template is encrypted in the records' outbox."""
    return f"outbox/{reference_id}"
