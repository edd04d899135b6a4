"""The models that OpenLFR ships, and an operator's own models.

An operator declares a model in a JSON file `NAME.model.json` in the models folder:

    {"task": "embedding", "family": "arcface", "file": "w600k_r50.onnx", "sha256": "4c06...",
     "licence": "bought from ... on ...", "mean": 127.5, "std": 127.5, "default_threshold": 0.4}

The model is one complete file in the same folder: `file` is a name and no path, the file is no link
to another folder, and the model has no data in further files.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from openlfr.domain.errors import Misconfigured

if TYPE_CHECKING:
    from pathlib import Path

SUFFIX = ".model.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Task(StrEnum):
    """The task of a model. There is no third task: other models are never loaded."""

    DETECTION = "detection"
    EMBEDDING = "embedding"


class Family(StrEnum):
    """The architecture of a model, which decides the adapter."""

    YUNET = "yunet"
    SFACE = "sface"
    SCRFD = "scrfd"
    ARCFACE = "arcface"


_TASKS = {
    Family.YUNET: Task.DETECTION,
    Family.SCRFD: Task.DETECTION,
    Family.SFACE: Task.EMBEDDING,
    Family.ARCFACE: Task.EMBEDDING,
}


@dataclass(frozen=True, slots=True)
class Model:
    """A shipped model file, or an operator's own.

    Attributes:
        name: Name of the model.
        family: Architecture of the model.
        file: Name of the file in the models folder.
        sha256: Hash of the file, hex.
        licence: SPDX name, or the operator's own text.
        source: Authors of the model, as text for people.
        size: Size of the file, bytes; 0 for an operator's own.
        upstream: Address of the file at its authors; empty for an operator's own.
        prepared: Hash (sha256, hex) of the graph that `onnx_graph.prepare` makes from the file;
            empty for an operator's own. `onnx_batches` changes only the batch of an own graph.
        mean, std: The graph's input is (pixel - mean) / std, with pixels from 0 to 255.
        default_threshold: Threshold of an embedder's scores without calibration.
    """

    name: str
    family: Family
    file: str
    sha256: str
    licence: str
    source: str
    size: int = 0
    upstream: str = ""
    prepared: str = ""
    mean: float = 0.0
    std: float = 1.0
    default_threshold: float = 0.0

    @property
    def task(self) -> Task:
        """The task of the model's family."""
        return _TASKS[self.family]

    @property
    def is_own(self) -> bool:
        """Whether the model is an operator's own."""
        return not self.upstream


_FIELDS = {"task", "family", "file", "sha256", "licence", "mean", "std", "default_threshold"}
_ZOO = "https://github.com/opencv/opencv_zoo/raw/main/models"

CATALOGUE = (
    Model(
        name="yunet",
        family=Family.YUNET,
        file="face_detection_yunet_2023mar.onnx",
        sha256="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
        licence="MIT",
        source="YuNet by Shiqi Yu and others, from the OpenCV model zoo",
        size=232_589,
        upstream=f"{_ZOO}/face_detection_yunet/face_detection_yunet_2023mar.onnx",
        prepared="44a8e26873cc0ad829a864820f3131df0999ebe0102d82c1c33f6af3292fd9a3",
    ),
    Model(
        name="sface",
        family=Family.SFACE,
        file="face_recognition_sface_2021dec.onnx",
        sha256="0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
        licence="Apache-2.0",
        source="SFace by Yaoyao Zhong and others, from the OpenCV model zoo",
        size=38_696_353,
        upstream=f"{_ZOO}/face_recognition_sface/face_recognition_sface_2021dec.onnx",
        prepared="2dd051352184f5663857da21c2b0eb617c10c8278c1c75ff44102419980e36d3",
    ),
)


def read_own_models(folder: Path) -> list[Model]:
    """Read the operator's own models in this folder, ordered by name.

    Raises:
        Misconfigured: A declaration cannot be read, or a field is missing, unknown or wrong.
    """
    return [_read(path) for path in sorted(folder.glob(f"*{SUFFIX}"))]


def _read(path: Path) -> Model:
    name = path.name.removesuffix(SUFFIX)
    if not _NAME.fullmatch(name):
        raise Misconfigured(
            f"{printable(path)}: the model is not used: a model's name consists of letters,"
            " digits, '.', '_' and '-'."
        )
    try:
        resolve_inside(path.parent, path)
        return _parse_model(name, json.loads(path.read_text("utf-8")))
    except KeyError as error:
        raise Misconfigured(
            f"{printable(path)}: field {error} is missing; the model is not used."
        ) from error
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise Misconfigured(f"{printable(path)}: {error}; the model is not used.") from error


def resolve_inside(folder: Path, path: Path) -> Path:
    """Return the path of a file in this folder with its links resolved.

    Raises:
        ValueError: The file is outside the folder, where other users might change it.
    """
    real = path.resolve()
    if not real.is_relative_to(folder.resolve()):
        raise ValueError(f"{path.name} is a link to another folder; copy the file into this folder")
    return real


def printable(path: Path) -> str:
    """Return a path without control characters, which could change a terminal."""
    text = str(path)
    return text if text.isprintable() else repr(text)


def _parse_model(name: str, declared: Any) -> Model:
    if not isinstance(declared, dict):
        raise TypeError("it contains no JSON object")
    unknown = set(declared) - _FIELDS
    if unknown:
        raise ValueError(f"unknown field {min(unknown)!r}")
    if name in {model.name for model in CATALOGUE}:
        raise ValueError("a model of the catalogue already has this name")
    family, task = Family(declared["family"]), Task(declared["task"])
    if (family, task) not in (
        (Family.SCRFD, Task.DETECTION),
        (Family.ARCFACE, Task.EMBEDDING),
    ):
        raise ValueError("task and family must be detection and scrfd, or embedding and arcface")
    file, sha256 = str(declared["file"]), str(declared["sha256"]).lower()
    if not _NAME.fullmatch(file):
        raise ValueError(
            f"file {file!r} is not the name of a file in the same folder; allowed are letters,"
            " digits, '.', '_' and '-'"
        )
    if file in {model.file for model in CATALOGUE}:
        raise ValueError(f"file {file} is a model of the catalogue")
    if not _SHA256.fullmatch(sha256):
        raise ValueError("sha256 is not 64 hexadecimal digits")
    std = _read_number(declared, "std")
    if not std:
        raise ValueError("std is 0")
    return Model(
        name=name,
        family=family,
        file=file,
        sha256=sha256,
        licence=str(declared["licence"]),
        source="stated by the operator",
        mean=_read_number(declared, "mean"),
        std=std,
        default_threshold=(
            _read_number(declared, "default_threshold") if task is Task.EMBEDDING else 0.0
        ),
    )


def _read_number(declared: dict[str, Any], field: str) -> float:
    value = float(declared[field])
    if not math.isfinite(value):
        raise ValueError(f"{field} is {value}, not a finite number")
    return value
