"""Watchlist entries to rows, and from rows."""

from __future__ import annotations

from typing import Any

from openlfr.adapters.sql.tables import references
from openlfr.domain.watchlist import EntryStatus, Reference

_FIELDS = tuple(Reference.__dataclass_fields__)
COLUMNS = [references.c[name] for name in _FIELDS]
"""Columns that `reference_of` needs."""


def row_of(reference: Reference) -> dict[str, Any]:
    """The columns of an entry in its row; the others record pending work (`tables.references`)."""
    return {name: getattr(reference, name) for name in _FIELDS}


def reference_of(row: Any) -> Reference:
    """The entry of a row that has `COLUMNS`."""
    values = {name: getattr(row, name) for name in _FIELDS}
    return Reference(**values | {"status": EntryStatus(row.status)})
