"""Records the memory of the whole process tree while a street plays in a loop: see scripts/soak."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from benchmarks.acceptance.findings import (
    OPENLFR,
    Bench,
    Check,
    Findings,
    commit,
    machine,
    write_json,
)
from benchmarks.acceptance.streets import EASY, prepare, street

EVERY_S = 5.0
MOST_GROWTH = 5.0
MOST_BYTES = 1_000_000_000
SEED = 6


@dataclass(frozen=True, slots=True)
class Sample:
    """Memory of the process and its descendants.

    Attributes:
        at_s: Seconds since the start.
        rss: Sum of resident sizes, bytes; shared pages count once for each process.
        pss: Sum of proportional sizes, bytes; shared pages count once. Equals rss where the
            system does not report it.
    """

    at_s: float
    processes: int
    rss: int
    pss: int


def sample(root: psutil.Process, at_s: float) -> Sample:
    """Add up the memory of the present process tree."""
    rss = pss = count = 0
    for process in (root, *root.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            memory = process.memory_full_info()
            rss += memory.rss
            pss += getattr(memory, "pss", memory.rss)
            count += 1
    return Sample(round(at_s, 1), count, rss, pss)


def record(config: Path, folder: Path, minutes: float, words: list[str]) -> list[Sample]:
    """Run the configuration for this time, then send SIGINT."""
    log = (folder / "run.log").open("w")
    process = subprocess.Popen(
        [OPENLFR, "run", config, "--alerts", folder / "alerts.jsonl", "--quiet", *words],
        stdout=log, stderr=log, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    root = psutil.Process(process.pid)
    samples: list[Sample] = []
    started = time.monotonic()
    try:
        while (at := time.monotonic() - started) < minutes * 60:
            if process.poll() is not None:
                raise RuntimeError(f"the run ended early: {(folder / 'run.log').read_text()}")
            samples.append(sample(root, at))
            time.sleep(EVERY_S)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(timeout=120)
        log.close()
    return samples


def judge(samples: list[Sample], alerts: int, minutes: float) -> Findings:
    """Compare the last quarter with the second one; the first is the warm-up."""
    quarter = max(len(samples) // 4, 1)
    second = statistics.mean(each.pss for each in samples[quarter : 2 * quarter])
    last = statistics.mean(each.pss for each in samples[-quarter:])
    growth = (last / second - 1) * 100
    peak = max(each.pss for each in samples)
    return Findings(
        (
            Check(
                f"memory, last quarter over second quarter of {minutes:g} min, %",
                round(growth, 2),
                f"within {MOST_GROWTH:g}",
                abs(growth) <= MOST_GROWTH,
            ),
            Check("memory of the process tree, peak MB (proportional)", round(peak / 1e6),
                  f"< {MOST_BYTES // 10**6}", peak < MOST_BYTES),
            Check("the same, sum of resident sizes, peak MB",
                  round(max(each.rss for each in samples) / 1e6)),
            Check("processes", max(each.processes for each in samples)),
            Check("alert lines written meanwhile", alerts),
        ),
        {"samples": [asdict(each) for each in samples]},
    )  # fmt: skip


def main() -> int:
    """Run the soak; return 1 if the memory grows or is too large."""
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--work", type=Path, default=cache / "openlfr" / "acceptance")
    parser.add_argument("--json", type=Path, help="results; default: soak.json in --work")
    parser.add_argument(
        "--as-filmed", action="store_true", help="at the video's own pace, not as fast as possible"
    )
    wanted = parser.parse_args()
    if not (test_data := os.environ.get("OPENLFR_TEST_DATA")):
        parser.error("OPENLFR_TEST_DATA must name the folder that holds testdata/ and tools/")
    bench = Bench(Path(test_data).resolve(), wanted.work.resolve())
    folder = bench.work / "soak"
    camera = {"input_size": list(EASY.input_size), "loop": True}
    config = prepare(bench, folder, street(bench, EASY, SEED), camera)
    words = [] if wanted.as_filmed else ["--as-fast-as-possible"]
    samples = record(config, folder, wanted.minutes, words)
    written = folder / "alerts.jsonl"
    alerts = len(written.read_text().splitlines()) if written.is_file() else 0
    found = judge(samples, alerts, wanted.minutes)
    found.print()
    result = {"commit": commit(), "machine": machine(), **found.as_json()}
    write_json(wanted.json or bench.work / "soak.json", result)
    return 0 if found.passed else 1


if __name__ == "__main__":
    sys.exit(main())
