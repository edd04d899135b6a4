"""Search of the watchlist on a Milvus server, for lists too large for a copy in each worker.

Milvus returns the most similar references. Then each probe is compared with all references of their
subjects, by the same code that searches a snapshot. So candidates and scores are equal to those of
`stages.search.ExactIndex` if Milvus returned enough references.

A bound decides whether they are enough. Let b be the similarity of the last returned reference. A
subject without a returned reference has no reference above b. The mean of such a subject's
references may be nearer to the probe than each reference: by a factor of at most the number of
references divided by the length of their sum. That quotient is at most 1.6 unless the references
are hardly alike (two that are worse than strangers, ten of a mean pairwise cosine below 0.32). A
subject's score is half the similarity of its best reference (at most b) plus half that of its mean
(at most 1.6 b). So the score of such a subject is at most 1.3 b. More references are requested
until that bound is below the similarities that count, or until there are no more references.

Control subjects are few. Their references are copied into this process, and each probe is compared
with all of them.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from openlfr.adapters.milvus.template_store import MAX_HITS
from openlfr.domain.faces import CONTROL
from openlfr.domain.listing import SearchedEntry
from openlfr.domain.templates import matches_entry
from openlfr.domain.watchlist import hash_entry
from openlfr.stages.search import ExactIndex

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from openlfr.adapters.milvus.collection import Hit
    from openlfr.adapters.milvus.template_store import MilvusTemplateStore
    from openlfr.domain.faces import Candidate
    from openlfr.domain.templates import StoredTemplate
    from openlfr.domain.watchlist import ListedEntry

FIRST_HITS = 256
"""Number of references in the first request, which is enough if each subject has a few."""
_GROWTH = 4  # factor from one request to the next
_SPREAD = 1.6
_ROUNDING = 1e-4  # Milvus adds in another order
_CONSISTENT_S = 10.0  # after this time bounded reads include everything stored before
_MAX_CACHED_SUBJECTS = 4096


class MilvusIndex:
    """The `WatchlistIndex` port on Milvus, for one constant manifest and one thread.

    Every hit is compared with the manifest: reference, subject, watchlist and template must be
    listed. So removed entries that are still in Milvus are never returned.

    Attributes:
        counts: Number of hits `refused` by that comparison, and of searches `cut_off`: Milvus
            returned its maximum of 16,384 references, and more would be necessary.
    """

    def __init__(
        self,
        templates: MilvusTemplateStore,
        manifest: Mapping[str, ListedEntry],
        *,
        first_hits: int = FIRST_HITS,
        counts: Counter[str] | None = None,
    ) -> None:
        """Create an index of one manifest.

        Args:
            templates: The store with the references' templates.
            manifest: The searchable entries, by reference id.
            first_hits: Number of references in the first request.
            counts: Counter to use, so that counts outlive this index; None for a new one.
        """
        self._templates = templates
        self._manifest = manifest
        self._watchlists = sorted({each.watchlist for each in manifest.values()})
        self._first_hits = first_hits
        self._created_at = time.monotonic()
        self._cached: dict[str, list[StoredTemplate]] = {}
        self._control_index: ExactIndex | None = None
        self.counts: Counter[str] = Counter() if counts is None else counts

    def __len__(self) -> int:
        """Return the number of searchable references, expired references included."""
        return len(self._manifest)

    def searched(self) -> Iterator[SearchedEntry]:
        """Yield all searchable references, expired included, without subjects (see Milvus)."""
        for key, entry in self._manifest.items():
            entry_hash = entry.entry_hash or hash_entry(
                key, "", entry.watchlist, entry.template_hash
            )
            yield SearchedEntry(entry_hash, entry.watchlist, entry.category, None)

    def search(
        self, templates: NDArray[np.float32], at: Sequence[datetime], *, limit: int = 5
    ) -> list[list[Candidate]]:
        """Return the most similar subjects for each template, best first.

        Raises:
            Unavailable: Milvus does not answer.
        """
        listed: list[list[Candidate]] = [[] for _ in templates]
        by_subject = dict(self._cached)
        requested = self._first_hits
        rows = list(range(len(templates))) if self._manifest else []
        while rows:
            results = self._templates.find_nearest(templates[rows], self._watchlists, requested)
            probes = [
                _Probe(row, templates[row : row + 1], [at[row]], hits)
                for row, hits in zip(rows, results, strict=True)
            ]
            for probe in probes:
                self._record_best_hits(probe)
            self._read_subjects(by_subject, [probe.best_subjects(limit) for probe in probes])
            for probe in probes:
                self._compare(probe, probe.best_subjects(limit), by_subject, limit)
            self._read_subjects(by_subject, [probe.possible_subjects() for probe in probes])
            for probe in probes:
                index = self._compare(probe, probe.possible_subjects(), by_subject, limit)
                (listed[probe.row],) = index.search(probe.template, probe.at, limit=limit)
                self.counts["refused"] += index.refused
            rows = [probe.row for probe in probes if not probe.is_complete(requested)]
            if requested >= MAX_HITS:
                self.counts["cut_off"] += len(rows)
                break
            requested = min(requested * _GROWTH, MAX_HITS)
        controls = self._read_control_index().search(templates, at, limit=limit)
        if time.monotonic() - self._created_at > _CONSISTENT_S:
            self._cached = by_subject if len(by_subject) <= _MAX_CACHED_SUBJECTS else {}
        return [
            sorted((*one, *other), key=lambda each: (-each.score, each.is_control, each.subject))
            for one, other in zip(listed, controls, strict=True)
        ]

    def _read_control_index(self) -> ExactIndex:
        """Return the index of control subjects, read again until reads are consistent."""
        if self._control_index is not None:
            return self._control_index
        listed = {key: each for key, each in self._manifest.items() if each.category == CONTROL}
        stored = self._templates.get(list(listed)) if listed else []
        index = ExactIndex(listed, [each for each in stored if self._is_listed(each)])
        if not listed or time.monotonic() - self._created_at > _CONSISTENT_S:
            self._control_index = index
        return index

    def _record_best_hits(self, probe: _Probe) -> None:
        """Record the best reference of each subject among the listed hits."""
        for hit in probe.hits:
            if not self._is_listed(hit):
                self.counts["refused"] += 1
            elif self._is_control(hit):
                continue  # in the index of control subjects
            elif probe.at[0] <= self._manifest[hit.reference_id].expires:
                probe.best.setdefault(hit.subject, hit.similarity)

    def _read_subjects(
        self, by_subject: dict[str, list[StoredTemplate]], subjects: Iterable[Sequence[str]]
    ) -> None:
        """Read all references of the subjects that `by_subject` does not contain yet."""
        missing = dict.fromkeys(
            name for names in subjects for name in names if name not in by_subject
        )
        if missing:
            for template in self._templates.of_subjects(list(missing), self._watchlists):
                if not self._is_listed(template):
                    continue  # already counted as a hit
                if not matches_entry(template, self._manifest[template.reference_id]):
                    self.counts["refused"] += 1  # the row names another subject
                elif not self._is_control(template):
                    by_subject.setdefault(template.subject, []).append(template)

    def _compare(
        self,
        probe: _Probe,
        subjects: Sequence[str],
        by_subject: Mapping[str, Sequence[StoredTemplate]],
        limit: int,
    ) -> ExactIndex:
        """Return an index of these subjects; record the probe's minimum similarity that counts."""
        index = ExactIndex(
            self._manifest, [template for name in subjects for template in by_subject.get(name, ())]
        )
        (similarities,) = index.similarities(probe.template, probe.at)
        if len(similarities) >= limit:
            probe.min_similarity = float(np.partition(similarities, -limit)[-limit])
        return index

    def _is_control(self, hit: Hit | StoredTemplate) -> bool:
        return self._manifest[hit.reference_id].category == CONTROL

    def _is_listed(self, hit: Hit | StoredTemplate) -> bool:
        """Return whether the row seems to match; `matches_entry` checks the complete row later."""
        entry = self._manifest.get(hit.reference_id)
        return entry is not None and (entry.template_hash, entry.watchlist) == (
            hit.template_hash,
            hit.watchlist,
        )


@dataclass(slots=True, eq=False)
class _Probe:
    """One searched template.

    Attributes:
        row: Index among the templates of the search.
        template: The template, (1, dimension) float32.
        at: The template's `captured_at`, a list of one item.
        hits: Milvus's hits, best first.
        best: Cosine of the best live reference of each listed subject among the hits, in order.
        min_similarity: The minimum similarity that counts; -inf while there are too few subjects.
    """

    row: int
    template: NDArray[np.float32]
    at: Sequence[datetime]
    hits: Sequence[Hit]
    best: dict[str, float] = field(default_factory=dict)
    min_similarity: float = -np.inf

    def best_subjects(self, limit: int) -> list[str]:
        """Return the subjects of the best references, at most `limit`."""
        return list(self.best)[:limit]

    def possible_subjects(self) -> list[str]:
        """Return the subjects among the hits whose similarity could count."""
        return [
            name
            for name, cosine in self.best.items()
            if _max_similarity(cosine) >= self.min_similarity
        ]

    def is_complete(self, requested: int) -> bool:
        """Return whether no subject outside the hits could count."""
        return (
            len(self.hits) < requested
            or _max_similarity(self.hits[-1].similarity) < self.min_similarity
        )


def _max_similarity(cosine: float) -> float:
    """Return the maximum similarity of a subject whose best reference has this cosine."""
    return cosine * (1 + _SPREAD) / 2 + _ROUNDING if cosine > 0 else cosine + _ROUNDING
