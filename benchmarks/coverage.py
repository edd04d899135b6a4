"""Measures how often the intervals of `openlfr evaluate` contain the true value.

    python -m benchmarks.coverage [--lfw SET_DIR] [--repeats 400]

There are two populations with known rates. *Synthetic*: strangers' scores are normal, mated scores
vary by person and by photo, and few people have many photos. *LFW*: the people of a set are the
whole population; each repetition draws people, and strangers, with replacement. The set is embedded
once and stored in the user's cache folder as scores, not templates.

"bounded" is the share of repetitions in which the interval of TPIR has a lower end above 0;
"width" is its mean width in these repetitions.
"""

from __future__ import annotations

import argparse
import hashlib
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy.stats import norm

from openlfr.operations.error_rates import Trials, Unsupported, measure

FPIRS = (0.1, 0.01, 0.001)
STRANGERS = (200, 500, 1000, 2000)
PEOPLE = 840


class Synthetic:
    """Normal strangers; mated scores normal by person and by photo."""

    name = "synthetic"

    def __init__(self, people: int = PEOPLE) -> None:
        self._people = people

    def draw(self, generator, strangers: int) -> Trials:
        sizes = np.minimum(1 + generator.pareto(1.1, self._people).astype(int), 60)
        owners = np.repeat(np.arange(self._people), sizes)
        person = generator.normal(0.65, 0.08, self._people)[owners]
        return Trials(
            owners,
            generator.random(len(owners)) < 0.995,
            (person + generator.normal(0, 0.08, len(owners))).astype(np.float32),
            generator.normal(0.2, 0.1, strangers).astype(np.float32),
        )

    def threshold(self, fpir: float) -> float:
        return float(norm.isf(fpir, 0.2, 0.1))

    def tpir(self, threshold: float) -> float:
        return float(0.995 * norm.sf(threshold, 0.65, np.hypot(0.08, 0.08)))

    def fpir(self, threshold: float) -> float:
        return float(norm.sf(threshold, 0.2, 0.1))


class Resampled:
    """The people and strangers of a set as the population."""

    name = "LFW"

    def __init__(self, trials: Trials) -> None:
        self._all = trials
        self._rows = [np.flatnonzero(trials.owners == n) for n in range(trials.owners.max() + 1)]
        self._rows = [rows for rows in self._rows if len(rows)]

    def draw(self, generator, strangers: int) -> Trials:
        who = generator.integers(0, len(self._rows), len(self._rows))
        rows = np.concatenate([self._rows[n] for n in who])
        owners = np.repeat(np.arange(len(who)), [len(self._rows[n]) for n in who])
        return Trials(
            owners,
            self._all.correct[rows],
            self._all.mated_scores[rows],
            generator.choice(self._all.nonmated_scores, strangers),
        )

    def threshold(self, fpir: float) -> float:
        ranked = -np.sort(-self._all.nonmated_scores)
        return float(np.nextafter(ranked[int(fpir * len(ranked) + 1e-9)], np.float32(2)))

    def tpir(self, threshold: float) -> float:
        above = self._all.mated_scores >= np.float32(threshold)
        return float((self._all.correct & above).mean())

    def fpir(self, threshold: float) -> float:
        return float((self._all.nonmated_scores >= np.float32(threshold)).mean())


def cover(law, strangers: int, repeats: int) -> None:
    generator = np.random.default_rng(strangers)
    held: dict[float, dict[str, list[float]]] = {f: defaultdict(list) for f in FPIRS}
    for _ in range(repeats):
        _, points = measure(law.draw(generator, strangers), FPIRS)
        for fpir, point in points.items():
            if isinstance(point, Unsupported):
                continue
            found, true = held[fpir], law.threshold(fpir)
            above = point.threshold_high is None or true <= point.threshold_high
            found["threshold"].append(above and (point.threshold_low or -1) <= true)
            found["fpir"].append(point.fpir.low <= law.fpir(point.threshold) <= point.fpir.high)
            found["tpir"].append(point.low <= law.tpir(true) <= point.high)
            here = point.tpir_here
            found["here"].append(here.low <= law.tpir(point.threshold) <= here.high)
            found["bounded"].append(point.low > 0)
            found["width"].append(point.high - point.low if point.low > 0 else np.nan)
    for fpir, found in held.items():
        if not found:
            print(f"{law.name:10}{strangers:6}{fpir:7g}   null, with the reason")
            continue
        shares = "  ".join(
            f"{np.mean(found[key]):9.3f}" for key in ("threshold", "fpir", "tpir", "here")
        )
        bounded = np.mean(found["bounded"])
        width = f"{np.nanmean(found['width']):.3f}" if bounded else "-"
        print(
            f"{law.name:10}{strangers:6}{fpir:7g}  {shares}  {bounded:8.2f}  {width:>6}", flush=True
        )


def scores_of(set_dir: Path) -> Trials:
    """Return the searches of a set, which is embedded once."""
    from platformdirs import user_cache_path

    from openlfr import bootstrap
    from openlfr.operations import evaluate

    key = hashlib.sha256(str(set_dir.resolve()).encode()).hexdigest()[:12]
    kept = user_cache_path("openlfr") / "coverage" / f"{key}.npz"
    if not kept.exists():
        seen: list[Trials] = []
        plain = evaluate.measure
        evaluate.measure = lambda trials, fpirs: (seen.append(trials), plain(trials, fpirs))[1]  # type: ignore[assignment]
        detector, embedder = bootstrap.load_detector(None), bootstrap.load_embedder(None)
        evaluate.evaluate(set_dir, detector, embedder)
        kept.parent.mkdir(parents=True, exist_ok=True)
        names = ("owners", "correct", "mated_scores", "nonmated_scores")
        np.savez(kept, **{name: getattr(seen[0], name) for name in names})
    with np.load(kept) as values:
        return Trials(**{name: values[name] for name in values.files})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lfw", type=Path, help="A set in the format of `openlfr evaluate`.")
    parser.add_argument("--repeats", type=int, default=400)
    options = parser.parse_args()
    laws = [Synthetic()] + ([Resampled(scores_of(options.lfw))] if options.lfw else [])
    error = 2 * np.sqrt(0.95 * 0.05 / options.repeats)
    print(f"{options.repeats} repetitions; each share is to be 0.95, less {error:.3f} (two errors)")
    print(
        f"{'law':10}{'n':>6}{'FPIR':>7}  threshold       fpir       tpir  at itself  bounded  width"
    )
    for law in laws:
        for strangers in STRANGERS:
            cover(law, strangers, options.repeats)


if __name__ == "__main__":
    main()
