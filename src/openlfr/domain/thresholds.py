"""The threshold, the score from which a track is a sighting, and its origin."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openlfr.domain.listing import ListState


class ThresholdOrigin(StrEnum):
    """The way in which a threshold was chosen."""

    DEFAULT = "default"  # the model's default for the size of the list; uncalibrated
    SET = "set"  # set by a person in `matching.threshold`
    CALIBRATED = "calibrated"  # result of a calibration against this list


@dataclass(frozen=True, slots=True)
class DefaultRow:
    """A measurement of a model with lists of one size.

    Attributes:
        list_size: Number of listed subjects, one reference each.
        value: The threshold.
        passes: Number of searched passes of strangers.
        stopped: Number of these passes with a candidate at or above the threshold.
        upper: Upper end of the 95% interval (Clopper-Pearson) of the stopped share.
    """

    list_size: int
    value: float
    passes: int
    stopped: int
    upper: float


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold and its origin.

    Attributes:
        value: Per-track score from which (inclusive) a candidate is a sighting.
        list_size: Number of listed subjects when the threshold was chosen or calibrated.
        row: Row of the table of defaults; None for a set or calibrated threshold, and for a model
            without a table.
        fitted: Whether the rules of a track (`stages.probe`) were fitted to this embedder's scores.
        target_fpir: Target false positive identification rate of the calibration; None without a
            calibration.
        calibration_id: Id of the calibration; empty without a calibration.
        against: Hashes of the entries that were listed at the calibration; None if unknown.
        recorded_basis: The origin in words, as a baseline recorded it; empty for a threshold in
            use. A baseline does not record `row` and `fitted`.
    """

    value: float
    origin: ThresholdOrigin
    list_size: int
    row: DefaultRow | None = None
    fitted: bool = True
    target_fpir: float | None = None
    calibration_id: str = ""
    against: frozenset[str] | None = field(default=None, compare=False, repr=False)
    recorded_basis: str = ""

    @property
    def is_calibrated(self) -> bool:
        """True for a calibrated threshold, whose error rate `basis_problem` can invalidate."""
        return self.origin is ThresholdOrigin.CALIBRATED

    def basis_problem(self, listed: ListState) -> str:
        """Return why the stated basis is not valid for this list; empty if it is valid.

        For an uncalibrated threshold, only the length of the list matters. A calibrated threshold
        is not weakened by removals, suspensions and expiries. It is weakened by each addition,
        since a stranger can be mistaken for one more person.
        """
        if not self.is_calibrated:
            return self.list_size_warning(listed.people)
        if self.against is None:
            return (
                f"The threshold {self.value:.3f} was calibrated for {self.list_size} people, who "
                f"are unknown; {listed.people} are listed now. No FPIR can be claimed until the "
                "next calibration."
            )
        if not (added := len(listed.entries - self.against)):
            return ""
        entries = "entry was" if added == 1 else "entries were"
        return (
            f"The threshold {self.value:.3f} was calibrated for {self.list_size} people, now there "
            f"are {listed.people}: {added} {entries} added since. No FPIR can be claimed until the "
            "next calibration."
        )

    def is_outgrown_by(self, subjects: int) -> bool:
        """Return whether the list is longer than the list of `row`; False without a `row`."""
        return self.row is not None and max(subjects, self.list_size) > self.row.list_size

    def list_size_warning(self, subjects: int) -> str:
        """Return a warning if the list is longer than the measured list; else empty."""
        if self.row is None or not self.is_outgrown_by(subjects):
            return ""
        measured = self.row.list_size
        if self.list_size > measured:  # a restart would choose the same threshold
            return (
                f"{max(subjects, self.list_size)} people are listed, and the threshold "
                f"{self.value:.3f} is the default for {measured}, the longest measured list: more "
                "strangers will be stopped."
            )
        return (
            f"The list has grown to {subjects} people since the start, and the threshold "
            f"{self.value:.3f} is the default for up to {measured}: more strangers will be "
            "stopped. A restart chooses another threshold."
        )

    def describe(self) -> str:
        """Return the origin in words, as the rest of a sentence that begins with the value."""
        if self.recorded_basis or self.fitted:
            return self.recorded_basis or self._origin()
        return f"{self._origin()}; the rules of a track are not fitted to this model, but to SFace"

    def _origin(self) -> str:
        if self.origin is ThresholdOrigin.SET:
            return "set in matching.threshold, not calibrated: its error rate is unknown"
        if self.origin is ThresholdOrigin.CALIBRATED:
            basis = f"calibrated against a list of {self.list_size} people"
            if self.target_fpir is None:
                return basis
            return f"{basis} for a target FPIR of {self.target_fpir:g}, with simulated passes"
        if self.row is None:
            return "the model's own default for lists of any length, which was not measured here"
        measured = (
            f"on simulated streets it stopped {self.row.stopped} of {self.row.passes:,} strangers' "
            f"passes (at most 1 in {1 / self.row.upper:,.0f}, 95%)"
        )
        default = (
            f"the model's default for lists of up to {self.row.list_size} people, uncalibrated"
        )
        if self.list_size > self.row.list_size:
            default = (
                f"the model's default for {self.row.list_size} people, the longest measured list; "
                f"{self.list_size} are listed, so more strangers will be stopped"
            )
        return f"{default}: {measured}; your cameras and people differ"


def default_threshold(table: Sequence[DefaultRow], stated: float, list_size: int) -> Threshold:
    """Return a model's default for a list.

    The value is that of the first row whose list is at least as long, or else of the last row.

    Args:
        table: Rows in ascending order of list size; empty for a model that was not measured.
        stated: The default of a model without a table.
        list_size: Current number of listed subjects.
    """
    if not table:
        return Threshold(stated, ThresholdOrigin.DEFAULT, list_size, fitted=False)
    row = next((row for row in table if row.list_size >= list_size), table[-1])
    return Threshold(row.value, ThresholdOrigin.DEFAULT, list_size, row)
