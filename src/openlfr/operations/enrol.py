"""Enrol: from a manifest's row to a recorded entry with its template and reference picture."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from openlfr.domain.acts import Act
from openlfr.domain.errors import BadInput
from openlfr.domain.watchlist import EntryStatus, Reference, hash_template
from openlfr.operations.evidence import encode
from openlfr.operations.examine import examine, kept_picture
from openlfr.operations.pictures import read_content

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from openlfr.domain.watchlist import ManifestRow
    from openlfr.operations.examine import EnrolmentRules
    from openlfr.ports import FaceDetector, FaceEmbedder, Vault, WatchlistRecords

PICTURES = "references/"
"""Of every reference picture in the vault; each is encoded as `operations.evidence` does."""


class Verdict(StrEnum):
    """What became of a row."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    ALREADY_LISTED = "already listed"


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """What became of one row, for the person who imports.

    Attributes:
        line: In the manifest.
        reason: Why it was refused, or since when it is listed; empty where accepted.
        reference_id: Of the new or the standing entry; empty where refused.
        quality: 0 to 100; None where no face was assessed.
    """

    line: int
    subject: str
    image: str
    verdict: Verdict
    reason: str = ""
    warnings: tuple[str, ...] = field(default=())
    reference_id: str = ""
    quality: float | None = None


def enrol(
    rows: Iterable[ManifestRow],
    *,
    watchlist: str,
    detector: FaceDetector,
    embedder: FaceEmbedder,
    records: WatchlistRecords,
    vault: Vault,
    rules: EnrolmentRules,
    now: datetime,
) -> Iterator[RowOutcome]:
    """Record an entry for every row whose photo is good; each is durable when it is yielded.

    Entries are pending until `gallery.apply_pending` has moved their templates to the store.

    Args:
        rows: Of `read_manifest`.
        watchlist: The list that they go into.
        detector: Finds the faces.
        embedder: Makes the templates; the gallery is bound to its model.
        records: Takes the entries, their acts and encrypted templates.
        vault: Takes the reference pictures, and seals the templates.
        rules: Which photos are good enough.
        now: UTC, written as the time of the act.

    Raises:
        Misconfigured: The gallery belongs to another model.
        Unavailable: The records or the vault do not answer.
    """
    records.keep_facts(embedder.facts, now)
    for row in rows:
        try:
            yield _enrol_row(row, watchlist, detector, embedder, records, vault, rules, now)
        except BadInput as error:
            reason = f"line {row.line}: {error}"
            yield RowOutcome(row.line, row.subject, row.image, Verdict.REFUSED, reason)


def _enrol_row(
    row: ManifestRow,
    watchlist: str,
    detector: FaceDetector,
    embedder: FaceEmbedder,
    records: WatchlistRecords,
    vault: Vault,
    rules: EnrolmentRules,
    now: datetime,
) -> RowOutcome:
    content_hash = hashlib.sha256(read_content(Path(row.image))).hexdigest()
    standing = records.standing(watchlist, row.subject, content_hash, now)
    if standing is not None:
        return RowOutcome(
            row.line,
            row.subject,
            row.image,
            Verdict.ALREADY_LISTED,
            reason=f"this picture of {row.subject} is {standing.status} until "
            f"{standing.expires:%Y-%m-%d %H:%M} UTC; remove it first to change its entry",
            reference_id=standing.reference_id,
            quality=standing.quality,
        )
    examined = examine(Path(row.image), detector, embedder, rules)
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
    picture = encode(kept_picture(examined), kept_at=now)
    records.add(
        reference,
        picture_hash=examined.picture_hash,
        template=vault.seal(outbox_name(reference_id), examined.template.astype("<f4").tobytes()),
        act=Act(
            at=now,
            actor=row.enrolled_by,
            act="reference.enrolled",
            object_kind="reference",
            object_id=reference_id,
            detail={
                "watchlist": watchlist,
                "subject": row.subject,
                "category": row.category,
                "legal_basis": row.legal_basis,
                "source": row.source,
                "authorised_by": row.authorised_by,
                "expires": row.expires.isoformat(),
                "picture_hash": examined.picture_hash,
                "model_sha256": embedder.facts.model_sha256,
            }
            | second_authorisation(reference),
        ),
        keep_picture=lambda: vault.put(reference.picture, picture),
    )
    return RowOutcome(
        row.line,
        row.subject,
        row.image,
        Verdict.ACCEPTED,
        warnings=examined.warnings,
        reference_id=reference_id,
        quality=examined.quality.score,
    )


def second_authorisation(reference: Reference) -> dict[str, str]:
    """Who allowed a second listing of one picture, and why, for an act; empty without one."""
    if not reference.second_authoriser:
        return {}
    return {
        "second_authoriser": reference.second_authoriser,
        "second_reason": reference.second_reason,
    }


def outbox_name(reference_id: str) -> str:
    """Under which name a template is sealed on its way through the records."""
    return f"outbox/{reference_id}"
