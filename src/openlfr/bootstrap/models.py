"""Opens the folder of models, the configured detector and the configured embedder."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from openlfr.bootstrap.default_thresholds import SFACE_DEFAULTS

if TYPE_CHECKING:
    from openlfr.adapters.models.store import ModelStore
    from openlfr.domain.ids import Ids
    from openlfr.domain.models_used import ModelUsed
    from openlfr.pipeline import Analyser
    from openlfr.ports import FaceDetector, FaceEmbedder, WatchlistIndex
    from openlfr.settings import Models, Settings


def find_model_folder(configured: Path | None = None) -> Path:
    """Return the folder of models: the setting, else OPENLFR_MODELS, else the user's cache."""
    if configured is not None:
        return configured
    if from_environment := os.environ.get("OPENLFR_MODELS"):
        return Path(from_environment)
    import platformdirs

    return Path(platformdirs.user_cache_dir("openlfr", appauthor=False)) / "models"


def open_models(settings: Settings | None = None) -> ModelStore:
    """Open the configured folder of models; without settings the default folder."""
    from openlfr.adapters.models.store import ModelStore

    return ModelStore(find_model_folder(settings.models.folder if settings else None))


def load_detector(settings: Settings | None = None) -> FaceDetector:
    """Verify and load the configured face detector; without settings the default detector.

    Raises:
        Misconfigured: The model is not installed, has another hash, or its provider is missing.
    """
    from openlfr.adapters.models.insightface import Scrfd, uses_insightface
    from openlfr.adapters.models.onnx import choose_providers
    from openlfr.adapters.models.yunet import YuNet

    models = _models_of(settings)
    ready = open_models(settings).load(models.detector)
    providers = choose_providers(models.providers)
    if uses_insightface(ready):
        return Scrfd(ready, providers=providers, threads=models.threads)
    return YuNet(ready, providers=providers, threads=models.threads)


def load_embedder(settings: Settings | None = None) -> FaceEmbedder:
    """Verify and load the configured face embedder; without settings the default embedder.

    Raises:
        Misconfigured: The model is not installed, has another hash, or its provider is missing.
    """
    from openlfr.adapters.models.insightface import ArcFace, uses_insightface
    from openlfr.adapters.models.onnx import choose_providers
    from openlfr.adapters.models.sface import SFace

    models = _models_of(settings)
    ready = open_models(settings).load(models.embedder)
    providers = choose_providers(models.providers)
    if uses_insightface(ready):
        return ArcFace(ready, providers=providers, threads=models.threads)
    return SFace(
        ready,
        providers=providers,
        threads=models.threads,
        default_threshold=SFACE_DEFAULTS[0].value,
    )


def list_providers(settings: Settings) -> list[str]:
    """Return the ONNX Runtime providers of the configured models on this machine, best first."""
    from openlfr.adapters.models.onnx import choose_providers

    return choose_providers(settings.models.providers)


def list_models_used(settings: Settings) -> tuple[ModelUsed, ...]:
    """Return the configured detector and embedder, with hashes and licences for a report."""
    from openlfr.domain.models_used import ModelUsed

    store = open_models(settings)
    named = {"detector": settings.models.detector, "embedder": settings.models.embedder}
    ready = {role: store.load(name) for role, name in named.items()}
    return tuple(
        ModelUsed(
            role,
            model.name,
            model.sha256,
            model.model.licence,
            hashlib.sha256(model.content).hexdigest(),
        )
        for role, model in ready.items()
    )


def _models_of(settings: Settings | None) -> Models:
    if settings is not None:
        return settings.models
    from openlfr.settings import Models

    return Models()


def make_analyser(
    settings: Settings,
    ids: Ids,
    models: tuple[FaceDetector, FaceEmbedder],
    index: WatchlistIndex,
    *,
    threshold: float,
) -> Analyser:
    """Create the analyser for a configuration.

    Args:
        settings: The configuration, with the cameras' input sizes.
        ids: The deployment's ids, which identify its sightings.
        models: The results of `load_detector` and `load_embedder`.
        index: The index of searchable references at the start.
        threshold: The threshold at the start.
    """
    from openlfr.pipeline import Analyser

    detector, embedder = models
    return Analyser(
        ids=ids,
        detector=detector,
        embedder=embedder,
        index=index,
        threshold=threshold,
        input_sizes={name: camera.input_size for name, camera in settings.cameras.items()},
    )
