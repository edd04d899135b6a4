"""Watchlist entries as rows, and back."""

from __future__ import annotations

from typing import Any

from openlfr.adapters.sql.tables import references
from openlfr.domain.watchlist import EntryStatus, Reference

_FIELDS = tuple(Reference.__dataclass_fields__)
COLUMNS = [references.c[name] for name in _FIELDS]
"""Of a query whose rows are for `reference_of`."""


def row_of(reference: Reference) -> dict[str, Any]:
    """An entry's part of its row; the rest is what is owed to it (`tables.references`)."""
    return {name: getattr(reference, name) for name in _FIELDS}


def reference_of(row: Any) -> Reference:
    """The entry of a row that has `COLUMNS`."""
    values = {name: getattr(row, name) for name in _FIELDS}
    return Reference(**values | {"status": EntryStatus(row.status)})
