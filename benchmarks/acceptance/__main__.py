"""Run the acceptance and write its figures: see scripts/acceptance."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.acceptance.findings import (
    Bench,
    Check,
    Findings,
    commit,
    hash_of,
    machine,
    write_json,
)

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
    from benchmarks.cost import cost_on_street

    return cost_on_street(bench)


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
    if unknown := sorted(set(wanted.parts) - set(PARTS)):
        parser.error(f"no part is called {', '.join(unknown)}; there are {', '.join(PARTS)}")
    test_data = os.environ.get("OPENLFR_TEST_DATA")
    if not test_data or not (Path(test_data) / "testdata").is_dir():
        parser.error("OPENLFR_TEST_DATA must name the folder that holds testdata/ and tools/")
    bench = Bench(Path(test_data).resolve(), wanted.work.resolve())
    bench.work.mkdir(parents=True, exist_ok=True)
    out = wanted.json or bench.work / "results.json"
    about = {
        "commit": commit(),
        "data_sha256": hash_of(bench.faces, bench.test_data / "tools"),
        "machine": machine(),
    }
    parts = _found_before(out, about)
    met = True
    for name in wanted.parts or PARTS:
        print(f"{name} ...", file=sys.stderr)
        started = time.monotonic()
        try:
            found = PARTS[name](bench)
        except Exception as error:  # noqa: BLE001 - one broken part must not hide the others
            found = Findings((Check(name, f"broke off: {error}", "an answer", passed=False),))
        found.print()
        met = met and found.passed
        parts[name] = {
            **found.as_json(),
            "seconds": round(time.monotonic() - started, 1),
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        write_json(out, {**about, "parts": parts})
    print(f"commit {about['commit']}, data {about['data_sha256'][:16]}: {out}")
    return 0 if met else 1


def _found_before(out: Path, about: dict[str, Any]) -> dict[str, Any]:
    """The other parts of the same commit and data, so that parts can be run one by one."""
    if not out.is_file():
        return {}
    before = json.loads(out.read_text())
    same = all(before.get(key) == value for key, value in about.items())
    return before.get("parts", {}) if same and "+" not in about["commit"] else {}


if __name__ == "__main__":
    sys.exit(main())
