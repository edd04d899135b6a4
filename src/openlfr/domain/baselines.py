"""Baselines: stretches of a deployment in which nothing changed that decides who alerts.

A baseline's id is a hash of what it is: the list's Merkle root, threshold, models, rules and camera
inputs. So each process computes it by itself from what it holds and uses, its tallies name what was
true in it, and an id that was published commits to all of that. Numbers are the records': they
count the baselines of a deployment in the order in which they opened, and what had been left comes
back under a number of its own.
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
    """A threshold as a baseline has it.

    Attributes:
        value, origin, list_size, target_fpir, calibration_id: As of `thresholds.Threshold`.
        basis: Where it comes from, as the rest of a sentence that begins with its value.
        doubt: Why it is not what it was chosen as with this list; empty where it is.
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
        """A threshold with the list that it is used on."""
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
        """What makes it the same threshold; not for how many it was chosen."""
        return self.value, str(self.origin), self.target_fpir, self.calibration_id


@dataclass(frozen=True, slots=True)
class Conditions:
    """What holds for a process from its start to its end.

    Attributes:
        threshold: From which score a candidate is a sighting.
        models: Detector and embedder, prepared.
        rules: sha256 (hex) of the settings that decide what alerts.
        cameras: HMAC (hex) of the cameras and of what decides what is seen of them.
        software: Name and version.
    """

    deployment: str
    threshold: Threshold
    models: tuple[ModelUsed, ...]
    rules: str
    cameras: str
    software: str

    def with_list(self, listed: ListState) -> Baseline:
        """The baseline that a list makes under them."""
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
    """What a baseline is; see `Conditions` and `ListState`."""

    deployment: str
    listed: ListState
    threshold: ThresholdUsed
    models: tuple[ModelUsed, ...]
    rules: str
    cameras: str
    software: str

    @property
    def baseline_id(self) -> str:
        """sha256 (hex) of what it is.

        Counts and sentences follow from the rest, and are not in it.
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
        """Figures of baselines may be added up where this is the same: model, rules, threshold."""
        return self.threshold.identity, self.model_hashes, self.rules, self.software

    @property
    def model_hashes(self) -> tuple[tuple[str, str, str], ...]:
        """Role, and the hashes of the file as shipped and of what is loaded."""
        return tuple((each.role, each.sha256, each.prepared_sha256) for each in self.models)

    def changes_from(self, former: Baseline | None) -> tuple[str, ...]:
        """What is other than in the one before, a sentence fragment each."""
        if former is None:
            return ("the first",)
        found = []
        if self.listed.root != former.listed.root:
            found.append(f"list: {_list_change(former.listed, self.listed)}")
        one, other = former.threshold, self.threshold
        if one.identity != other.identity:
            found.append(
                f"threshold: {one.value:.3f} ({one.origin}) to {other.value:.3f} ({other.origin})"
            )
        if self.model_hashes != former.model_hashes:
            names = ", ".join(f"{each.role} {each.name}" for each in self.models)
            found.append(f"model: now {names}")
        if self.rules != former.rules:
            found.append("rules")
        if self.software != former.software:
            found.append(f"rules: {former.software} to {self.software}")
        if self.cameras != former.cameras:
            found.append("camera inputs")
        return tuple(found) or ("the same again",)

    def differs_in(self, other: Baseline) -> tuple[str, ...]:
        """Why its figures may not be added to another's: a word each; none where they may."""
        pairs = {
            "model": (self.model_hashes, other.model_hashes),
            "rules": ((self.rules, self.software), (other.rules, other.software)),
            "threshold": (self.threshold.identity, other.threshold.identity),
        }
        return tuple(name for name, (one, two) in pairs.items() if one != two)

    def to_json(self) -> dict[str, Any]:
        """JSON values from which `from_json` makes it again, but for the list's entries."""
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
        """What `to_json` gave."""
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
    """How many more or fewer stand on it, by category."""
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
