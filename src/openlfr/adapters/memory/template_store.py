"""The template store in memory, for tests and for measurements that must leave no data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlfr.domain.templates import check_template

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openlfr.domain.templates import GalleryFacts, StoredTemplate


class MemoryTemplateStore:
    """The `TemplateStore` port in memory.

    Args:
        facts: The model of the templates.
    """

    def __init__(self, facts: GalleryFacts) -> None:
        self._facts = facts
        self._rows: dict[str, StoredTemplate] = {}

    def facts(self) -> GalleryFacts | None:
        """Return the model of the stored templates; None while the store is empty."""
        return self._facts if self._rows else None

    def put(self, templates: Sequence[StoredTemplate]) -> None:
        """Insert or replace templates by reference_id; after a BadInput none is stored."""
        for template in templates:
            check_template(template, self._facts)
        self._rows.update((template.reference_id, template) for template in templates)

    def remove(self, reference_ids: Sequence[str]) -> None:
        """Delete templates; unknown ids are ignored."""
        for reference_id in reference_ids:
            self._rows.pop(reference_id, None)

    def get(self, reference_ids: Sequence[str]) -> list[StoredTemplate]:
        """Return the stored templates of these references, ordered by reference_id."""
        return [self._rows[each] for each in sorted(set(reference_ids)) if each in self._rows]

    def all(self, watchlists: Sequence[str]) -> list[StoredTemplate]:
        """Return all stored templates of these watchlists, ordered by reference_id."""
        names = set(watchlists)
        return [row for _, row in sorted(self._rows.items()) if row.watchlist in names]

    def close(self) -> None:
        """Do nothing."""
