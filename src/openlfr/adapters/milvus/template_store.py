"""Reference templates in Milvus: a Milvus Lite folder, or a server by its url.

Milvus Lite runs inside this process (`adapters/milvus/lite.py`). The store does not check expiry or
status: the records decide who is searchable.

Three things that Milvus does not do for us (milvus-lite 3.2, pymilvus 3.0, measured): it accepts
NaN vectors, so they are refused here; an insert of an existing key keeps a duplicate on a server,
so we always upsert; and Lite writes to disk only on a flush, so every change ends with one.
With both, a deletion leaves the vector on the disk: Lite's files are rewritten at once, and again
at the opening (`adapters/milvus/rewrite.py`); a server compacts on our request, and removes its old
files by its own rules (docs/operations.md).
Every call has a deadline (`adapters/milvus/connection.py`).
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from openlfr.adapters.milvus import connection
from openlfr.adapters.milvus.collection import (
    COLLECTION,
    FIELDS,
    check_lengths,
    hit_of,
    make_collection,
    read_facts,
    row_of,
    template_of,
    within,
)
from openlfr.adapters.milvus.lite import LiteServer
from openlfr.domain.addresses import redact_address
from openlfr.domain.errors import Unavailable
from openlfr.domain.templates import check_model, check_template

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    import numpy as np
    from numpy.typing import NDArray

    from openlfr.adapters.milvus.collection import Hit
    from openlfr.domain.templates import GalleryFacts, StoredTemplate

_T = TypeVar("_T")

_PAGE = 2000  # rows per call: far below Milvus's 16,384 and gRPC's 64 MB at 512 dimensions
_NAMES = 200  # subjects per query
MOST_HITS = 16_384
"""Largest number of hits that Milvus returns for one vector."""


class MilvusTemplateStore:
    """The `TemplateStore` port on Milvus.

    Args:
        uri: Path of a Milvus Lite folder (created if absent), or http(s)://HOST:PORT of a server.
        facts: The model of the templates.
        token: `user:password` or API key of a server.
        ca_file: Certificates to trust in place of the system's, for https://.
        read_only: Whether not to create the collection; the store is empty until it exists.

    Raises:
        Misconfigured: The stored templates are another model's, or the folder is damaged.
        Unavailable: Another process uses the folder, the server does not answer, or the disk
            fails.
    """

    def __init__(
        self,
        uri: str,
        facts: GalleryFacts,
        *,
        token: str = "",
        ca_file: Path | None = None,
        read_only: bool = False,
    ) -> None:
        self._where = redact_address(uri) if "://" in uri else uri
        self._given = facts
        self._lite: LiteServer | None = None
        self._client: Any = None
        self._stored: GalleryFacts | None = None
        # Where Milvus has no timestamp (Lite, servers before 2.4), pymilvus warns at each read that
        # it uses the client's. That does not matter, since one process writes at a time.
        logging.getLogger("pymilvus.client.iterator.query_iterator").setLevel(logging.ERROR)
        try:
            if "://" not in uri:
                self._lite = LiteServer(Path(uri))
                self._lite.rewrite(COLLECTION)  # a process may have been killed before it did
            address = self._lite.address if self._lite else uri
            self._client = connection.connect(address, token, ca_file)
            with self._answering():
                if not read_only and not self._has_collection():
                    make_collection(self._client, facts)
            self._is_there()
        except BaseException:
            self.close()
            raise

    def facts(self) -> GalleryFacts | None:
        """The model of the stored templates; None while the collection does not exist."""
        return self._stored

    def put(self, templates: Sequence[StoredTemplate]) -> None:
        """Insert or replace templates; on return they are on disk, as a strong read confirms.

        Raises:
            BadInput: A vector of the wrong dimension, not finite or not of unit length, or a
                name that is too long; nothing is stored then.
            Unavailable: Milvus does not answer, or did not keep what it acknowledged.
        """
        for template in templates:
            check_template(template, self._given)
            check_lengths(template)
        with self._answering():
            for page in _pages(templates):
                rows = [row_of(template) for template in page]
                self._client.upsert(COLLECTION, rows, timeout=connection.WRITE_S)
            if templates:
                self._client.flush(COLLECTION, timeout=connection.WRITE_S)
            kept = self._hashes([template.reference_id for template in templates])
        lost = [t.reference_id for t in templates if kept.get(t.reference_id) != t.template_hash]
        if lost:
            raise Unavailable(
                f"Milvus at {self._where} acknowledged {len(lost)} of {len(templates)} templates "
                "without keeping them: try again, and check its disk."
            )

    def remove(self, reference_ids: Sequence[str]) -> None:
        """Delete templates; unknown ids are ignored. A strong read confirms the deletion on disk.

        With Milvus Lite the vectors are in none of its files on return; a server has the request to
        compact.
        """
        with self._answering():
            for page in _pages(reference_ids):
                self._client.delete(COLLECTION, ids=list(page), timeout=connection.WRITE_S)
            if reference_ids:
                self._client.flush(COLLECTION, timeout=connection.WRITE_S)
            left = self._hashes(reference_ids)
        if left:
            raise Unavailable(
                f"Milvus at {self._where} still has {len(left)} of {len(reference_ids)} removed "
                "templates: try again."
            )
        if reference_ids:
            self._erase_for_good()

    def _erase_for_good(self) -> None:
        """Remove the vectors of deleted rows from the disk as well."""
        if self._lite is not None:
            self._lite.rewrite(COLLECTION)
            return
        with self._answering():
            self._client.compact(COLLECTION, timeout=connection.WRITE_S)

    def get(self, reference_ids: Sequence[str]) -> list[StoredTemplate]:
        """The stored templates among these ids, ordered by reference_id."""
        found: list[StoredTemplate] = []
        if self._is_there():
            with self._answering():
                for page in _pages(reference_ids):
                    rows = self._client.get(
                        COLLECTION,
                        ids=list(page),
                        output_fields=[*FIELDS, "vector"],
                        consistency_level="Strong",
                        timeout=connection.READ_S,
                    )
                    found += [template_of(row) for row in rows]
        return sorted(found, key=lambda template: template.reference_id)

    def all(self, watchlists: Sequence[str]) -> list[StoredTemplate]:
        """Every stored template of these watchlists, ordered by reference_id."""
        if not watchlists or not self._is_there():
            return []
        with self._answering():
            iterator = self._client.query_iterator(
                COLLECTION,
                batch_size=_PAGE,
                filter=within("watchlist", watchlists),
                output_fields=[*FIELDS, "vector"],
                consistency_level="Strong",
                timeout=connection.READ_S,
            )
            found: list[StoredTemplate] = []
            try:
                while page := iterator.next():
                    found += [template_of(row) for row in page]
            finally:
                iterator.close()
        return sorted(found, key=lambda template: template.reference_id)

    def nearest(
        self, vectors: NDArray[np.float32], watchlists: Sequence[str], limit: int
    ) -> list[list[Hit]]:
        """The most similar templates of these watchlists for each vector, best first.

        Bounded consistency: the newest changes may be missing.

        Args:
            vectors: Templates, (n, dimension) float32, L2-normalised.
            watchlists: Names of the lists.
            limit: Number of hits for each vector, at most `MOST_HITS`.
        """
        if not len(vectors) or not watchlists or not self._is_there():
            return [[] for _ in vectors]
        with self._answering():
            found = self._client.search(
                COLLECTION,
                data=list(vectors),
                limit=limit,
                filter=within("watchlist", watchlists),
                output_fields=[*FIELDS],
                consistency_level="Bounded",
                timeout=connection.search_s(len(vectors) * limit),
            )
        return [[hit_of(row) for row in rows] for rows in found]

    def of_subjects(
        self, subjects: Sequence[str], watchlists: Sequence[str]
    ) -> list[StoredTemplate]:
        """Every stored template of these subjects on these watchlists; bounded consistency."""
        found: list[StoredTemplate] = []
        if watchlists and self._is_there():
            listed = within("watchlist", watchlists)
            with self._answering():
                for start in range(0, len(subjects), _NAMES):
                    rows = self._client.query(
                        COLLECTION,
                        filter=f"{within('subject', subjects[start : start + _NAMES])}"
                        f" and {listed}",
                        output_fields=[*FIELDS, "vector"],
                        consistency_level="Bounded",
                        timeout=connection.search_s(_PAGE),
                    )
                    found += [template_of(row) for row in rows]
        return found

    def close(self) -> None:
        """Close the connection, and Milvus Lite with its lock; safe to call twice."""
        client, self._client = self._client, None
        lite, self._lite = self._lite, None
        if client is not None:
            client.close()
        if lite is not None:
            lite.close()

    def _is_there(self) -> bool:
        """Whether the collection exists; once it does, its model is checked and it is loaded."""
        if self._stored is None:
            with self._answering():
                if not self._has_collection():
                    return False
                self._client.load_collection(COLLECTION, timeout=connection.LOAD_S)
                stored = read_facts(self._client, self._where)
            check_model(stored, self._given, f"The watchlist at {self._where}")
            self._stored = stored
        return True

    def _has_collection(self) -> bool:
        return bool(self._client.has_collection(COLLECTION, timeout=connection.READ_S))

    def _hashes(self, reference_ids: Sequence[str]) -> dict[str, str]:
        """The stored template hash of each of these references that exists."""
        found: dict[str, str] = {}
        for page in _pages(reference_ids):
            rows = self._client.get(
                COLLECTION,
                ids=list(page),
                output_fields=["reference_id", "template_hash"],
                consistency_level="Strong",
                timeout=connection.READ_S,
            )
            found.update((row["reference_id"], row["template_hash"]) for row in rows)
        return found

    def _answering(self) -> AbstractContextManager[None]:
        return connection.milvus_errors(self._where)


def _pages(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), _PAGE):
        yield items[start : start + _PAGE]
