"""From a manifest to the index that is searched: a snapshot in this process, or Milvus itself."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING

import structlog

from openlfr.adapters.milvus.index import MilvusIndex
from openlfr.domain.watchlist import hash_template, is_of
from openlfr.stages.search import ExactIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Executor, Future

    from openlfr.adapters.milvus.template_store import MilvusTemplateStore
    from openlfr.domain.control import ManifestChange
    from openlfr.domain.watchlist import StoredTemplate
    from openlfr.ports import TemplateStore

    _Fetch = tuple[dict[str, ManifestChange], Future[list[StoredTemplate]]]

AGAIN_S = 5.0
"""After so many seconds templates that the store lacked are asked for again."""
_RETRY_S = 1.0
_AT_ONCE = 2000

log = structlog.get_logger()


class LocalWatchlistIndex:
    """Makes an index of each manifest; fetches only the templates that it lacks.

    They are fetched in a thread of their own: whoever calls `use`, one thread, waits for nobody.

    Attributes:
        counts: fetches, and failed_fetches.
    """

    def __init__(
        self,
        templates: TemplateStore,
        on_index: Callable[[ExactIndex], None],
        *,
        fetcher: Executor | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Have no template yet.

        Args:
            templates: The store that is asked.
            on_index: Is given each new index, a whole one, at once.
            fetcher: Whose thread asks.
            clock: Seconds.
        """
        self._templates = templates
        self._on_index = on_index
        self._fetcher = fetcher or ThreadPoolExecutor(1, "templates")
        self._clock = clock
        self._manifest: Mapping[str, ManifestChange] = {}
        self._kept: dict[str, StoredTemplate] = {}
        self._new: dict[str, ManifestChange] = {}  # listed, and not yet asked for
        self._absent: dict[str, ManifestChange] = {}  # listed, and asked for in vain
        self._altered: set[str] = set()  # those of them that are stored, with other bytes
        self._fetch: _Fetch | None = None
        self._retry_at = self._again_at = float("-inf")
        self._was_whole = False
        self._came = False  # something that was not handed over yet
        self._told = (0, 0)
        self.counts: Counter[str] = Counter()

    @property
    def references(self) -> int:
        """How many templates are searched, expired ones included."""
        return len(self._kept)

    @property
    def subjects(self) -> int:
        """How many people are searched; who is listed and not here yet counts for one each."""
        return len({each.subject for each in self._kept.values()}) + self.missing

    @property
    def missing(self) -> int:
        """How many are listed and not here: the store lacks them, or they are on their way."""
        return len(self._new) + len(self._absent) - self.refused

    @property
    def refused(self) -> int:
        """How many are listed and stored, but as another subject, on another list or altered."""
        return len(self._altered)

    def use(self, manifest: Mapping[str, ManifestChange]) -> bool:
        """Search this manifest from now on, as far as its templates are here.

        To be called a few times a second, with the newest manifest: the very same while nothing
        has changed.

        Returns:
            Whether all is searched that the store has of it; once that was so, also where the
            store has just given some of what is new (a long import brings ever more). What it
            lacks is asked for again every `AGAIN_S`.

        Raises:
            Unavailable: The vector store did not answer. Who left the list is searched no more
                all the same; who is new is not yet.
        """
        if manifest is not self._manifest:
            self._change(manifest)
        failure: BaseException | None = None
        coming = False
        while under_way := self._fetch or self._begin_fetch():
            asked, fetch = under_way
            if not fetch.done():
                break
            self._fetch = None
            failure = fetch.exception()
            if failure is None:
                self._receive(asked, fetch.result())
                coming = self._was_whole
            else:
                self.counts["failed_fetches"] += 1
                self._retry_at = self._clock() + _RETRY_S
        if self._new:
            if failure is not None:
                raise failure
            return coming
        self._was_whole = True
        self._tell()
        return True

    def close(self) -> None:
        """Wait for the fetch that is under way; safe to call twice."""
        self._fetcher.shutdown(cancel_futures=True)

    def _change(self, manifest: Mapping[str, ManifestChange]) -> None:
        before, self._manifest = self._manifest, manifest
        changed = any(manifest.get(key) != before[key] for key in self._kept)
        self._kept = {
            key: template for key, template in self._kept.items() if _is_of(template, manifest)
        }
        lacking = {key: entry for key, entry in manifest.items() if key not in self._kept}
        self._absent = {
            key: entry for key, entry in lacking.items() if _means(entry, self._absent.get(key))
        }
        self._altered &= self._absent.keys()
        self._new = {key: entry for key, entry in lacking.items() if key not in self._absent}
        if changed or not lacking:
            self._hand_over()  # a removal waits for no vector store

    def _begin_fetch(self) -> _Fetch | None:
        """Ask for what is new, or again for what was lacking, if it is time to."""
        wanted = self._new or (self._absent if self._clock() >= self._again_at else {})
        if not wanted or self._clock() < self._retry_at:
            return None
        asked = dict(islice(wanted.items(), _AT_ONCE))
        self.counts["fetches"] += 1
        self._fetch = asked, self._fetcher.submit(self._templates.get, list(asked))
        return self._fetch

    def _receive(
        self, asked: Mapping[str, ManifestChange], found: Sequence[StoredTemplate]
    ) -> None:
        """Keep what came and is still listed; note what did not come."""
        stored = {each.reference_id: each for each in found}
        for key, entry in asked.items():
            if not _means(entry, self._manifest.get(key)):
                continue  # the list has changed: it is gone, or still to be asked for
            template = stored.get(key)
            self._new.pop(key, None)
            self._absent.pop(key, None)
            self._altered.discard(key)
            if (
                template is not None
                and is_of(template, entry)
                and hash_template(template.vector) == entry.template_hash
            ):
                self._kept[key] = template
                self._came = True
                continue
            self._absent[key] = self._manifest[key]  # behind the others, which are asked for next
            if template is not None:
                self._altered.add(key)
        if not self._new:
            self._again_at = self._clock() + AGAIN_S
        if self._came and (self._was_whole or not self._new):
            self._came = False
            self._hand_over()

    def _tell(self) -> None:
        now = (self.missing, self.refused)
        if now != self._told:
            self._told = now
            if any(now):
                log.warning("listed_and_not_searched", missing=now[0], refused=now[1])
            else:
                log.info("all_listed_are_searched", references=self.references)

    def _hand_over(self) -> None:
        self._on_index(ExactIndex(self._manifest, list(self._kept.values())))


class MilvusWatchlistIndex:
    """Searches each manifest on the Milvus server; one thread calls `use`.

    Attributes:
        missing: Not known: whom the server lacks is found by no search.
        refused: The same.
        counts: Of `MilvusIndex`, over all manifests.
    """

    missing = refused = None

    def __init__(
        self, templates: MilvusTemplateStore, on_index: Callable[[MilvusIndex], None]
    ) -> None:
        """`on_index` is given each new index."""
        self._templates = templates
        self._on_index = on_index
        self._manifest: Mapping[str, ManifestChange] | None = None
        self.counts: Counter[str] = Counter()

    @property
    def references(self) -> int:
        """How many references are searched, expired ones included."""
        return len(self._manifest or ())

    @property
    def subjects(self) -> int:
        """How many people at most: a manifest names references, each of which counts for one."""
        return self.references

    def use(self, manifest: Mapping[str, ManifestChange]) -> bool:
        """Search this manifest from now on: True."""
        if manifest is not self._manifest:
            self._manifest = manifest
            self._on_index(MilvusIndex(self._templates, manifest, counts=self.counts))
        return True

    def close(self) -> None:
        """Nothing is under way."""


def _is_of(template: StoredTemplate, manifest: Mapping[str, ManifestChange]) -> bool:
    """Whether the manifest means this very template."""
    entry = manifest.get(template.reference_id)
    return entry is not None and is_of(template, entry)


def _means(entry: ManifestChange, other: ManifestChange | None) -> bool:
    """Whether both mean the same template of that reference."""
    return other is not None and (entry.template_hash, entry.watchlist, entry.entry_hash) == (
        other.template_hash,
        other.watchlist,
        other.entry_hash,
    )
