"""Search of the watchlist on a Milvus server, for lists too large for a copy in each worker.

Milvus returns the most similar references; their subjects are then compared with all their
references, by the same code that searches a snapshot. So candidates and scores are those of
`stages.search.ExactIndex`, provided that Milvus returned enough references. A bound shows that: if
b is the similarity of the last reference returned, no reference of a subject not returned is above
b. That subject's mean may be nearer to the probe than each of its references, but no nearer than b
times the number of references over the length of their sum, which is at most 1.6 unless they are
hardly alike (two that are worse than strangers, ten of a mean pairwise cosine below 0.32). So a
subject not returned has a similarity of at most 1.3 b. More references are requested until that
bound is below the similarities that count, or until there are no more.

Control subjects are few, and each probe is compared with all of them: their references are copied
into this process.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from openlfr.adapters.milvus.template_store import MOST_HITS
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
"""Number of references in the first request: enough if each subject has a few."""
_MORE = 4
_SPREAD = 1.6
_ROUNDING = 1e-4  # Milvus sums in another order
_CONSISTENT_S = 10.0  # after that a server's bounded reads include everything stored before
_KEPT_SUBJECTS = 4096


class MilvusIndex:
    """The `WatchlistIndex` port on Milvus: one manifest, never changed; one thread searches it.

    Every hit is checked against the manifest: its reference is listed, as that subject, on that
    watchlist, with that template. Removed entries that are still in Milvus are never returned.

    Attributes:
        counts: Number of hits `refused` by the manifest, and of searches `cut_off`: Milvus returns
            16,384 references at most, and more were needed to be sure.
    """

    def __init__(
        self,
        templates: MilvusTemplateStore,
        manifest: Mapping[str, ListedEntry],
        *,
        first: int = FIRST_HITS,
        counts: Counter[str] | None = None,
    ) -> None:
        """Create an index of one manifest.

        Args:
            templates: The store with the references' templates.
            manifest: The searchable entries, by reference id.
            first: Number of references in the first request.
            counts: Counter to use, so that counts outlive this index; None for a new one.
        """
        self._templates = templates
        self._manifest = manifest
        self._watchlists = sorted({each.watchlist for each in manifest.values()})
        self._first = first
        self._made = time.monotonic()
        self._kept: dict[str, list[StoredTemplate]] = {}
        self._control_index: ExactIndex | None = None
        self.counts: Counter[str] = Counter() if counts is None else counts

    def __len__(self) -> int:
        """Number of searchable references, expired ones included."""
        return len(self._manifest)

    def searched(self) -> Iterator[SearchedEntry]:
        """Each searchable reference, expired ones included; subjects are stored in Milvus only."""
        for key, entry in self._manifest.items():
            known = entry.entry_hash or hash_entry(key, "", entry.watchlist, entry.template_hash)
            yield SearchedEntry(known, entry.watchlist, entry.category, None)

    def search(
        self, templates: NDArray[np.float32], at: Sequence[datetime], *, limit: int = 5
    ) -> list[list[Candidate]]:
        """Best subjects for each template, best first, one candidate a subject.

        Raises:
            Unavailable: Milvus does not answer.
        """
        found: list[list[Candidate]] = [[] for _ in templates]
        known = dict(self._kept)
        asked = self._first
        rows = list(range(len(templates))) if self._manifest else []
        while rows:
            answers = self._templates.nearest(templates[rows], self._watchlists, asked)
            probes = [
                _Probe(row, templates[row : row + 1], [at[row]], hits)
                for row, hits in zip(rows, answers, strict=True)
            ]
            for probe in probes:
                self._check(probe)
            self._learn(known, [probe.first(limit) for probe in probes])
            for probe in probes:
                self._compare(probe, probe.first(limit), known, limit)
            self._learn(known, [probe.near() for probe in probes])
            for probe in probes:
                index = self._compare(probe, probe.near(), known, limit)
                (found[probe.row],) = index.search(probe.template, probe.at, limit=limit)
                self.counts["refused"] += index.refused
            rows = [probe.row for probe in probes if not probe.is_sure(asked)]
            if asked >= MOST_HITS:
                self.counts["cut_off"] += len(rows)
                break
            asked = min(asked * _MORE, MOST_HITS)
        beside = self._control().search(templates, at, limit=limit)
        if time.monotonic() - self._made > _CONSISTENT_S:
            self._kept = known if len(known) <= _KEPT_SUBJECTS else {}
        return [
            sorted((*one, *other), key=lambda each: (-each.score, each.is_control, each.subject))
            for one, other in zip(found, beside, strict=True)
        ]

    def _control(self) -> ExactIndex:
        """The index of control subjects, read again until the server's reads are consistent."""
        if self._control_index is not None:
            return self._control_index
        listed = {key: each for key, each in self._manifest.items() if each.category == CONTROL}
        stored = self._templates.get(list(listed)) if listed else []
        index = ExactIndex(listed, [each for each in stored if self._is_listed(each)])
        if not listed or time.monotonic() - self._made > _CONSISTENT_S:
            self._control_index = index
        return index

    def _check(self, probe: _Probe) -> None:
        """Record the best reference of each subject among the listed hits."""
        for hit in probe.hits:
            if not self._is_listed(hit):
                self.counts["refused"] += 1
            elif self._is_control(hit):
                continue  # compared by `_control`
            elif probe.at[0] <= self._manifest[hit.reference_id].expires:
                probe.best.setdefault(hit.subject, hit.similarity)

    def _learn(
        self, known: dict[str, list[StoredTemplate]], subjects: Iterable[Sequence[str]]
    ) -> None:
        """Read all references of the subjects that are not known yet."""
        lacking = dict.fromkeys(name for names in subjects for name in names if name not in known)
        if lacking:
            for template in self._templates.of_subjects(list(lacking), self._watchlists):
                if not self._is_listed(template):
                    continue  # counted as a hit
                if not matches_entry(template, self._manifest[template.reference_id]):
                    self.counts["refused"] += 1  # the row names another subject
                elif not self._is_control(template):
                    known.setdefault(template.subject, []).append(template)

    def _compare(
        self,
        probe: _Probe,
        subjects: Sequence[str],
        known: Mapping[str, Sequence[StoredTemplate]],
        wanted: int,
    ) -> ExactIndex:
        """Compare a probe with these subjects, and record the least similarity that counts."""
        index = ExactIndex(
            self._manifest, [template for name in subjects for template in known.get(name, ())]
        )
        (similarities,) = index.similarities(probe.template, probe.at)
        if len(similarities) >= wanted:
            probe.counting = float(np.partition(similarities, -wanted)[-wanted])
        return index

    def _is_control(self, hit: Hit | StoredTemplate) -> bool:
        return self._manifest[hit.reference_id].category == CONTROL

    def _is_listed(self, hit: Hit | StoredTemplate) -> bool:
        """Whether the row seems to match; `matches_entry` checks the whole row on comparison."""
        entry = self._manifest.get(hit.reference_id)
        return entry is not None and (entry.template_hash, entry.watchlist) == (
            hit.template_hash,
            hit.watchlist,
        )


@dataclass(slots=True, eq=False)
class _Probe:
    """One template that is searched.

    Attributes:
        row: Index among the templates of the search.
        template: The template, (1, dimension) float32.
        at: Its `captured_at`, a list of one.
        hits: Milvus's hits, best first.
        best: Cosine of the best live reference of each listed subject among the hits, in order.
        counting: The least similarity that counts; -inf while there are too few subjects.
    """

    row: int
    template: NDArray[np.float32]
    at: Sequence[datetime]
    hits: Sequence[Hit]
    best: dict[str, float] = field(default_factory=dict)
    counting: float = -np.inf

    def first(self, wanted: int) -> list[str]:
        """The subjects of the best references, at most `wanted`."""
        return list(self.best)[:wanted]

    def near(self) -> list[str]:
        """Every subject among the hits that could count."""
        return [name for name, cosine in self.best.items() if _at_most(cosine) >= self.counting]

    def is_sure(self, asked: int) -> bool:
        """Whether no subject outside the hits could count."""
        return len(self.hits) < asked or _at_most(self.hits[-1].similarity) < self.counting


def _at_most(cosine: float) -> float:
    """The largest similarity of a subject whose best reference has this cosine."""
    return cosine * (1 + _SPREAD) / 2 + _ROUNDING if cosine > 0 else cosine + _ROUNDING
