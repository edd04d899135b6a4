"""An entry as an import leaves it: its row, its sealed template and the act of its enrolment."""

from openlfr.domain.audit import AuditEvent
from openlfr.domain.audit_references import ReferenceEnrolled
from openlfr.domain.principals import SYSTEM


def add_entry(work, entry, *, picture_hash="p1", template=b"sealed", at):
    """Add it within a unit of work."""
    work.watchlist.add(entry, picture_hash=picture_hash, template=template, at=at)
    enrolled = ReferenceEnrolled.from_entry(entry, picture_hash=picture_hash, model_sha256="a" * 64)
    work.record(AuditEvent(at, SYSTEM, enrolled))
