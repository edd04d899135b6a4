"""A fresh clone: `scripts/demo`, then `scripts/test`, nothing else; and how fast help answers."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from benchmarks.acceptance.findings import OPENLFR, ROOT, Bench, Check, Findings

if TYPE_CHECKING:
    from pathlib import Path

DEMO_SECONDS = 120
HELP_SECONDS = 0.3


def timed(*words: str | Path, cwd: Path) -> tuple[int, float, str]:
    """Exit code, seconds and the end of what was said, without this run's environment."""
    keep = {k: v for k, v in os.environ.items() if k not in {"OPENLFR_TEST_DATA", "VIRTUAL_ENV"}}
    started = time.monotonic()
    done = subprocess.run(
        words, cwd=cwd, capture_output=True, text=True, check=False, env=keep,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return done.returncode, time.monotonic() - started, (done.stdout + done.stderr)[-2000:]


def fresh_clone(bench: Bench) -> Findings:
    """Clone the commit and use it as a newcomer does."""
    clone = bench.work / "clone"
    shutil.rmtree(clone, ignore_errors=True)
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    first = timed("scripts/demo", cwd=clone)
    again = timed("scripts/demo", cwd=clone)
    ignored = subprocess.run(
        ["git", "status", "--porcelain"], cwd=clone, capture_output=True, text=True, check=True
    ).stdout
    tests = timed("scripts/test", cwd=clone)
    print(f"  demo: {first[2]}\n  test: {tests[2]}", file=sys.stderr)
    helps = [timed(OPENLFR, "--help", cwd=clone)[1] for _ in range(9)]
    middle = statistics.median(helps)
    said = f"exit {first[0]} after {first[1]:.0f} s, set-up included"
    return Findings(
        (
            Check("scripts/demo on a fresh clone", said, "exit 0", first[0] == 0),
            Check("the demo's own part, s", round(again[1], 1), f"< {DEMO_SECONDS}",
                  again[0] == 0 and again[1] < DEMO_SECONDS),
            Check("files that the demo leaves for git to see", ignored.count("\n"), "= 0",
                  not ignored),
            Check("scripts/test after it", f"exit {tests[0]} after {tests[1]:.0f} s", "exit 0",
                  tests[0] == 0),
            Check("openlfr --help, median s", round(middle, 3), f"< {HELP_SECONDS}",
                  middle < HELP_SECONDS),
        ),
        {"demo": first[2], "test": tests[2]},
    )  # fmt: skip
