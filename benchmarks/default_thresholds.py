"""Default thresholds by list size: the share of strangers' passes that they stop.

    python -m benchmarks.default_thresholds STREET_DIR ... --faces LFW_DIR [--found STREET_DIR ...]

The walkers of the streets (recorded by `benchmarks.passes`) have one photo, so that none can be
listed. The lists are drawn from the people with two photos or more, one reference each; a list of
one size contains the list of the size below. A stranger's pass is stopped if any of its searches
has a candidate at or above the threshold; a pass that was never searched does not count. A false
detection counts as a stranger. --found names streets on which listed people walk; their lists are
filled up to each size in the same way.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from benchmarks.passes import Street, load_references, plain, recorded_in
from scipy.stats import beta

from openlfr.stages.probe import ProbeRules

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZES = (20, 100, 400, 800)
ONE_IN = 1000
SAME_PERSON = {"Hasan_Wirayuda": "Hassan_Wirajuda"}
"""People with one photo who are one with two or more, spelt otherwise: a fault of the data."""
STEP = 0.005


def upper_limit(stopped: int, passes: int) -> float:
    """Return the upper end of the two-sided 95% interval of a share (Clopper and Pearson, 1934)."""
    return 1.0 if stopped == passes else float(beta.ppf(0.975, stopped + 1, passes - stopped))


def list_of(
    size: int, street: Street, pool: dict[str, NDArray[np.float32]], *, own: bool, seed: int
) -> dict[str, NDArray[np.float32]]:
    """Return a street's list filled up to a size (or only others), equal for equal seeds."""
    walking = set(street.person.values())
    walking |= {SAME_PERSON[name] for name in walking & SAME_PERSON.keys()}
    names = [name for name in sorted(pool) if name not in walking]
    np.random.default_rng(seed).shuffle(names)
    listed = dict(street.references) if own else {}
    for name in names:
        if len(listed) >= size:
            break
        listed.setdefault(name, pool[name])
    return listed


def stranger_scores(
    street: Street, listed: dict[str, NDArray[np.float32]], rules: ProbeRules
) -> list[float]:
    """Return the highest score of each stranger's searched pass and of each false detection."""
    best: dict[object, float] = defaultdict(lambda: -1.0)
    for each in street.scored(rules, plain(listed)):
        who = ("nobody", each.track) if each.walker is None else each.walker
        if who not in street.listed:
            best[who] = max(best[who], each.score)
    return list(best.values())


def found_and_wrong(
    street: Street, listed: dict[str, NDArray[np.float32]], rules: ProbeRules
) -> tuple[list[float], list[float]]:
    """Return the best right score of each scorable pass, and wrong score of each line."""
    right: dict[int, float] = dict.fromkeys(street.scorable, -1.0)
    wrong: dict[tuple[int, str], float] = defaultdict(lambda: -1.0)
    for each in street.scored(rules, plain(listed)):
        if each.walker in street.listed and street.person[each.walker] == each.subject:
            if each.walker in right:
                right[each.walker] = max(right[each.walker], each.score)
        else:
            key = (each.track, each.subject)
            wrong[key] = max(wrong[key], each.score)
    return list(right.values()), list(wrong.values())


def lowest_threshold(scores: NDArray[np.float64]) -> float:
    """Return the lowest multiple of `STEP` that at most one in `ONE_IN` scores reaches."""
    allowed = len(scores) // ONE_IN
    first_not = np.sort(scores)[::-1][allowed]
    return float(np.round((np.floor(first_not / STEP) + 1) * STEP, 3))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("streets", nargs="+", type=Path)
    parser.add_argument("--faces", type=Path, required=True, help="a folder with images/NAME/*.jpg")
    parser.add_argument("--found", nargs="*", default=[], type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rules = ProbeRules()
    pool = load_references(options.faces)
    streets = [Street(folder, recorded_in(folder)) for folder in options.streets]
    walked = [Street(folder, recorded_in(folder)) for folder in options.found]
    rows = []
    for size in SIZES:
        scores = np.array(
            [
                score
                for number, street in enumerate(streets)
                for score in stranger_scores(
                    street, list_of(size, street, pool, own=False, seed=number), rules
                )
            ]
        )
        threshold = lowest_threshold(scores)
        stopped = int((scores >= threshold).sum())
        row = {
            "list_size": size,
            "threshold": threshold,
            "passes": len(scores),
            "stopped": stopped,
            "upper": round(upper_limit(stopped, len(scores)), 5),
        }
        for kind in ("easy", "hard"):
            right: list[float] = []
            for number, street in enumerate(walked):
                if street.name.startswith(kind):
                    listed = list_of(size, street, pool, own=True, seed=number)
                    right += found_and_wrong(street, listed, rules)[0]
            row[f"found_{kind}"] = f"{sum(s >= threshold for s in right)} of {len(right)}"
        rows.append(row)
        print(json.dumps(row), flush=True)
    walkers = sum(len(street.person) for street in streets)
    print(f"{len(streets)} streets, {walkers} walkers")
    if options.json:
        options.json.write_text(json.dumps({"rows": rows, "walkers": walkers}, indent=1))


if __name__ == "__main__":
    main()
