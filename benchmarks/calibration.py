"""Measures how often the population exceeds the target of a calibrated threshold.

    python -m benchmarks.calibration [--lfw SET_DIR] [--repeats 1000]

There are two populations with known rates. *Synthetic*: scores are normal. *LFW*: the strangers of
a set are the whole population, and each calibration draws people from it with replacement. "worse"
is the share of calibrations whose threshold is exceeded by more than the target share of the
population; its bar is 0.025 plus three times the simulation's own error. "above" is the mean number
of drawn people above the threshold.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from benchmarks.coverage import scores_of
from scipy.stats import norm

from openlfr.operations.calibration import calibrate

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

TARGETS, PEOPLE = (0.01, 0.02), (400, 1000, 2000)


def measure(
    name: str,
    draw: Callable[[np.random.Generator, int], NDArray[np.float32]],
    fpir: Callable[[float], float],
    repeats: int,
) -> bool:
    """Print a line for each target and number of people; return whether all meet the bar."""
    bar = 0.025 + 3 * np.sqrt(0.025 * 0.975 / repeats)
    holds = True
    for target in TARGETS:
        for people in PEOPLE:
            generator = np.random.default_rng(people)
            done = [calibrate(draw(generator, people), target) for _ in range(repeats)]
            worse = float(np.mean([fpir(each.value) > target for each in done]))
            above = float(np.mean([each.above for each in done]))
            holds &= worse <= bar
            print(f"{name:10}{target:7g}{people:7}{worse:8.4f}{bar:8.4f}{above:7.1f}", flush=True)
    return holds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lfw", type=Path, help="a set in the format of `openlfr evaluate`")
    parser.add_argument("--repeats", type=int, default=1000)
    arguments = parser.parse_args()
    print(f"{'law':10}{'target':>7}{'people':>7}{'worse':>8}{'bar':>8}{'above':>7}")
    holds = measure(
        "synthetic",
        lambda generator, people: generator.normal(0.2, 0.1, people).astype(np.float32),
        lambda value: float(norm.sf(value, 0.2, 0.1)),
        arguments.repeats,
    )
    if arguments.lfw:
        strangers = scores_of(arguments.lfw).nonmated_scores
        holds &= measure(
            "LFW",
            lambda generator, people: generator.choice(strangers, people),
            lambda value: float((strangers >= np.float32(value)).mean()),
            arguments.repeats,
        )
    raise SystemExit(0 if holds else 1)


if __name__ == "__main__":
    main()
