"""Measures the cost of hashing a list at each change: root, counts by category, and id.

    python -m benchmarks.list_root [--references 20000]

Prints the milliseconds of one thread for the index, which is built at each change anyway, and for
the list's state, and the longest time for which another thread had to wait.
"""

from __future__ import annotations

import argparse
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

import numpy as np

from openlfr.domain.listing import ListState
from openlfr.domain.templates import StoredTemplate, hash_template
from openlfr.domain.watchlist import ManifestEntry, hash_entry
from openlfr.stages.search import ExactIndex

EXPIRES = datetime(2099, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Cost:
    """Milliseconds."""

    index: float
    state: float
    longest_wait: float


def measure(references: int, times: int = 5) -> Cost:
    """Return the medians over this number of repetitions."""
    vectors = np.random.default_rng(1).normal(size=(references, 128)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    manifest, templates = {}, []
    for number, vector in enumerate(vectors):
        key, subject, hashed = f"r{number}", f"person {number // 2}", hash_template(vector)
        entry = hash_entry(key, subject, "default", hashed)
        manifest[key] = ManifestEntry("default", "wanted", hashed, entry, EXPIRES)
        templates.append(StoredTemplate(key, "default", subject, hashed, vector))
    indexing, stating = [], []
    with _Neighbour() as neighbour:
        for _ in range(times):
            begun = time.perf_counter()
            index = ExactIndex(manifest, templates)
            made = time.perf_counter()
            neighbour.longest = 0.0
            ListState.from_index(index)
            indexing.append(made - begun)
            stating.append(time.perf_counter() - made)
    waited = neighbour.longest
    return Cost(1000 * median(indexing), 1000 * median(stating), 1000 * waited)


class _Neighbour:
    """A thread that reads the clock as often as possible, in place of a matching thread."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> _Neighbour:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        before = time.perf_counter()
        while not self._stop.is_set():
            now = time.perf_counter()
            self.longest, before = max(self.longest, now - before), now


def main() -> None:
    """Print one line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--references", type=int, default=20_000)
    references = parser.parse_args().references
    cost = measure(references)
    print(
        f"{references:,} references: index {cost.index:.0f} ms, state with root {cost.state:.0f} ms"
        f"; another thread waited {cost.longest_wait:.0f} ms at most"
    )


if __name__ == "__main__":
    main()
