"""The models that OpenLFR knows, and how an operator states one of their own.

An own model is a JSON file `NAME.model.json` in the models folder:

    {"task": "embedding", "family": "arcface", "file": "w600k_r50.onnx", "sha256": "4c06...",
     "licence": "bought from ... on ...", "mean": 127.5, "std": 127.5, "default_threshold": 0.4}
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from openlfr.domain.errors import Misconfigured

if TYPE_CHECKING:
    from pathlib import Path

SUFFIX = ".model.json"


class Task(StrEnum):
    """What a model is for. There is no third task: other heads are never loaded."""

    DETECTION = "detection"
    EMBEDDING = "embedding"


class Family(StrEnum):
    """How a model is called; decides the adapter."""

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
    """A model file as shipped.

    Attributes:
        file: Its name in the models folder.
        sha256: Of the file, hex.
        licence: SPDX name, or what the operator states.
        source: Who made it, for people.
        size: Bytes; 0 for an operator's own.
        upstream: Address of the file at its makers'; empty for an operator's own.
        mean, std: Pixels (0 to 255) become (pixel - mean) / std before the graph sees them.
        default_threshold: Embedders: score from which a candidate is a sighting, uncalibrated.
    """

    name: str
    family: Family
    file: str
    sha256: str
    licence: str
    source: str
    size: int = 0
    upstream: str = ""
    mean: float = 0.0
    std: float = 1.0
    default_threshold: float = 0.0

    @property
    def task(self) -> Task:
        """What it is for."""
        return _TASKS[self.family]

    @property
    def own(self) -> bool:
        """Whether the operator brought it."""
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
    ),
)


def own_models(folder: Path) -> list[Model]:
    """The models that the operator stated in this folder, by name.

    Raises:
        Misconfigured: A statement cannot be read, or lacks or misspells a field.
    """
    return [_read(path) for path in sorted(folder.glob(f"*{SUFFIX}"))]


def _read(path: Path) -> Model:
    try:
        return _model_of(path.name.removesuffix(SUFFIX), json.loads(path.read_text("utf-8")))
    except KeyError as error:
        raise Misconfigured(f"{path}: field {error} is missing; the model is not used.") from error
    except (OSError, ValueError, TypeError) as error:
        raise Misconfigured(f"{path}: {error}; the model is not used.") from error


def _model_of(name: str, stated: dict[str, Any]) -> Model:
    unknown = set(stated) - _FIELDS
    if unknown:
        raise ValueError(f"unknown field {min(unknown)!r}")
    if name in {model.name for model in CATALOGUE}:
        raise ValueError("the name is taken by a model of the catalogue")
    family, task = Family(stated["family"]), Task(stated["task"])
    if (family, task) not in (
        (Family.SCRFD, Task.DETECTION),
        (Family.ARCFACE, Task.EMBEDDING),
    ):
        raise ValueError("say detection with scrfd, or embedding with arcface")
    return Model(
        name=name,
        family=family,
        file=str(stated["file"]),
        sha256=str(stated["sha256"]).lower(),
        licence=str(stated["licence"]),
        source="stated by the operator",
        mean=float(stated["mean"]),
        std=float(stated["std"]),
        default_threshold=(float(stated["default_threshold"]) if task is Task.EMBEDDING else 0.0),
    )
