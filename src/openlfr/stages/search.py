"""Search: find the listed subjects that are most similar to a template.

The search is exact: one matrix product over every searchable reference, so recall is 1.0. With
20,000 references of 128 numbers and 8 probes a search takes 9 ms on one core. Only a list far
larger than a worker's memory would need another index.
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

_MAX_CACHED_MEANS = 4  # cameras may be at different times in their files


class ExactIndex:
    """The `WatchlistIndex` port: an immutable snapshot of the searchable references.

    A template is searchable if three conditions are met. The manifest lists the template's
    reference; the subject, list and hash of the stored row match the manifest's entry; and the
    stored vector has the row's hash. Other listed templates are left out and counted in `refused`.
    A snapshot may be searched from several threads.

    Control subjects are a separate gallery. Their candidates are returned in addition to the
    candidates of listed people, and no score depends on both galleries. So a test in progress does
    not change a face's score against listed people.

    Attributes:
        refused, refused_ids: Listed references whose stored row differs from the recorded row.
        missing, missing_ids: Listed references without a stored template.

    Args:
        manifest: The manifest's entry of each searchable reference, by reference_id.
        templates: The store's templates; templates that are not in the manifest are ignored.
    """

    def __init__(
        self,
        manifest: Mapping[str, ListedEntry],
        templates: Sequence[StoredTemplate],
    ) -> None:
        in_manifest = [t for t in templates if t.reference_id in manifest]
        rows = [
            t
            for t in in_manifest
            if matches_entry(t, manifest[t.reference_id])
            and t.template_hash == hash_template(t.vector)
        ]

        def group(template: StoredTemplate) -> tuple[bool, str]:
            return manifest[template.reference_id].category == CONTROL, template.subject

        # The rows of a subject are consecutive, and control subjects come last.
        rows.sort(key=lambda t: (group(t), t.reference_id))
        searchable, stored = {t.reference_id for t in rows}, {t.reference_id for t in in_manifest}
        self.refused_ids = tuple(sorted(stored - searchable))
        self.missing_ids = tuple(sorted(manifest.keys() - stored))
        self.refused = len(self.refused_ids)
        self.missing = len(self.missing_ids)
        self._reference_ids = [t.reference_id for t in rows]
        self._listed = [manifest[each] for each in self._reference_ids]
        # Use the recorded hash, if there is one: earlier versions did not record it.
        self._entries = [
            (listed.entry_hash or row.entry_hash, listed, row.subject)
            for row, listed in zip(rows, self._listed, strict=True)
        ]
        self._vectors = np.stack([t.vector for t in rows]) if rows else np.empty((0, 0), np.float32)
        self._expires = np.array([microseconds(each.expires) for each in self._listed], np.int64)
        groups = [group(t) for t in rows]
        first = [i for i, each in enumerate(groups) if i == 0 or each != groups[i - 1]]
        self._subjects = [groups[i][1] for i in first]
        self._listed_subjects = sum(not groups[i][0] for i in first)  # then come control subjects
        self._starts = np.array(first, np.intp)
        self._ends = np.array([*first[1:], len(rows)], np.intp)
        self._deadlines = np.unique(self._expires)
        self._pooled: dict[int, NDArray[np.float32]] = {}

    def __len__(self) -> int:
        """Number of searchable references, expired ones included."""
        return len(self._reference_ids)

    @property
    def subjects(self) -> tuple[str, ...]:
        """Every searchable subject, sorted; expired subjects are included."""
        return tuple(sorted(set(self._subjects)))

    def searched(self) -> Iterator[SearchedEntry]:
        """Yield every searchable reference, expired references included."""
        for entry_hash, listed, subject in self._entries:
            yield SearchedEntry(entry_hash, listed.watchlist, listed.category, subject)

    def search(
        self, templates: NDArray[np.float32], at: Sequence[datetime], *, limit: int = 5
    ) -> list[list[Candidate]]:
        """Return one candidate for each of the most similar subjects, best first, per template.

        The score is the mean of two cosines: the similarity to the subject's most similar
        reference, and the similarity to the mean of all the subject's references. With one
        reference both are equal. The similarity to the mean lowers the scores of strangers, since
        each further reference is another chance to be similar. The most similar reference finds a
        subject whose photos differ. Both together are better than either (`benchmarks/tune.py`).
        The score does not depend on other listed people.

        Args:
            templates: (n, dimension) float32, L2-normalised.
            at: Each template's `captured_at`; references that expired before this time are left
                out.
            limit: Maximum number of listed people, and of control subjects, per template.
        """
        if not len(self) or not len(templates):
            return [[] for _ in templates]
        scores, totals = self._compare(templates, at)
        split = self._listed_subjects
        best_listed = _find_best(totals[:, :split], limit)
        best_control = split + _find_best(totals[:, split:], limit)
        top = np.concatenate((best_listed, best_control), axis=1)
        # Order by similarity, then by name, so that equal scores always have the same order.
        order = np.lexsort((top, -np.take_along_axis(totals, top, axis=1)))
        top = np.take_along_axis(top, order, axis=1)
        ranked = np.take_along_axis(totals, top, axis=1)
        return [self._candidates(scores[row], ranked[row], top[row]) for row in range(len(top))]

    def similarities(
        self, templates: NDArray[np.float32], at: Sequence[datetime]
    ) -> NDArray[np.float32]:
        """Return the scores of all listed people, as in `search`, without control subjects.

        Returns:
            (n, subjects) float32; -inf for subjects whose references have all expired.
        """
        if not len(self) or not len(templates):
            return np.empty((len(templates), self._listed_subjects), np.float32)
        return self._compare(templates, at)[1][:, : self._listed_subjects]

    def _compare(
        self, templates: NDArray[np.float32], at: Sequence[datetime]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return (n, references) cosines and (n, subjects) scores.

        Both are -inf for an expired reference, or a subject whose references have all expired.
        """
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
        """Return (n, subjects) similarities to the mean of each subject's unexpired references."""
        # The number of deadlines that have passed determines which references have expired.
        passed = np.searchsorted(self._deadlines, moments)
        scores = np.empty((len(templates), len(self._starts)), np.float32)
        for count in np.unique(passed).tolist():
            rows = passed == count
            scores[rows] = templates[rows] @ self._compute_means(count).T
        return scores

    def _compute_means(self, passed: int) -> NDArray[np.float32]:
        """Return (subjects, dimension) unit means of the references left after `passed` deadlines.

        The means are cached, since few deadlines pass in the life of a snapshot.
        """
        means = self._pooled.get(passed)
        if means is None:
            live = self._expires >= [*self._deadlines.tolist(), np.iinfo(np.int64).max][passed]
            sums = np.add.reduceat(np.where(live[:, None], self._vectors, 0), self._starts)
            lengths = np.linalg.norm(sums, axis=1, keepdims=True)
            means = np.asarray(sums / np.maximum(lengths, 1e-9), np.float32)
            if len(self._pooled) >= _MAX_CACHED_MEANS:
                self._pooled.clear()
            self._pooled[passed] = means
        return means

    def _candidates(
        self,
        scores: NDArray[np.float32],
        ranked: NDArray[np.float32],
        subjects: NDArray[np.intp],
    ) -> list[Candidate]:
        """Return the candidates of one probe, in order; without subjects that have expired."""
        candidates = []
        for subject, score in zip(subjects.tolist(), ranked.tolist(), strict=True):
            if not np.isfinite(score):
                continue
            start = int(self._starts[subject])
            row = start + int(scores[start : self._ends[subject]].argmax())
            listed = self._listed[row]
            candidates.append(
                Candidate(
                    self._subjects[subject],
                    self._reference_ids[row],
                    score,
                    listed.watchlist,
                    listed.category,
                )
            )
        return candidates


def _find_best(totals: NDArray[np.float32], limit: int) -> NDArray[np.intp]:
    """Return the columns of the `limit` greatest values of each row, (n, <= limit), unordered."""
    count = min(limit, totals.shape[1])
    if not count:
        return np.empty((len(totals), 0), np.intp)
    return np.argpartition(-totals, count - 1, axis=1)[:, :count]
