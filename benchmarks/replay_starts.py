"""Checks that a film has the same alerts with every start time.

    python -m benchmarks.replay_starts CONFIG.yaml [--runs 20] [--seed 0] [--tolerance 1e-4]

Runs `openlfr run CONFIG.yaml --as-fast-as-possible` repeatedly. Each run has its own copy of the
data folder, so that the watchlist is the same and the runs are independent. The starts differ by a
fraction of a second, and the number of the models' threads changes. The alert lines are compared:
event, camera, frame_index, subject and box; scores within the tolerance. All cameras start
together, because films that start apart are another street. The exit code is 1 if any run differs
from the first.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from ruamel.yaml import YAML

SAME = ("event", "camera", "frame_index", "subject", "box")


def lines_of(config: Path, folder: Path, fraction: int, threads: int) -> list[dict]:
    """Run the configuration in a folder and return its alert lines."""
    yaml = YAML(typ="safe")
    settings = yaml.load(config.read_text())
    data = config.parent / settings["data_dir"]
    shutil.copytree(data, folder / "data", ignore=shutil.ignore_patterns("redis", "run.lock"))
    settings["data_dir"] = str(folder / "data")
    starts = settings["deployment"]["starts"]
    for camera in settings["cameras"].values():
        if not str(camera["url"]).startswith(("rtsp:", "http:", "https:")):
            camera["url"] = str((config.parent / camera["url"]).resolve())
        start = camera.get("start", starts)
        start = datetime.fromisoformat(start) if isinstance(start, str) else start
        camera["start"] = (start + timedelta(microseconds=fraction)).isoformat()
    models = settings.setdefault("models", {})
    models["threads"] = threads
    with (folder / "CONFIG.yaml").open("w") as file:
        yaml.dump(settings, file)
    subprocess.run(
        [sys.executable, "-m", "openlfr", "run", folder / "CONFIG.yaml", "--alerts",
         folder / "alerts.jsonl", "--as-fast-as-possible", "--quiet"],
        check=True,
    )  # fmt: skip
    return [json.loads(line) for line in (folder / "alerts.jsonl").read_text().splitlines()]


def difference(found: list[dict], expected: list[dict], tolerance: float) -> str:
    """Describe the difference; empty if there is none."""
    if len(found) != len(expected):
        return f"{len(found)} alert lines, not {len(expected)}"
    for number, (ours, theirs) in enumerate(zip(found, expected, strict=True), 1):
        for key in SAME:
            if ours[key] != theirs[key]:
                return f"line {number}: {key} {ours[key]}, not {theirs[key]}"
        if abs(ours["score"] - theirs["score"]) > tolerance:
            return f"line {number}: score {ours['score']}, not {theirs['score']}"
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    options = parser.parse_args()
    fractions = [0, *np.random.default_rng(options.seed).integers(0, 1_000_000, options.runs - 1)]
    expected: list[dict] | None = None
    differ = 0
    for run, fraction in enumerate(map(int, fractions)):
        with tempfile.TemporaryDirectory() as folder:
            threads = 1 + run % 2
            found = lines_of(options.config, Path(folder), fraction, threads)
        expected = found if expected is None else expected
        why = difference(found, expected, options.tolerance)
        differ += bool(why)
        print(f"start +{fraction / 1e6:.6f} s, {threads} threads: {len(found)} alert lines"
              f"{'; ' + why if why else ''}", flush=True)  # fmt: skip
    print(f"{differ} of {options.runs} runs differ from the first")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
