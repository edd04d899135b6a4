"""Baselines: periods of a deployment in which nothing changed that decides who alerts.

A baseline's id is a hash of its content: the list's Merkle root, threshold, models, rules and
camera inputs. So each process computes the id by itself, its tallies name the conditions under
which they were counted, and a published id commits to all of them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from openlfr.domain.listing import ListPart, ListState
from openlfr.domain.models_used import ModelUsed
from openlfr.domain.thresholds import ThresholdOrigin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openlfr.domain.thresholds import Threshold


@dataclass(frozen=True, slots=True)
class ThresholdUsed:
    """The threshold of a baseline, with its basis as text.

    Attributes:
        value, origin, list_size, target_fpir, calibration_id: See `thresholds.Threshold`.
        basis: Its origin in words, as the rest of a sentence that begins with its value.
        doubt: Why its stated basis does not hold for this list; empty where it holds.
    """

    value: float
    origin: ThresholdOrigin
    list_size: int
    target_fpir: float | None = None
    calibration_id: str = ""
    basis: str = ""
    doubt: str = ""

    @classmethod
    def of(cls, threshold: Threshold, listed: ListState) -> Self:
        """A threshold as it applies to a list."""
        return cls(
            threshold.value,
            threshold.origin,
            threshold.list_size,
            threshold.target_fpir,
            threshold.calibration_id,
            threshold.describe(),
            threshold.doubt(listed),
        )

    @property
    def claims_fpir(self) -> bool:
        """Whether a false positive identification rate may be stated."""
        return self.origin is ThresholdOrigin.CALIBRATED and not self.doubt

    @property
    def identity(self) -> tuple[object, ...]:
        """The fields by which two thresholds are the same; `list_size` is not one of them."""
        return self.value, str(self.origin), self.target_fpir, self.calibration_id


@dataclass(frozen=True, slots=True)
class Conditions:
    """Everything that makes a baseline except the list; fixed while a process runs.

    Attributes:
        threshold: Score from which a candidate is a sighting, and its origin.
        models: Detector and embedder, as prepared.
        rules: sha256 (hex) of the settings that decide who alerts.
        cameras: HMAC (hex) of the cameras and of the settings that decide which frames are seen.
        software: Name and version.
    """

    deployment: str
    threshold: Threshold
    models: tuple[ModelUsed, ...]
    rules: str
    cameras: str
    software: str

    def with_list(self, listed: ListState) -> Baseline:
        """The baseline of these conditions with a list."""
        return Baseline(
            self.deployment,
            listed,
            ThresholdUsed.of(self.threshold, listed),
            self.models,
            self.rules,
            self.cameras,
            self.software,
        )


@dataclass(frozen=True, slots=True)
class Baseline:
    """The list and conditions of a baseline; see `ListState` and `Conditions`."""

    deployment: str
    listed: ListState
    threshold: ThresholdUsed
    models: tuple[ModelUsed, ...]
    rules: str
    cameras: str
    software: str

    @property
    def baseline_id(self) -> str:
        """sha256 (hex) of the content.

        Counts and sentences follow from the rest, so the hash does not include them.
        """
        content = (
            self.deployment,
            self.listed.root,
            self.threshold.identity,
            self.model_hashes,
            self.rules,
            self.cameras,
            self.software,
        )
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def pool(self) -> tuple[object, ...]:
        """Model, rules and threshold; figures of baselines with the same pool may be added up."""
        return self.threshold.identity, self.model_hashes, self.rules, self.software

    @property
    def model_hashes(self) -> tuple[tuple[str, str, str], ...]:
        """Role, hash of the shipped file and hash of the loaded graph of each model."""
        return tuple((each.role, each.sha256, each.prepared_sha256) for each in self.models)

    def changes_from(self, previous: Baseline | None) -> tuple[str, ...]:
        """Each difference from the baseline before, as a sentence fragment."""
        if previous is None:
            return ("the first",)
        found = []
        if self.listed.root != previous.listed.root:
            found.append(f"list: {_list_change(previous.listed, self.listed)}")
        one, other = previous.threshold, self.threshold
        if one.identity != other.identity:
            found.append(
                f"threshold: {one.value:.3f} ({one.origin}) to {other.value:.3f} ({other.origin})"
            )
        if self.model_hashes != previous.model_hashes:
            names = ", ".join(f"{each.role} {each.name}" for each in self.models)
            found.append(f"model: now {names}")
        if self.rules != previous.rules:
            found.append("rules")
        if self.software != previous.software:
            found.append(f"rules: {previous.software} to {self.software}")
        if self.cameras != previous.cameras:
            found.append("camera inputs")
        return tuple(found) or ("the same again",)

    def differs_in(self, other: Baseline) -> tuple[str, ...]:
        """The reasons not to add up the figures of two baselines, a word each; empty if none."""
        pairs = {
            "model": (self.model_hashes, other.model_hashes),
            "rules": ((self.rules, self.software), (other.rules, other.software)),
            "threshold": (self.threshold.identity, other.threshold.identity),
        }
        return tuple(name for name, (one, two) in pairs.items() if one != two)

    def to_json(self) -> dict[str, Any]:
        """The content as JSON values for `from_json`, without the list's entries."""
        listed, threshold = self.listed, self.threshold
        return {
            "deployment": self.deployment,
            "list": {
                "root": listed.root,
                "references": listed.references,
                "subjects": listed.subjects,
                "parts": [
                    [part.watchlist, part.category, part.references, part.subjects]
                    for part in listed.parts
                ],
            },
            "threshold": {
                "value": threshold.value,
                "origin": str(threshold.origin),
                "list_size": threshold.list_size,
                "target_fpir": threshold.target_fpir,
                "calibration_id": threshold.calibration_id,
                "basis": threshold.basis,
                "doubt": threshold.doubt,
            },
            "models": [
                {
                    "role": each.role,
                    "name": each.name,
                    "sha256": each.sha256,
                    "licence": each.licence,
                    "prepared_sha256": each.prepared_sha256,
                }
                for each in self.models
            ],
            "rules": self.rules,
            "cameras": self.cameras,
            "software": self.software,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Restore a baseline from the values of `to_json`."""
        listed, threshold = dict(values["list"]), dict(values["threshold"])
        listed["parts"] = tuple(ListPart(*part) for part in listed["parts"])
        threshold["origin"] = ThresholdOrigin(threshold["origin"])
        return cls(
            values["deployment"],
            ListState(**listed),
            ThresholdUsed(**threshold),
            tuple(ModelUsed(**each) for each in values["models"]),
            values["rules"],
            values["cameras"],
            values["software"],
        )


def _list_change(before: ListState, now: ListState) -> str:
    """The numbers of references before and now, by category."""
    one, other = _by_category(before), _by_category(now)
    parts = [
        f"{category or 'no category'} {one.get(category, 0)} to {other.get(category, 0)}"
        for category in sorted(one.keys() | other.keys())
        if one.get(category, 0) != other.get(category, 0)
    ]
    what = ", ".join(parts) or "as many, but others"
    return f"{before.references} to {now.references} references ({what})"


def _by_category(listed: ListState) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in listed.parts:
        found[part.category] = found.get(part.category, 0) + part.references
    return found
