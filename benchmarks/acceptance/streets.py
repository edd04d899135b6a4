"""Streets with known truth: make them, watch them with the product, let the neutral judge score."""

from __future__ import annotations

import csv
import json
import resource
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from benchmarks.acceptance.findings import Bench, Check, Findings, openlfr

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = (1, 2, 3, 4, 5)
"""Judged on these; whatever was tuned was tuned on 6 to 10."""
SECONDS = 60


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of street.

    Attributes:
        options: For the tool that makes it.
        input_size: Detector input (width, height) of its camera.
        least_found: Share of scorable passes that must be found, over all seeds.
        most_false: False alerts allowed, over all seeds.
    """

    name: str
    options: dict[str, float]
    input_size: tuple[int, int]
    least_found: float
    most_false: int


EASY = Kind("easy", {}, (1280, 736), least_found=0.95, most_false=0)
HARD = Kind(
    "hard",
    {"min_px": 22, "max_px": 70, "crf": 33, "noise": 6, "shutter": 0.6, "eligible_px": 48},
    (1280, 736),
    least_found=0.65,
    most_false=2,
)

MANIFEST_COLUMNS = (
    "subject", "image", "category", "legal_basis", "source", "captured_on", "enrolled_by",
    "authorised_by", "expires",
)  # fmt: skip


def street(bench: Bench, kind: Kind, seed: int) -> Path:
    """The folder of a street; made if it is not there, or was made with other options."""
    folder = bench.work / "streets" / f"{kind.name}{seed}"
    wanted = {"seed": seed, "seconds": SECONDS, **kind.options}
    truth = folder / "tracks.json"
    if truth.is_file():
        made_with = json.loads(truth.read_text())["args"]
        if all(made_with.get(key) == value for key, value in wanted.items()):
            return folder
    if shutil.which("ffmpeg") is None:
        raise RuntimeError("making streets needs ffmpeg on PATH (Debian: apt-get install ffmpeg)")
    print(f"  making street {kind.name} {seed}", file=sys.stderr)
    options = [
        word for key, value in wanted.items() for word in (f"--{key.replace('_', '-')}", str(value))
    ]
    tool = [sys.executable, str(bench.tool("synth_street.py")), "make"]
    folder.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [*tool, "--faces", str(bench.faces), "--out", str(folder), *options],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return folder


def write_manifest(path: Path, enrolled: dict[str, list[str]]) -> None:
    """A manifest that lists each subject with its enrolment photos."""
    expires = (datetime.now(UTC) + timedelta(days=365)).date()
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(MANIFEST_COLUMNS)
        for subject, images in enrolled.items():
            for image in images:
                rows.writerow(
                    (subject, image, "control", "consent for a test", "acceptance", "2020-01-01",
                     "acceptance run", "acceptance officer", expires)
                )  # fmt: skip


def write_config(path: Path, cameras: dict[str, dict[str, Any]], **more: Any) -> None:
    """A configuration with a complete authorisation around now. JSON is YAML."""
    now = datetime.now(UTC).replace(microsecond=0)
    values = {
        "data_dir": "data",
        "deployment": {
            "name": "acceptance",
            "purpose": "measure error rates on made-up streets",
            "place": "nowhere",
            "legal_basis": "public research photos",
            "authorised_by": "acceptance officer",
            "starts": (now - timedelta(days=1)).isoformat(),
            "ends": (now + timedelta(days=365)).isoformat(),
        },
        "cameras": cameras,
        **more,
    }
    path.write_text(json.dumps(values, indent=2) + "\n")


def prepare(bench: Bench, folder: Path, street_folder: Path, camera: dict[str, Any]) -> Path:
    """A fresh data folder with the street's watchlist imported; returns its configuration."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    enrolled = json.loads((street_folder / "enrol.json").read_text())
    # The list names photos where they lay when the street was made; they are found by name here.
    here = {
        name: [str(bench.faces / "images" / name / image.rsplit("/", 1)[-1]) for image in images]
        for name, images in enrolled.items()
    }
    write_manifest(folder / "watchlist.csv", here)
    config = folder / "CONFIG.yaml"
    write_config(config, {"street": {"url": str(street_folder / "video.mp4"), **camera}})
    imported = openlfr("watchlist", "import", folder / "watchlist.csv", "--config", config)
    (folder / "import.txt").write_text(imported.stdout + imported.stderr)
    return config


def watch(bench: Bench, kind: Kind, seed: int) -> dict[str, Any]:
    """Run the product over one street and score its alerts."""
    made = street(bench, kind, seed)
    folder = bench.work / "runs" / f"{kind.name}{seed}"
    config = prepare(bench, folder, made, {"input_size": list(kind.input_size)})
    alerts = folder / "alerts.jsonl"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    openlfr("run", config, "--alerts", alerts, "--as-fast-as-possible", "--quiet")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    judge = [sys.executable, bench.tool("score_alerts.py"), made, alerts]
    scored = subprocess.run(judge, check=True, capture_output=True, text=True)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seed": seed, **json.loads(scored.stdout), "cpu_s": round(cpu, 1)}


def judge(bench: Bench, kind: Kind, seeds: tuple[int, ...]) -> Findings:
    """Pool the streets of a kind and hold them against the bars."""
    results = []
    for seed in seeds:
        results.append(watch(bench, kind, seed))
        print(f"  {kind.name} {seed}: {json.dumps(results[-1])}", file=sys.stderr)
    passes, found, false, repeats, cpu = (
        sum(each[key] for each in results)
        for key in ("passes", "found", "false", "repeats", "cpu_s")
    )
    share = found / max(passes, 1)
    where = f"{kind.name} streets, seeds {', '.join(map(str, seeds))}"
    checks = [
        Check(
            f"{where}: share of {passes} scorable passes found",
            round(share, 4),
            f">= {kind.least_found}",
            share >= kind.least_found,
        ),
        Check(f"{where}: false alerts", false, f"<= {kind.most_false}", false <= kind.most_false),
    ]
    if kind is EASY:
        checks.append(
            Check(f"{where}: opened twice within the window", repeats, "= 0", repeats == 0)
        )
    return Findings(
        tuple(checks),
        {"input_size": kind.input_size, "cpu_s": round(cpu, 1), "streets": results},
    )
