"""Calibrations: measurements from which the threshold for a target FPIR follows.

A calibration's id is a hash of its content, so that its record and its act prove each other. The
content has no face, name or template: neither of the people of the cohort nor of listed people.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from openlfr.domain.thresholds import Threshold, ThresholdOrigin

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from openlfr.domain.listing import ListState
    from openlfr.domain.models_used import ModelUsed

PURPOSE = "listed entries of a calibration"
"""Purpose of the key of `hash_entries`, for `Vault.derive`."""


@dataclass(frozen=True, slots=True)
class CalibrationConditions:
    """The settings that a calibration and a start must have in common, besides the list.

    Attributes:
        models: For each model: role, hash of the shipped file, hash of the loaded graph.
        rules: sha256 (hex) of the settings that determine who alerts; see `baselines.Conditions`.
        software: Name and version.
    """

    models: tuple[tuple[str, str, str], ...]
    rules: str
    software: str

    @classmethod
    def from_models(cls, models: Sequence[ModelUsed], rules: str, software: str) -> Self:
        """Return the conditions of the loaded models."""
        hashes = tuple((each.role, each.sha256, each.prepared_sha256) for each in models)
        return cls(hashes, rules, software)


@dataclass(frozen=True, slots=True)
class Cohort:
    """The unlisted people of a calibration, as numbers.

    Attributes:
        people: Number of people, with one score each.
        searched: Number of people with a searched track; the others have the score -1.
        left_out: Number of people in the folder who were left out.
        tracks_of_nobody: Number of searched tracks that are no face of a person of the cohort.
        photos_sha256: Digest of the used photos, without names.
    """

    people: int
    searched: int
    left_out: int
    tracks_of_nobody: int
    photos_sha256: str


@dataclass(frozen=True, slots=True)
class Calibration:
    """A calibration.

    Attributes:
        made_at: UTC.
        target_fpir: Share of unlisted people who may reach the threshold.
        threshold: The threshold; a score that reaches it is a sighting.
        above: Number of people of the cohort who reach the threshold.
        low, high: 95% interval of the share of such people in the population.
        cohort: The people.
        conditions: Models, rules and version.
        list_root: RFC 6962 tree hash (hex) of the list, as a baseline contains it.
        references, subjects: Size of the list, control subjects included.
        entries: Keyed hash (hex) of each listed entry; see `hash_entries`. An erasure leaves these
            hashes, and without the vault's key they are not linked to an entry.
        simulation: Options of the simulated street on which the people walked.
    """

    made_at: datetime
    target_fpir: float
    threshold: float
    above: int
    low: float
    high: float
    cohort: Cohort
    conditions: CalibrationConditions
    list_root: str
    references: int
    subjects: int
    entries: frozenset[str]
    simulation: Mapping[str, Any]

    @property
    def calibration_id(self) -> str:
        """sha256 (hex) of the content."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return the content as JSON values for `from_json`."""
        values = asdict(self)
        values["made_at"] = self.made_at.isoformat()
        values["entries"] = sorted(self.entries)
        values["conditions"]["models"] = [list(each) for each in self.conditions.models]
        values["simulation"] = dict(self.simulation)
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Restore a calibration from the values of `to_json`."""
        conditions = values["conditions"]
        return cls(
            **{
                **values,
                "made_at": datetime.fromisoformat(values["made_at"]),
                "entries": frozenset(values["entries"]),
                "cohort": Cohort(**values["cohort"]),
                "conditions": CalibrationConditions(
                    tuple((role, sha256, loaded) for role, sha256, loaded in conditions["models"]),
                    conditions["rules"],
                    conditions["software"],
                ),
            }
        )

    def added_entries(self, entries: Mapping[str, str]) -> frozenset[str]:
        """Return the entry hashes of the entries that were not listed at the calibration.

        Args:
            entries: Keyed hash of each entry, by its entry hash; see `hash_entries`.
        """
        return frozenset(name for name, keyed in entries.items() if keyed not in self.entries)

    def as_threshold(
        self, entries: Mapping[str, str], controls: Collection[str] = frozenset()
    ) -> Threshold:
        """Return the threshold with its origin.

        Args:
            entries: Keyed hash of each entry that is or may become searchable, by its entry hash.
            controls: Entry hashes of control subjects; they count as listed at the calibration,
                since no score against listed people depends on them.
        """
        return Threshold(
            self.threshold,
            ThresholdOrigin.CALIBRATED,
            self.subjects,
            target_fpir=self.target_fpir,
            calibration_id=self.calibration_id,
            against=frozenset(entries) - self.added_entries(entries) | frozenset(controls),
        )


def hash_entries(entry_hashes: Collection[str], key: bytes) -> dict[str, str]:
    """Return the keyed hash (hex) of each entry, by its entry hash.

    Args:
        entry_hashes: Results of `watchlist.hash_entry`.
        key: `Vault.derive(PURPOSE)`.
    """
    return {each: hmac.digest(key, each.encode(), "sha256").hex() for each in entry_hashes}


def describe_list(listed: ListState, key: bytes) -> dict[str, Any]:
    """Return the fields of a calibration that describe its list."""
    return {
        "list_root": listed.root,
        "references": listed.references,
        "subjects": listed.people,
        "entries": frozenset(hash_entries(listed.entries, key).values()),
    }
