"""What a part of the acceptance found, and where it found it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
OPENLFR = Path(sys.executable).with_name("openlfr")


@dataclass(frozen=True, slots=True)
class Check:
    """One figure beside its bar.

    Attributes:
        what: What was measured, with its unit.
        value: What was found.
        bar: What was asked for, as text; empty where the figure is only reported.
        passed: Whether the value meets the bar.
    """

    what: str
    value: float | str
    bar: str = ""
    passed: bool = True


@dataclass(frozen=True, slots=True)
class Findings:
    """The checks of one part and everything that explains them."""

    checks: tuple[Check, ...]
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether every bar is met."""
        return all(check.passed for check in self.checks)

    def print(self) -> None:
        """One line for each check."""
        for check in self.checks:
            word = ("met" if check.passed else "NOT MET") if check.bar else "figure"
            bar = f"  (asked for: {check.bar})" if check.bar else ""
            print(f"{word:8} {check.what}: {check.value}{bar}")

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"checks": [asdict(check) for check in self.checks], "detail": self.detail}


@dataclass(frozen=True, slots=True)
class Bench:
    """Where the acceptance works.

    Attributes:
        test_data: The folder that OPENLFR_TEST_DATA names.
        work: Streets, data folders and results; outside the repository.
    """

    test_data: Path
    work: Path

    @property
    def faces(self) -> Path:
        """Photos by person: `images/NAME/*.jpg`."""
        return self.test_data / "testdata" / "lfw"

    def tool(self, name: str) -> Path:
        """A neutral tool that came with the test data."""
        return self.test_data / "tools" / name


def openlfr(
    *words: str | Path, expect: int | None = 0, timeout: float = 3600, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run the product's own command.

    Raises:
        RuntimeError: It ended with another exit code than expected.
    """
    done = subprocess.run(
        [OPENLFR, *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **env},
    )
    if expect is not None and done.returncode != expect:
        command = " ".join(["openlfr", *map(str, words)])
        raise RuntimeError(f"{command}: exit {done.returncode}, expected {expect}\n{done.stderr}")
    return done


def commit() -> str:
    """The commit that was measured; `+changes` where the tree holds more than it."""

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=ROOT, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    return git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain") else "")


def hash_of(*folders: Path) -> str:
    """sha256 over the names and contents of every file below the folders."""
    total = hashlib.sha256()
    for folder in folders:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            if "__pycache__" in file.parts:
                continue
            total.update(f"{file.relative_to(folder)}\0".encode())
            total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def machine() -> dict[str, str | int]:
    """What it ran on, as far as it explains a timing."""
    model = ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "")
    return {"cpu": model, "cores": os.cpu_count() or 0, "python": sys.version.split()[0]}


def write_json(path: Path, value: Any) -> None:
    """Write readable JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, sort_keys=True, default=str) + "\n")
