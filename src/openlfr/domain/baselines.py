"""Baselines: periods of a deployment in which nothing changes that determines who alerts.

A baseline's id is a hash of its content: the list's Merkle root, threshold, models, rules and
camera inputs. So each process computes the id by itself, tallies name the conditions under which
they were counted, and a published id commits to all these conditions.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from openlfr.domain.listing import ListPart, ListState
from openlfr.domain.models_used import ModelUsed
from openlfr.domain.thresholds import Threshold, ThresholdOrigin

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ThresholdUsed:
    """The threshold of a baseline, with its basis as text.

    Attributes:
        value, origin, list_size, target_fpir, calibration_id: See `thresholds.Threshold`.
        basis: The origin in words, as the rest of a sentence that begins with the value.
        basis_problem: Why the stated basis is not valid for this list; empty if it is valid.
    """

    value: float
    origin: ThresholdOrigin
    list_size: int
    target_fpir: float | None = None
    calibration_id: str = ""
    basis: str = ""
    basis_problem: str = ""

    @classmethod
    def from_threshold(cls, threshold: Threshold, listed: ListState) -> Self:
        """Return the threshold with its basis, and why the basis is not valid for a list, if so."""
        return cls(
            threshold.value,
            threshold.origin,
            threshold.list_size,
            threshold.target_fpir,
            threshold.calibration_id,
            threshold.describe(),
            threshold.basis_problem(listed),
        )

    def to_threshold(self) -> Threshold:
        """Return the threshold as a report describes it."""
        return Threshold(
            self.value,
            self.origin,
            self.list_size,
            target_fpir=self.target_fpir,
            calibration_id=self.calibration_id,
            recorded_basis=self.basis,
        )

    @property
    def claims_fpir(self) -> bool:
        """True if the threshold is calibrated and valid for the list, so an FPIR may be stated."""
        return self.origin is ThresholdOrigin.CALIBRATED and not self.basis_problem

    @property
    def identity(self) -> tuple[object, ...]:
        """The fields that determine whether two thresholds are equal; `list_size` is excluded."""
        return self.value, str(self.origin), self.target_fpir, self.calibration_id


@dataclass(frozen=True, slots=True)
class Conditions:
    """All parts of a baseline except the list; constant while a process runs.

    Attributes:
        threshold: Score from which a candidate is a sighting, and its origin.
        models: Detector and embedder, as prepared.
        rules: sha256 (hex) of the settings that determine who alerts.
        cameras: HMAC (hex) of the cameras and of the settings that determine which frames are
            analysed.
        software: Name and version.
    """

    deployment: str
    threshold: Threshold
    models: tuple[ModelUsed, ...]
    rules: str
    cameras: str
    software: str

    def with_list(self, listed: ListState) -> Baseline:
        """Return the baseline that consists of these conditions and a list."""
        return Baseline(
            self.deployment,
            listed,
            ThresholdUsed.from_threshold(self.threshold, listed),
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
        """sha256 (hex) of the content, except counts and sentences, which follow from the rest."""
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
        """Threshold, models, rules and software; figures with the same pool may be added up."""
        return self.threshold.identity, self.model_hashes, self.rules, self.software

    @property
    def model_hashes(self) -> tuple[tuple[str, str, str], ...]:
        """For each model: role, hash of the shipped file, hash of the loaded graph."""
        return tuple((each.role, each.sha256, each.prepared_sha256) for each in self.models)

    def changes_from(self, previous: Baseline | None) -> tuple[str, ...]:
        """Return each difference from the previous baseline, as a sentence fragment.

        Returns "the first" without a previous baseline, "the same again" without a difference.
        """
        if previous is None:
            return ("the first",)
        changes = []
        if self.listed.root != previous.listed.root:
            changes.append(f"list: {_list_change(previous.listed, self.listed)}")
        one, other = previous.threshold, self.threshold
        if one.identity != other.identity:
            changes.append(
                f"threshold: {one.value:.3f} ({one.origin}) to {other.value:.3f} ({other.origin})"
            )
        if self.model_hashes != previous.model_hashes:
            names = ", ".join(f"{each.role} {each.name}" for each in self.models)
            changes.append(f"model: now {names}")
        if self.rules != previous.rules:
            changes.append("rules")
        if self.software != previous.software:
            changes.append(f"rules: {previous.software} to {self.software}")
        if self.cameras != previous.cameras:
            changes.append("camera inputs")
        return tuple(changes) or ("the same again",)

    def differs_in(self, other: Baseline) -> tuple[str, ...]:
        """Return the differences that forbid adding up figures: "model", "rules", "threshold".

        A different software version counts as "rules". Lists and cameras may differ.
        """
        pairs = {
            "model": (self.model_hashes, other.model_hashes),
            "rules": ((self.rules, self.software), (other.rules, other.software)),
            "threshold": (self.threshold.identity, other.threshold.identity),
        }
        return tuple(name for name, (one, two) in pairs.items() if one != two)

    def to_json(self) -> dict[str, Any]:
        """Return the content as JSON values for `from_json`, without the list's entries."""
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
                "doubt": threshold.basis_problem,
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
        threshold["basis_problem"] = threshold.pop("doubt", "")
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
    """Return the previous and current numbers of references, for each category that changed."""
    one, other = _by_category(before), _by_category(now)
    parts = [
        f"{category or 'no category'} {one.get(category, 0)} to {other.get(category, 0)}"
        for category in sorted(one.keys() | other.keys())
        if one.get(category, 0) != other.get(category, 0)
    ]
    what = ", ".join(parts) or "other references"
    return f"{before.references} to {now.references} references ({what})"


def _by_category(listed: ListState) -> dict[str, int]:
    references: dict[str, int] = {}
    for part in listed.parts:
        references[part.category] = references.get(part.category, 0) + part.references
    return references
