"""From a manifest to the index that is searched: a snapshot in this process, or Milvus itself."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import structlog

from openlfr.adapters.milvus_index import MilvusIndex
from openlfr.stages.search import ExactIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from openlfr.adapters.milvus import MilvusTemplateStore
    from openlfr.domain.searchable import Listed
    from openlfr.domain.watchlist import StoredTemplate
    from openlfr.ports import TemplateStore

log = structlog.get_logger()


class Snapshot:
    """Makes an index of each manifest; fetches only the templates that it lacks.

    One thread calls `use`.

    Attributes:
        counts: missing (listed, and not in the vector store) and refused templates (their bytes
            do not carry the listed hash), as of the newest manifest.
    """

    def __init__(self, templates: TemplateStore, on_index: Callable[[ExactIndex], None]) -> None:
        """Have no template yet; `on_index` is given each new index, a whole one, at once."""
        self._templates = templates
        self._on_index = on_index
        self._kept: dict[str, StoredTemplate] = {}
        self.counts: Counter[str] = Counter()

    @property
    def references(self) -> int:
        """How many templates are searched, expired ones included."""
        return len(self._kept) - self.counts["refused"]

    def use(self, manifest: Mapping[str, Listed]) -> None:
        """Search this manifest from now on.

        Raises:
            Unavailable: The vector store does not answer. Who left the list is searched no more
                all the same; who is new is not yet.
        """
        self._kept = {
            key: template for key, template in self._kept.items() if _is_of(template, manifest)
        }
        lacking = [key for key in manifest if key not in self._kept]
        if lacking:
            if self._kept:
                self._hand_over(manifest)  # a removal waits for no vector store
            found = self._templates.get(lacking)
            self._kept |= {each.reference_id: each for each in found if _is_of(each, manifest)}
        index = self._hand_over(manifest)
        missing = len(manifest) - len(self._kept)
        self.counts["missing"], self.counts["refused"] = missing, index.refused
        if missing or index.refused:
            log.warning("listed_and_not_searched", missing=missing, refused=index.refused)

    def _hand_over(self, manifest: Mapping[str, Listed]) -> ExactIndex:
        listed = {key: (entry.template_hash, entry.expires) for key, entry in manifest.items()}
        index = ExactIndex(listed, list(self._kept.values()))
        self._on_index(index)
        return index


class OnServer:
    """Searches each manifest on the Milvus server; one thread calls `use`.

    Attributes:
        counts: Of `MilvusIndex`, over all manifests.
    """

    def __init__(
        self, templates: MilvusTemplateStore, on_index: Callable[[MilvusIndex], None]
    ) -> None:
        """`on_index` is given each new index."""
        self._templates = templates
        self._on_index = on_index
        self.references = 0
        self.counts: Counter[str] = Counter()

    def use(self, manifest: Mapping[str, Listed]) -> None:
        """Search this manifest from now on."""
        self.references = len(manifest)
        self._on_index(MilvusIndex(self._templates, manifest, counts=self.counts))


def _is_of(template: StoredTemplate, manifest: Mapping[str, Listed]) -> bool:
    """Whether the manifest means this very template."""
    entry = manifest.get(template.reference_id)
    return entry is not None and (entry.template_hash, entry.watchlist) == (
        template.template_hash,
        template.watchlist,
    )
