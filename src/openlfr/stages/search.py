"""Search: the listed subjects that are most similar to a template.

The search is exact: one matrix product over every searchable reference, so recall is 1.0. With
20,000 references of 128 numbers and 8 probes it takes 9 ms on one core. Only lists far larger than
a worker's memory need another index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openlfr.domain.faces import CONTROL, Candidate
from openlfr.domain.listing import SearchedEntry
from openlfr.domain.moments import microseconds
from openlfr.domain.templates import hash_template, matches_entry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from openlfr.domain.templates import StoredTemplate
    from openlfr.domain.watchlist import ListedEntry

_KEPT_MEANS = 4  # cameras may be at different times in their files


class ExactIndex:
    """The `WatchlistIndex` port: an immutable snapshot of the searchable references.

    A template is searchable when the manifest lists its reference, its row has the subject, list
    and hash that match the manifest's hashes, and its own bytes have that hash. All others are
    left out and counted in `refused`. A snapshot may be searched from several threads.

    References of control subjects are a separate gallery: their candidates are returned in addition
    to those of listed people, and no score is pooled over both. So a face's score against listed
    people does not depend on whether a test is in progress.

    Attributes:
        refused, refused_ids: Listed references whose stored row differs from the recorded one.
        missing, missing_ids: Listed references without a stored template.

    Args:
        manifest: The manifest's entry of each searchable reference, by reference_id.
        templates: The store's templates; those that are not in the manifest are ignored.
    """

    def __init__(
        self,
        manifest: Mapping[str, ListedEntry],
        templates: Sequence[StoredTemplate],
    ) -> None:
        named = [t for t in templates if t.reference_id in manifest]
        rows = [
            t
            for t in named
            if matches_entry(t, manifest[t.reference_id])
            and t.template_hash == hash_template(t.vector)
        ]

        def group(template: StoredTemplate) -> tuple[bool, str]:
            return manifest[template.reference_id].category == CONTROL, template.subject

        # The rows of a subject are consecutive, and control subjects come last.
        rows.sort(key=lambda t: (group(t), t.reference_id))
        searched, stored = {t.reference_id for t in rows}, {t.reference_id for t in named}
        self.refused_ids = tuple(sorted(stored - searched))
        self.missing_ids = tuple(sorted(manifest.keys() - stored))
        self.refused = len(self.refused_ids)
        self.missing = len(self.missing_ids)
        self._reference_ids = [t.reference_id for t in rows]
        self._listed = [manifest[each] for each in self._reference_ids]
        # The hash is the recorded one. Entries of earlier versions have none.
        self._entries = [
            (listed.entry_hash or row.entry_hash, listed, row.subject)
            for row, listed in zip(rows, self._listed, strict=True)
        ]
        self._vectors = np.stack([t.vector for t in rows]) if rows else np.empty((0, 0), np.float32)
        self._expires = np.array([microseconds(each.expires) for each in self._listed], np.int64)
        groups = [group(t) for t in rows]
        first = [i for i, each in enumerate(groups) if i == 0 or each != groups[i - 1]]
        self._subjects = [groups[i][1] for i in first]
        self._listed_subjects = sum(not groups[i][0] for i in first)  # the rest: control subjects
        self._starts = np.array(first, np.intp)
        self._ends = np.array([*first[1:], len(rows)], np.intp)
        self._deadlines = np.unique(self._expires)
        self._pooled: dict[int, NDArray[np.float32]] = {}

    def __len__(self) -> int:
        """Number of searchable references, expired ones included."""
        return len(self._reference_ids)

    @property
    def subjects(self) -> tuple[str, ...]:
        """Every searchable subject, sorted, expired ones included."""
        return tuple(sorted(set(self._subjects)))

    def searched(self) -> Iterator[SearchedEntry]:
        """Every searchable reference, expired ones included."""
        for entry_hash, listed, subject in self._entries:
            yield SearchedEntry(entry_hash, listed.watchlist, listed.category, subject)

    def search(
        self, templates: NDArray[np.float32], at: Sequence[datetime], *, limit: int = 5
    ) -> list[list[Candidate]]:
        """The best subjects for each template, best first, one candidate for each subject.

        At most `limit` listed people are returned, and as many control subjects.

        The score is a subject's similarity: the mean of two cosines, one to the best of the
        subject's references and one to the mean of them all. With one reference both are the same.
        The mean keeps strangers' scores low (each further reference of a subject is one more chance
        to be similar); the best one finds a subject whose photos differ. Together they do better
        than either (`benchmarks/tune.py`). The score does not depend on who else is listed.

        Args:
            templates: (n, dimension) float32, L2-normalised.
            at: Each template's `captured_at`; references that expired before it are left out.
            limit: Most listed people, and most control subjects, for each template.
        """
        if not len(self) or not len(templates):
            return [[] for _ in templates]
        scores, totals = self._compare(templates, at)
        split = self._listed_subjects
        best = (_best(totals[:, :split], limit), split + _best(totals[:, split:], limit))
        top = np.concatenate(best, axis=1)
        # By similarity, then by name, so that the order of equal scores is always the same.
        order = np.lexsort((top, -np.take_along_axis(totals, top, axis=1)))
        top = np.take_along_axis(top, order, axis=1)
        ranked = np.take_along_axis(totals, top, axis=1)
        return [self._candidates(scores[row], ranked[row], top[row]) for row in range(len(top))]

    def similarities(
        self, templates: NDArray[np.float32], at: Sequence[datetime]
    ) -> NDArray[np.float32]:
        """Similarities to all listed people, as in `search`, without control subjects.

        Returns:
            (n, subjects) float32; -inf for subjects without a live reference.
        """
        if not len(self) or not len(templates):
            return np.empty((len(templates), self._listed_subjects), np.float32)
        return self._compare(templates, at)[1][:, : self._listed_subjects]

    def _compare(
        self, templates: NDArray[np.float32], at: Sequence[datetime]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(n, references) cosines and (n, subjects) similarities, -inf where expired."""
        scores = templates @ self._vectors.T
        moments = np.array([microseconds(moment) for moment in at], np.int64)
        if moments.max() > self._expires.min():
            scores[self._expires[None, :] < moments[:, None]] = -np.inf
        best = np.maximum.reduceat(scores, self._starts, axis=1)
        pooled = self._pooled_scores(templates, moments)
        totals = np.asarray((best + pooled) / 2, np.float32)
        totals[~np.isfinite(best)] = -np.inf
        return scores, totals

    def _pooled_scores(
        self, templates: NDArray[np.float32], moments: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """(n, subjects) similarities to the mean of each subject's live references."""
        # The number of deadlines that have passed determines which references are live.
        passed = np.searchsorted(self._deadlines, moments)
        found = np.empty((len(templates), len(self._starts)), np.float32)
        for count in np.unique(passed).tolist():
            rows = passed == count
            found[rows] = templates[rows] @ self._means(count).T
        return found

    def _means(self, passed: int) -> NDArray[np.float32]:
        """(subjects, dimension) unit means of the references live after so many deadlines.

        The means are cached, since few deadlines pass in the life of a snapshot.
        """
        means = self._pooled.get(passed)
        if means is None:
            live = self._expires >= [*self._deadlines.tolist(), np.iinfo(np.int64).max][passed]
            sums = np.add.reduceat(np.where(live[:, None], self._vectors, 0), self._starts)
            lengths = np.linalg.norm(sums, axis=1, keepdims=True)
            means = np.asarray(sums / np.maximum(lengths, 1e-9), np.float32)
            if len(self._pooled) >= _KEPT_MEANS:
                self._pooled.clear()
            self._pooled[passed] = means
        return means

    def _candidates(
        self,
        scores: NDArray[np.float32],
        ranked: NDArray[np.float32],
        subjects: NDArray[np.intp],
    ) -> list[Candidate]:
        """The candidates of one probe, in order, without subjects that have no live reference."""
        found = []
        for subject, score in zip(subjects.tolist(), ranked.tolist(), strict=True):
            if not np.isfinite(score):
                continue
            start = int(self._starts[subject])
            row = start + int(scores[start : self._ends[subject]].argmax())
            listed = self._listed[row]
            found.append(
                Candidate(
                    self._subjects[subject],
                    self._reference_ids[row],
                    score,
                    listed.watchlist,
                    listed.category,
                )
            )
        return found


def _best(totals: NDArray[np.float32], limit: int) -> NDArray[np.intp]:
    """The columns of the `limit` greatest values of each row, (n, at most limit), unordered."""
    count = min(limit, totals.shape[1])
    if not count:
        return np.empty((len(totals), 0), np.intp)
    return np.argpartition(-totals, count - 1, axis=1)[:, :count]
