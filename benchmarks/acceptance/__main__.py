"""Run the acceptance and write its figures: see scripts/acceptance."""

from __future__ import annotations

import argparse
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.acceptance.findings import Bench, Findings, commit, hash_of, machine, write_json

if TYPE_CHECKING:
    from collections.abc import Callable


def _evaluate(bench: Bench) -> Findings:
    from benchmarks.acceptance.evaluate import evaluate

    return evaluate(bench)


def _easy(bench: Bench) -> Findings:
    from benchmarks.acceptance.streets import EASY, SEEDS, judge

    return judge(bench, EASY, SEEDS)


def _hard(bench: Bench) -> Findings:
    from benchmarks.acceptance.streets import HARD, SEEDS, judge

    return judge(bench, HARD, SEEDS)


def _switches(bench: Bench) -> Findings:
    from benchmarks.acceptance.switches import switches

    return switches(bench)


def _cost(bench: Bench) -> Findings:
    from benchmarks.acceptance.streets import EASY, street
    from benchmarks.cost import cost

    return cost(street(bench, EASY, 6), bench.work / "cost")


def _bad_input(bench: Bench) -> Findings:
    from benchmarks.acceptance.bad_input import bad_input

    return bad_input(bench)


def _crashes(bench: Bench) -> Findings:
    from benchmarks.acceptance.crashes import crashes

    return crashes(bench)


def _fresh_clone(bench: Bench) -> Findings:
    from benchmarks.acceptance.fresh_clone import fresh_clone

    return fresh_clone(bench)


PARTS: dict[str, Callable[[Bench], Findings]] = {
    "evaluate": _evaluate,
    "street-easy": _easy,
    "street-hard": _hard,
    "switches": _switches,
    "cost": _cost,
    "bad-input": _bad_input,
    "crashes": _crashes,
    "fresh-clone": _fresh_clone,
}


def main() -> int:
    """Run the chosen parts; 1 when a bar is not met."""
    parser = argparse.ArgumentParser(prog="scripts/acceptance", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (all)")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    parser.add_argument("--work", type=Path, default=cache / "openlfr" / "acceptance")
    parser.add_argument("--json", type=Path, help="results; default: results.json in --work")
    wanted = parser.parse_args()
    if unknown := ", ".join(sorted(set(wanted.parts) - set(PARTS))):
        parser.error(
            f"no part is called {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}"
        )
    test_data = os.environ.get("OPENLFR_TEST_DATA")
    if not test_data or not (Path(test_data) / "testdata").is_dir():
        parser.error("OPENLFR_TEST_DATA must name the folder that holds testdata/ and tools/")
    bench = Bench(Path(test_data).resolve(), wanted.work.resolve())
    bench.work.mkdir(parents=True, exist_ok=True)
    result = {
        "commit": commit(),
        "data_sha256": hash_of(bench.faces, bench.test_data / "tools"),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "parts": {},
    }
    met = True
    for name in wanted.parts or PARTS:
        print(f"{name} ...", file=sys.stderr)
        started = time.monotonic()
        try:
            found = PARTS[name](bench)
        except Exception as error:  # noqa: BLE001 - one broken part must not hide the others
            print(f"NOT MET  {name}: {error}")
            result["parts"][name] = {"error": str(error)}
            met = False
            continue
        seconds = round(time.monotonic() - started, 1)
        result["parts"][name] = {**found.as_json(), "seconds": seconds}
        for check in found.checks:
            word = "met    " if check.passed else "NOT MET"
            bar = f"  (asked for: {check.bar})" if check.bar else ""
            print(f"{word if check.bar else 'figure '}  {check.what}: {check.value}{bar}")
        met = met and all(check.passed for check in found.checks)
        write_json(wanted.json or bench.work / "results.json", result)
    print(f"commit {result['commit']}, data {result['data_sha256'][:16]}, "
          f"written to {wanted.json or bench.work / 'results.json'}")  # fmt: skip
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
