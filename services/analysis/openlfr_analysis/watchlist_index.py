"""Builds the index of the watchlist from a manifest, in this process or on the Milvus server."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING

import structlog

from openlfr.adapters.milvus.index import MilvusIndex
from openlfr.domain.templates import hash_template, matches_entry
from openlfr.stages.search import ExactIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Executor, Future

    from openlfr.adapters.milvus.template_store import MilvusTemplateStore
    from openlfr.domain.control import ManifestChange
    from openlfr.domain.templates import StoredTemplate
    from openlfr.ports import TemplateStore

    _Fetch = tuple[dict[str, ManifestChange], Future[list[StoredTemplate]]]

REFETCH_S = 5.0
"""Seconds after which templates that the store lacks are requested again."""
_RETRY_S = 1.0  # after a failed request
_MAX_REQUESTED = 2000  # templates in one request

log = structlog.get_logger()


class LocalWatchlistIndex:
    """Builds an index of each manifest in this process; fetches only new templates.

    A separate thread fetches templates, so that `use`, which one thread calls, never waits for the
    store.

    Attributes:
        counts: `fetches` and `failed_fetches`.
    """

    def __init__(
        self,
        templates: TemplateStore,
        on_index: Callable[[ExactIndex], None],
        *,
        fetcher: Executor | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start without templates.

        Args:
            templates: The store of the templates.
            on_index: Receives each new index when it is complete.
            fetcher: Runs the requests to the store.
            clock: Returns seconds.
        """
        self._templates = templates
        self._on_index = on_index
        self._fetcher = fetcher or ThreadPoolExecutor(1, "templates")
        self._clock = clock
        self._manifest: Mapping[str, ManifestChange] = {}
        self._usable: dict[str, StoredTemplate] = {}
        self._new: dict[str, ManifestChange] = {}  # listed, not yet requested
        self._unusable: dict[str, ManifestChange] = {}  # listed and requested: missing or altered
        self._altered: set[str] = set()  # the unusable ones that the store has with other bytes
        self._fetch: _Fetch | None = None
        self._retry_at = self._refetch_at = float("-inf")
        self._was_complete = False  # whether all templates of the store were searched once
        self._has_unindexed = False  # whether templates were received since the last index
        self._logged = (0, 0)
        self.counts: Counter[str] = Counter()

    @property
    def references(self) -> int:
        """Number of searched templates, expired ones included."""
        return len(self._usable)

    @property
    def subjects(self) -> int:
        """Number of searched people, plus one for each reference whose template is missing."""
        return len({each.subject for each in self._usable.values()}) + self.missing

    @property
    def missing(self) -> int:
        """Number of listed references whose template is not in the store or not fetched yet."""
        return len(self._new) + len(self._unusable) - self.refused

    @property
    def refused(self) -> int:
        """Number of listed references whose subject, list or template differs in the store."""
        return len(self._altered)

    def use(self, manifest: Mapping[str, ManifestChange]) -> bool:
        """Search the references of this manifest whose templates are available.

        Call it a few times a second with the newest manifest, which must be the same object while
        the list is unchanged.

        Returns:
            Whether all templates of the store are searched. After the first True, the result
            is also True when the store has just returned some new templates, since a long
            import adds templates all the time. Missing templates are requested again every
            `REFETCH_S`.

        Raises:
            Unavailable: The vector store does not answer. Removed references are no longer
                searched, but new references are not searched yet.
        """
        if manifest is not self._manifest:
            self._change(manifest)
        failure: BaseException | None = None
        is_arriving = False
        while request := self._fetch or self._begin_fetch():
            requested, fetch = request
            if not fetch.done():
                break
            self._fetch = None
            failure = fetch.exception()
            if failure is None:
                self._receive(requested, fetch.result())
                is_arriving = self._was_complete
            else:
                self.counts["failed_fetches"] += 1
                self._retry_at = self._clock() + _RETRY_S
        if self._new:
            if failure is not None:
                raise failure
            return is_arriving
        self._was_complete = True
        self._log_missing()
        return True

    def close(self) -> None:
        """Wait for the running request; safe to call twice."""
        self._fetcher.shutdown(cancel_futures=True)

    def _change(self, manifest: Mapping[str, ManifestChange]) -> None:
        previous, self._manifest = self._manifest, manifest
        has_changes = any(manifest.get(key) != previous[key] for key in self._usable)
        self._usable = {
            key: template
            for key, template in self._usable.items()
            if _matches_manifest(template, manifest)
        }
        missing = {key: entry for key, entry in manifest.items() if key not in self._usable}
        self._unusable = {
            key: entry
            for key, entry in missing.items()
            if _is_same_template(entry, self._unusable.get(key))
        }
        self._altered &= self._unusable.keys()
        self._new = {key: entry for key, entry in missing.items() if key not in self._unusable}
        if has_changes or not missing:
            self._publish_index()  # a removal never waits for the vector store

    def _begin_fetch(self) -> _Fetch | None:
        """Request new templates; every `REFETCH_S` request missing templates again."""
        needed = self._new or (self._unusable if self._clock() >= self._refetch_at else {})
        if not needed or self._clock() < self._retry_at:
            return None
        requested = dict(islice(needed.items(), _MAX_REQUESTED))
        self.counts["fetches"] += 1
        self._fetch = requested, self._fetcher.submit(self._templates.get, list(requested))
        return self._fetch

    def _receive(
        self, requested: Mapping[str, ManifestChange], received: Sequence[StoredTemplate]
    ) -> None:
        """Retain the templates that are still listed; record which are missing or altered."""
        stored = {each.reference_id: each for each in received}
        for key, entry in requested.items():
            if not _is_same_template(entry, self._manifest.get(key)):
                continue  # the entry has changed since the request
            template = stored.get(key)
            self._new.pop(key, None)
            self._unusable.pop(key, None)
            self._altered.discard(key)
            if (
                template is not None
                and matches_entry(template, entry)
                and hash_template(template.vector) == entry.template_hash
            ):
                self._usable[key] = template
                self._has_unindexed = True
                continue
            self._unusable[key] = self._manifest[key]  # last, so that others are requested first
            if template is not None:
                self._altered.add(key)
        if not self._new:
            self._refetch_at = self._clock() + REFETCH_S
        if self._has_unindexed and (self._was_complete or not self._new):
            self._has_unindexed = False
            self._publish_index()

    def _log_missing(self) -> None:
        numbers = (self.missing, self.refused)
        if numbers != self._logged:
            self._logged = numbers
            if any(numbers):
                log.warning("listed_and_not_searched", missing=numbers[0], refused=numbers[1])
            else:
                log.info("all_listed_are_searched", references=self.references)

    def _publish_index(self) -> None:
        self._on_index(ExactIndex(self._manifest, list(self._usable.values())))


class MilvusWatchlistIndex:
    """Searches each manifest on the Milvus server; one thread calls `use`.

    Attributes:
        missing: None: unknown, since a search does not return the templates that the server lacks.
        refused: None, for the same reason.
        counts: Counts of `MilvusIndex`, over all manifests.
    """

    missing = refused = None

    def __init__(
        self, templates: MilvusTemplateStore, on_index: Callable[[MilvusIndex], None]
    ) -> None:
        """Start without a manifest; `on_index` receives each new index."""
        self._templates = templates
        self._on_index = on_index
        self._manifest: Mapping[str, ManifestChange] | None = None
        self.counts: Counter[str] = Counter()

    @property
    def references(self) -> int:
        """Number of searched references, expired ones included."""
        return len(self._manifest or ())

    @property
    def subjects(self) -> int:
        """Greatest number of people: each reference of the manifest counts for one."""
        return self.references

    def use(self, manifest: Mapping[str, ManifestChange]) -> bool:
        """Search this manifest from now on; return True always."""
        if manifest is not self._manifest:
            self._manifest = manifest
            self._on_index(MilvusIndex(self._templates, manifest, counts=self.counts))
        return True

    def close(self) -> None:
        """Do nothing, since no request is running."""


def _matches_manifest(template: StoredTemplate, manifest: Mapping[str, ManifestChange]) -> bool:
    """Return whether the manifest lists exactly this template."""
    entry = manifest.get(template.reference_id)
    return entry is not None and matches_entry(template, entry)


def _is_same_template(entry: ManifestChange, other: ManifestChange | None) -> bool:
    """Return whether both entries list the same template of a reference."""
    return other is not None and (entry.template_hash, entry.watchlist, entry.entry_hash) == (
        other.template_hash,
        other.watchlist,
        other.entry_hash,
    )
