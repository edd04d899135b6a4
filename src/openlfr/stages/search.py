"""Search: which listed subjects look like this template?

Exact: one product of matrices over every searchable reference, so recall is 1.0. At 20,000
references of 128 numbers and 8 probes that takes 9 ms on one core; only lists far larger than a
worker can hold need another index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from openlfr.domain.faces import CONTROL, Candidate
from openlfr.domain.listing import SearchedEntry
from openlfr.domain.moments import microseconds
from openlfr.domain.watchlist import hash_template, is_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from openlfr.domain.watchlist import Listed, StoredTemplate

_KEPT_MEANS = 4  # of cameras whose files stand at different times


class ExactIndex:
    """The `WatchlistIndex` port: a snapshot of the searchable references, never changed.

    A template is searchable when the manifest names its reference, its row says the subject, list
    and hash that the manifest's hashes are of, and its own bytes carry that hash; every other one
    is left out, counted in `refused`.
    A snapshot may be searched from several threads.

    References of control subjects are a gallery of their own: they answer beside the list that
    matters, and nobody's score is pooled over both. So what a face scores against those who are
    looked for does not depend on whether a test is on.

    Attributes:
        refused, refused_ids: Listed references whose stored row is not the recorded one.
        missing, missing_ids: Listed references without a stored template.

    Args:
        manifest: What is listed of each searchable reference_id.
        templates: As the store holds them; those that the manifest does not name are ignored.
    """

    def __init__(
        self,
        manifest: Mapping[str, Listed],
        templates: Sequence[StoredTemplate],
    ) -> None:
        named = [t for t in templates if t.reference_id in manifest]
        rows = [
            t
            for t in named
            if is_of(t, manifest[t.reference_id]) and t.template_hash == hash_template(t.vector)
        ]

        def group(template: StoredTemplate) -> tuple[bool, str]:
            return manifest[template.reference_id].category == CONTROL, template.subject

        # A subject's rows stand together, and control subjects behind all others.
        rows.sort(key=lambda t: (group(t), t.reference_id))
        searched, stored = {t.reference_id for t in rows}, {t.reference_id for t in named}
        self.refused_ids = tuple(sorted(stored - searched))
        self.missing_ids = tuple(sorted(manifest.keys() - stored))
        self.refused = len(self.refused_ids)
        self.missing = len(self.missing_ids)
        self._reference_ids = [t.reference_id for t in rows]
        self._listed = [manifest[each] for each in self._reference_ids]
        # A reference's hash is the recorded one; an entry of an earlier version has none.
        self._entries = [
            (listed.entry_hash or row.entry_hash, listed, row.subject)
            for row, listed in zip(rows, self._listed, strict=True)
        ]
        self._vectors = np.stack([t.vector for t in rows]) if rows else np.empty((0, 0), np.float32)
        self._expires = np.array([microseconds(each.expires) for each in self._listed], np.int64)
        groups = [group(t) for t in rows]
        first = [i for i, each in enumerate(groups) if i == 0 or each != groups[i - 1]]
        self._subjects = [groups[i][1] for i in first]
        self._looked_for = sum(not groups[i][0] for i in first)  # the others are control subjects
        self._starts = np.array(first, np.intp)
        self._ends = np.array([*first[1:], len(rows)], np.intp)
        self._deadlines = np.unique(self._expires)
        self._pooled: dict[int, NDArray[np.float32]] = {}

    def __len__(self) -> int:
        """How many references are searchable, expired ones included."""
        return len(self._reference_ids)

    @property
    def subjects(self) -> tuple[str, ...]:
        """Every searchable subject, sorted, expired ones included."""
        return tuple(sorted(set(self._subjects)))

    def searched(self) -> Iterator[SearchedEntry]:
        """Each reference that is searched, expired ones included."""
        for entry_hash, listed, subject in self._entries:
            yield SearchedEntry(entry_hash, listed.watchlist, listed.category, subject)

    def search(
        self, templates: NDArray[np.float32], at: Sequence[datetime], *, limit: int = 5
    ) -> list[list[Candidate]]:
        """Best subjects for each template, best first, one candidate a subject.

        The best `limit` of those who are looked for are among them, and as many control subjects.

        A subject's similarity is the mean of two cosines: to the best of its references, and to
        the mean of them all. With one reference both are the same. The mean is what keeps
        strangers away (each reference of a subject is one more chance to be alike), the best is
        what finds a subject whose photos differ; together they do better than either
        (`benchmarks/tune.py`). That similarity is the score: it does not depend on who else is
        listed.

        Args:
            templates: (n, dimension) float32, L2-normalised.
            at: For each template its `captured_at`; references whose last moment is before it
                do not answer.
            limit: How many subjects at most, and as many control subjects.
        """
        if not len(self) or not len(templates):
            return [[] for _ in templates]
        scores, totals = self._compare(templates, at)
        split = self._looked_for
        best = (_best(totals[:, :split], limit), split + _best(totals[:, split:], limit))
        top = np.concatenate(best, axis=1)
        # By similarity, then by name, so that equal ones come in one order everywhere.
        order = np.lexsort((top, -np.take_along_axis(totals, top, axis=1)))
        top = np.take_along_axis(top, order, axis=1)
        ranked = np.take_along_axis(totals, top, axis=1)
        return [self._candidates(scores[row], ranked[row], top[row]) for row in range(len(top))]

    def similarities(
        self, templates: NDArray[np.float32], at: Sequence[datetime]
    ) -> NDArray[np.float32]:
        """(n, subjects) similarities of who is looked for, -inf without a live reference.

        See `search`; control subjects are not among them.
        """
        if not len(self) or not len(templates):
            return np.empty((len(templates), self._looked_for), np.float32)
        return self._compare(templates, at)[1][:, : self._looked_for]

    def _compare(
        self, templates: NDArray[np.float32], at: Sequence[datetime]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(n, references) cosines and (n, subjects) similarities, -inf of what does not live."""
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
        # Which references live follows from how many of the deadlines have passed.
        passed = np.searchsorted(self._deadlines, moments)
        found = np.empty((len(templates), len(self._starts)), np.float32)
        for count in np.unique(passed).tolist():
            rows = passed == count
            found[rows] = templates[rows] @ self._means(count).T
        return found

    def _means(self, passed: int) -> NDArray[np.float32]:
        """(subjects, dimension) unit means of live references after so many deadlines.

        Made once and kept, since time passes few deadlines while a snapshot lasts.
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
        """The best subjects of one probe, in order; those without a live reference dropped."""
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
    """(n, at most limit) columns of the greatest of each row, in no order."""
    count = min(limit, totals.shape[1])
    if not count:
        return np.empty((len(totals), 0), np.intp)
    return np.argpartition(-totals, count - 1, axis=1)[:, :count]
