"""Reference templates in Milvus: a Milvus Lite folder, or a server by its url.

Milvus Lite runs in this process (`adapters/milvus/lite.py`). The store does not check expiry or
status: the records decide which entries are searchable.

The store compensates for three properties of Milvus (milvus-lite 3.2, pymilvus 3.0, measured).
Milvus accepts NaN vectors, so the store refuses them. An insert of an existing key adds a duplicate
on a server, so the store always upserts. Lite writes to disk only on a flush, so every change ends
with a flush.

A deletion leaves the vector on the disk, with Lite and with a server. Lite's files are rewritten at
once, and again at the opening (`adapters/milvus/rewrite.py`). A server compacts on our request, and
removes its old files by its own rules (docs/operations.md).

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
    make_collection,
    one_of,
    read_facts,
    to_hit,
    to_row,
    to_template,
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

_ROWS_PER_CALL = 2000  # far below Milvus's 16,384 rows and, at 512 dimensions, gRPC's 64 MB
_SUBJECTS_PER_QUERY = 200
MAX_HITS = 16_384
"""Maximum number of hits that Milvus returns for one vector."""


class MilvusTemplateStore:
    """The `TemplateStore` port on Milvus.

    Args:
        uri: Path of a Milvus Lite folder (created if missing), or http(s)://HOST:PORT of a server.
        facts: The model of the templates.
        token: `user:password` or API key of a server.
        ca_file: Certificates that are trusted instead of the system's, for https://.
        read_only: If True, a missing collection is not created, and the store is empty.

    Raises:
        Misconfigured: The stored templates are from another model, or the folder is damaged.
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
        self._facts = facts
        self._lite: LiteServer | None = None
        self._client: Any = None
        self._stored: GalleryFacts | None = None
        # If Milvus has no timestamps (Lite, servers before 2.4), pymilvus warns at each read that
        # it uses the client's time. That is harmless, since one process writes at a time.
        logging.getLogger("pymilvus.client.iterator.query_iterator").setLevel(logging.ERROR)
        try:
            if "://" not in uri:
                self._lite = LiteServer(Path(uri))
                self._lite.rewrite(COLLECTION)  # a process may have been killed before its rewrite
            address = self._lite.address if self._lite else uri
            self._client = connection.connect(address, token, ca_file)
            with self._milvus_errors():
                if not read_only and not self._has_collection():
                    make_collection(self._client, facts)
            self._load()
        except BaseException:
            self.close()
            raise

    def facts(self) -> GalleryFacts | None:
        """Return the model of the stored templates; None while the collection does not exist."""
        return self._stored

    def put(self, templates: Sequence[StoredTemplate]) -> None:
        """Insert or replace templates by reference_id.

        On return the templates are on disk, and a strongly consistent read has confirmed that.

        Raises:
            BadInput: A vector has the wrong dimension, is not finite or is not of unit length, or a
                name is too long. Then no template is stored.
            Unavailable: Milvus does not answer, or did not store an acknowledged template.
        """
        for template in templates:
            check_template(template, self._facts)
            check_lengths(template)
        with self._milvus_errors():
            for page in _pages(templates):
                rows = [to_row(template) for template in page]
                self._client.upsert(COLLECTION, rows, timeout=connection.WRITE_S)
            if templates:
                self._client.flush(COLLECTION, timeout=connection.WRITE_S)
            stored = self._read_hashes([template.reference_id for template in templates])
        lost = [t.reference_id for t in templates if stored.get(t.reference_id) != t.template_hash]
        if lost:
            raise Unavailable(
                f"Milvus at {self._where} acknowledged {len(lost)} of {len(templates)} templates "
                "without storing them: check its disk, and try again."
            )

    def remove(self, reference_ids: Sequence[str]) -> None:
        """Delete templates; unknown ids are ignored.

        On return a strongly consistent read has confirmed the deletion. Milvus Lite's files no
        longer contain the vectors, and a server has received a request to compact.
        """
        with self._milvus_errors():
            for page in _pages(reference_ids):
                self._client.delete(COLLECTION, ids=list(page), timeout=connection.WRITE_S)
            if reference_ids:
                self._client.flush(COLLECTION, timeout=connection.WRITE_S)
            remaining = self._read_hashes(reference_ids)
        if remaining:
            raise Unavailable(
                f"Milvus at {self._where} still contains {len(remaining)} of {len(reference_ids)} "
                "removed templates: try again."
            )
        if reference_ids:
            self._erase_for_good()

    def _erase_for_good(self) -> None:
        """Remove the vectors of deleted rows from the disk."""
        if self._lite is not None:
            self._lite.rewrite(COLLECTION)
            return
        with self._milvus_errors():
            self._client.compact(COLLECTION, timeout=connection.WRITE_S)

    def get(self, reference_ids: Sequence[str]) -> list[StoredTemplate]:
        """Return the stored templates of these references, ordered by reference_id."""
        templates: list[StoredTemplate] = []
        if self._load():
            with self._milvus_errors():
                for page in _pages(reference_ids):
                    rows = self._client.get(
                        COLLECTION,
                        ids=list(page),
                        output_fields=[*FIELDS, "vector"],
                        consistency_level="Strong",
                        timeout=connection.READ_S,
                    )
                    templates += [to_template(row) for row in rows]
        return sorted(templates, key=lambda template: template.reference_id)

    def all(self, watchlists: Sequence[str]) -> list[StoredTemplate]:
        """Return all stored templates of these watchlists, ordered by reference_id."""
        if not watchlists or not self._load():
            return []
        with self._milvus_errors():
            iterator = self._client.query_iterator(
                COLLECTION,
                batch_size=_ROWS_PER_CALL,
                filter=one_of("watchlist", watchlists),
                output_fields=[*FIELDS, "vector"],
                consistency_level="Strong",
                timeout=connection.READ_S,
            )
            templates: list[StoredTemplate] = []
            try:
                while page := iterator.next():
                    templates += [to_template(row) for row in page]
            finally:
                iterator.close()
        return sorted(templates, key=lambda template: template.reference_id)

    def find_nearest(
        self, vectors: NDArray[np.float32], watchlists: Sequence[str], limit: int
    ) -> list[list[Hit]]:
        """Return the most similar templates of these watchlists for each vector, best first.

        The read has bounded consistency, so the newest changes may be missing.

        Args:
            vectors: Templates, (n, dimension) float32, L2-normalised.
            watchlists: Names of the lists.
            limit: Number of hits for each vector, at most `MAX_HITS`.
        """
        if not len(vectors) or not watchlists or not self._load():
            return [[] for _ in vectors]
        with self._milvus_errors():
            results = self._client.search(
                COLLECTION,
                data=list(vectors),
                limit=limit,
                filter=one_of("watchlist", watchlists),
                output_fields=[*FIELDS],
                consistency_level="Bounded",
                timeout=connection.search_timeout_s(len(vectors) * limit),
            )
        return [[to_hit(row) for row in rows] for rows in results]

    def of_subjects(
        self, subjects: Sequence[str], watchlists: Sequence[str]
    ) -> list[StoredTemplate]:
        """Return all stored templates of these subjects on these watchlists.

        The read has bounded consistency, so the newest changes may be missing.
        """
        templates: list[StoredTemplate] = []
        if watchlists and self._load():
            on_lists = one_of("watchlist", watchlists)
            with self._milvus_errors():
                for start in range(0, len(subjects), _SUBJECTS_PER_QUERY):
                    rows = self._client.query(
                        COLLECTION,
                        filter=f"{one_of('subject', subjects[start : start + _SUBJECTS_PER_QUERY])}"
                        f" and {on_lists}",
                        output_fields=[*FIELDS, "vector"],
                        consistency_level="Bounded",
                        timeout=connection.search_timeout_s(_ROWS_PER_CALL),
                    )
                    templates += [to_template(row) for row in rows]
        return templates

    def close(self) -> None:
        """Close the connection, and Milvus Lite with its lock; safe to call twice."""
        client, self._client = self._client, None
        lite, self._lite = self._lite, None
        if client is not None:
            client.close()
        if lite is not None:
            lite.close()

    def _load(self) -> bool:
        """Load the collection once and check its model; return False if it does not exist."""
        if self._stored is None:
            with self._milvus_errors():
                if not self._has_collection():
                    return False
                self._client.load_collection(COLLECTION, timeout=connection.LOAD_S)
                stored = read_facts(self._client, self._where)
            check_model(stored, self._facts, f"The watchlist at {self._where}")
            self._stored = stored
        return True

    def _has_collection(self) -> bool:
        return bool(self._client.has_collection(COLLECTION, timeout=connection.READ_S))

    def _read_hashes(self, reference_ids: Sequence[str]) -> dict[str, str]:
        """Return the stored template hashes of these references."""
        hashes: dict[str, str] = {}
        for page in _pages(reference_ids):
            rows = self._client.get(
                COLLECTION,
                ids=list(page),
                output_fields=["reference_id", "template_hash"],
                consistency_level="Strong",
                timeout=connection.READ_S,
            )
            hashes.update((row["reference_id"], row["template_hash"]) for row in rows)
        return hashes

    def _milvus_errors(self) -> AbstractContextManager[None]:
        return connection.milvus_errors(self._where)


def _pages(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), _ROWS_PER_CALL):
        yield items[start : start + _ROWS_PER_CALL]
