"""Conversion of watchlist entries to rows, and of rows to entries."""

from __future__ import annotations

from typing import Any

from openlfr.adapters.sql.tables import references
from openlfr.domain.watchlist import EntryStatus, Reference

_FIELDS = tuple(Reference.__dataclass_fields__)
COLUMNS = [references.c[name] for name in _FIELDS]
"""Columns that `reference_of` requires."""


def row_of(reference: Reference) -> dict[str, Any]:
    """Return the columns of an entry; other columns record pending work (`tables.references`)."""
    return {name: getattr(reference, name) for name in _FIELDS}


def reference_of(row: Any) -> Reference:
    """Convert a row with `COLUMNS` to an entry."""
    values = {name: getattr(row, name) for name in _FIELDS}
    return Reference(**values | {"status": EntryStatus(row.status)})
