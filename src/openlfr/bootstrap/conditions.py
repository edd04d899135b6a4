"""Hashes of the settings on which alerts depend; a changed hash opens a new baseline."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import openlfr
from openlfr.bootstrap.models import list_models_used
from openlfr.domain.addresses import remove_login
from openlfr.domain.baselines import Conditions
from openlfr.domain.calibrations import CalibrationConditions

if TYPE_CHECKING:
    from openlfr.domain.templates import GalleryFacts
    from openlfr.domain.thresholds import Threshold
    from openlfr.ports import Vault
    from openlfr.settings import Settings

_PURPOSE = "camera inputs of a baseline"


def make_conditions(
    settings: Settings, deployment: str, threshold: Threshold, facts: GalleryFacts, vault: Vault
) -> Conditions:
    """Return the conditions of a baseline that are constant while a process runs.

    Args:
        settings: The configuration.
        deployment: Id of the deployment.
        threshold: The chosen threshold.
        facts: The embedder's facts about its templates.
        vault: The vault, which derives the key for hashing camera addresses.
    """
    cameras = {
        name: {
            "url": remove_login(camera.url),
            "fps": camera.fps,
            "input_size": camera.input_size,
            "loop": camera.loop,
        }
        for name, camera in settings.cameras.items()
    }
    return Conditions(
        deployment=deployment,
        threshold=threshold,
        models=list_models_used(settings),
        rules=_hash_rules(settings, facts),
        # An address may contain a password, which could be guessed from a hash without a key.
        cameras=hmac.digest(vault.derive(_PURPOSE), _canonical(cameras), "sha256").hex(),
        software=f"OpenLFR {openlfr.__version__}",
    )


def make_calibration_conditions(settings: Settings, facts: GalleryFacts) -> CalibrationConditions:
    """Return the models, the hash of the rules, and the version of the software.

    A calibration is valid only for a start with the same models, rules and version, since a track's
    score depends on all three. The lists are compared separately.
    """
    return CalibrationConditions.from_models(
        list_models_used(settings),
        _hash_rules(settings, facts),
        f"OpenLFR {openlfr.__version__}",
    )


def _hash_rules(settings: Settings, facts: GalleryFacts) -> str:
    """Return the sha256 (hex) of a baseline's rules: analysis, templates, window and max_age."""
    from openlfr.pipeline import AnalysisRules

    rules = {
        "analysis": asdict(AnalysisRules()),
        "templates": [facts.alignment, facts.dimension],
        "window": settings.alerting.window.total_seconds(),
        "max_age": settings.max_age and settings.max_age.total_seconds(),
    }
    return hashlib.sha256(_canonical(rules)).hexdigest()


def _canonical(values: dict[str, Any]) -> bytes:
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
