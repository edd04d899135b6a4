"""Compares the score with the cohort score that it replaced, on recorded streets.

    python -m benchmarks.compare_scores STREET_DIR ...

"Alone" is the similarity of the network's templates of the photos alone; it shows the effect of the
two remedies of ADR 0022. At each number of false lines every score has the lowest threshold that
allows no more of them, and the found passes are compared one by one. The interval of now minus
before is that of paired proportions with streets as clusters: 95% of 10,000 draws of streets with
replacement (Efron and Tibshirani 1993, chapter 8), because passes in one street are not
independent.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from benchmarks.passes import Street, plain, recorded_in, similarity

from openlfr.stages.probe import ProbeRules

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

FALSE_LINES = (0, 1, 2, 4, 8, 16)
BEFORE = replace(ProbeRules(), doubt=0.07, unsettled=0.10, agree=0.3)
"""The rules of a track that went with the score against a cohort."""


def against_cohort(references: dict[str, NDArray[np.float32]]) -> Callable[..., Any]:
    """Return the score of ADR 0012: similarity less 0.7 times the cohort's excess over 0.15."""
    names, of = similarity(references)

    def best(templates: NDArray[np.float32]) -> list[tuple[str, float]]:
        alike = of(templates)
        ranked = -np.sort(-alike, axis=1)[:, :11]
        others = ranked[:, 1:]
        cohort = (others.sum(axis=1) + (10 - others.shape[1]) * 0.15) / 10
        scores = ranked[:, 0] - 0.7 * (cohort - 0.15)
        return [
            (names[who], float(score))
            for who, score in zip(alike.argmax(axis=1), scores, strict=True)
        ]

    return best


class Side:
    """The results of one score, over all streets.

    Attributes:
        right: For each street the best right score of each scorable pass.
        wrong: The best score of each wrong line, a (track, subject), highest first.
    """

    def __init__(
        self, streets: list[Street], rules: ProbeRules, scorer: Callable[..., Any]
    ) -> None:
        self.right: list[NDArray[np.float64]] = []
        wrong: dict[tuple[str, int, str], float] = {}
        for street in streets:
            found = dict.fromkeys(street.scorable, -1.0)
            for each in street.scored(rules, scorer(street.references)):
                if each.walker in street.listed and street.person[each.walker] == each.subject:
                    if each.walker in found:
                        found[each.walker] = max(found[each.walker], each.score)
                else:
                    key = (street.name, each.track, each.subject)
                    wrong[key] = max(wrong.get(key, -1.0), each.score)
            self.right.append(np.array(list(found.values())))
        self.wrong = np.sort(np.array(list(wrong.values())))[::-1]

    def found(self, false_lines: int) -> tuple[float, list[NDArray[np.bool_]]]:
        """Return the threshold with this number of false lines, and the passes that it finds."""
        threshold = float(self.wrong[false_lines]) if false_lines < len(self.wrong) else -1.0
        return threshold, [scores > threshold for scores in self.right]

    def at(self, threshold: float) -> tuple[int, int]:
        """Return the numbers of found passes and false lines at a threshold."""
        found = sum(int((scores >= threshold).sum()) for scores in self.right)
        return found, int((self.wrong >= threshold).sum())


def lower_limit(before: list[NDArray[np.bool_]], now: list[NDArray[np.bool_]]) -> float:
    """Return the lower end of the 95% interval of the share found now minus before."""
    gained = np.array([int(n.sum()) - int(b.sum()) for b, n in zip(before, now, strict=True)])
    passes = np.array([len(b) for b in before])
    drawn = np.random.default_rng(0).integers(0, len(passes), (10_000, len(passes)))
    shares = gained[drawn].sum(axis=1) / np.maximum(passes[drawn].sum(axis=1), 1)
    return float(np.quantile(shares, 0.025))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("streets", nargs="+", type=Path)
    parser.add_argument("--at", nargs="*", type=float, default=[0.41, 0.43, 0.45])
    options = parser.parse_args()
    for kind in ("easy", "hard"):
        streets = [
            Street(folder, recorded_in(folder))
            for folder in options.streets
            if folder.name.startswith(kind)
        ]
        if not streets:
            continue
        former = [street.as_before() for street in streets]
        before = Side(former, BEFORE, against_cohort)
        alone = Side(former, ProbeRules(), plain)
        now = Side(streets, ProbeRules(), plain)
        passes = sum(len(scores) for scores in now.right)
        walkers = sum(len(street.person) for street in streets)
        print(f"{kind}: {len(streets)} streets, {walkers} walkers, {passes} scorable passes")
        print("  false lines  before (threshold)  alone  now (threshold)  lower limit, points")
        for false_lines in FALSE_LINES:
            old, found_old = before.found(false_lines)
            new, found_new = now.found(false_lines)
            sides = (found_old, alone.found(false_lines)[1], found_new)
            counts = [sum(int(f.sum()) for f in found) for found in sides]
            limit = 100 * lower_limit(found_old, found_new)
            print(
                f"  {false_lines:11}  {counts[0]:6} ({old:.3f})  {counts[1]:13}  "
                f"{counts[2]:7} ({new:.3f})"
                f"  {limit:+.1f}"
            )
        for threshold in options.at:
            (a, b), (c, d) = before.at(threshold), now.at(threshold)
            print(f"  at {threshold}: before {a} found, {b} false; now {c} found, {d} false")


if __name__ == "__main__":
    main()
