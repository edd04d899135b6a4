"""Measures the time until an entry altered in the database is detected.

    python -m benchmarks.altered_entries [--entries 20000] [--sql postgresql+psycopg://...]

Every entry is compared once with the act of its enrolment, and again when its row has changed. The
figures are seconds of work of one thread. Then one entry is renamed directly in the database.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import UTC, date, datetime
from statistics import median
from typing import TYPE_CHECKING

import sqlalchemy as sa

from openlfr.adapters.sql.records import Records
from openlfr.adapters.sql.tables import references
from openlfr.domain.audit import AuditEvent
from openlfr.domain.audit_references import ReferenceEnrolled
from openlfr.domain.principals import local_principal
from openlfr.domain.watchlist import EntryStatus, GalleryDecision, Reference
from openlfr.embedded.watchlist_updater import COMPARE_S, SHARE

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
EXPIRES = datetime(2027, 5, 1, tzinfo=UTC)
_AT_ONCE = 1000


def enrol(records: Records, entries: int) -> None:
    """List this number of references, two of each person."""
    by = local_principal("eve", "Eve Enroller")
    for start in range(0, entries, _AT_ONCE):
        with records.unit_of_work() as work:
            numbers = range(start, min(start + _AT_ONCE, entries))
            for number in numbers:
                entry = _entry(number)
                work.watchlist.add(entry, picture_hash=f"{number:064}", template=b"", at=NOW)
                enrolled = ReferenceEnrolled.from_entry(
                    entry, picture_hash=f"{number:064}", model_sha256="a" * 64
                )
                work.record(AuditEvent(NOW, by, enrolled))
            settled = [GalleryDecision(_key(n), EntryStatus.ACTIVE, "") for n in numbers]
            work.watchlist.settle(settled, NOW)


def measure(records: Records, times: int = 5) -> None:
    """Print the cost of comparing, and check that an altered entry is detected."""

    def compare() -> dict[str, str]:
        return records.watchlist.altered_entries(["default"], compare_all=True)

    first, _ = _timed(compare)
    again = median(_timed(compare)[0] for _ in range(times))
    for values in ({"source": "hearsay"}, {"subject": "Mr Innocent"}):
        with records._engine.begin() as connection:
            mine = references.c.reference_id == _key(17)
            connection.execute(sa.update(references).where(mine).values(values))
        took, found = _timed(compare)
        print(f"found {', '.join(found.values()) or 'NOTHING'}: {took:.2f} s")
    whole, _ = _timed(records.control.altered_entries)
    once, _ = _timed(records.control.altered_entries)
    every = max(COMPARE_S, SHARE * again)
    print(f"compared at first in {first:.2f} s ({whole:.2f} s by alerting), looked at again in")
    print(f"{again:.2f} s ({once:.2f} s), every {every:.1f} s: found after {every + again:.1f} s")


def _timed(work: Callable[[], dict[str, str]]) -> tuple[float, dict[str, str]]:
    begun = time.thread_time()
    found = work()
    return time.thread_time() - begun, found


def _key(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def _entry(number: int) -> Reference:
    subject, hashed = f"Person {number // 2}", f"{number:064}"
    return Reference(
        _key(number), "default", subject, "wanted", "Order 1", "passport", date(2025, 1, 2),
        "Eve Enroller", "Otto Authoriser", EXPIRES, EntryStatus.PENDING, hashed,
        f"references/{number}", 70.0,
    )  # fmt: skip


def main() -> None:
    """Measure on SQLite in a temporary folder, or on the database of `--sql`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=20_000)
    parser.add_argument("--sql", help="an empty database; default: SQLite")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        Records.open(given.sql or f"sqlite:///{folder}/openlfr.db") as records,
    ):
        enrol(records, given.entries)
        measure(records)


if __name__ == "__main__":
    main()
