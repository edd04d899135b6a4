"""The threshold: from which score a track is a sighting, and where that number comes from."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openlfr.domain.listing import ListState


class ThresholdOrigin(StrEnum):
    """Who chose a threshold."""

    DEFAULT = "default"  # the model's, by the size of the list; uncalibrated
    SET = "set"  # whoever wrote `matching.threshold`
    CALIBRATED = "calibrated"  # a calibration against this list


@dataclass(frozen=True, slots=True)
class DefaultRow:
    """What was measured of a model with lists of one size.

    Attributes:
        list_size: Listed subjects, one reference each.
        value: The threshold.
        passes: Strangers' passes that were searched.
        stopped: Those of them with a candidate at or above the threshold.
        upper: Upper end of the 95% interval (Clopper-Pearson) of the share that is stopped.
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
        list_size: Subjects that were listed when it was chosen; for whom it was calibrated.
        row: Of the default's table; None where somebody set it, and for a model without a table.
        fitted: Whether the rules of a track (`stages.probe`) were fitted on this embedder's scores.
        target_fpir: The error rate that a calibration was asked for; None without one.
        calibration_id: Which calibration gave it; empty without one.
        against: Hashes of the entries that it was calibrated against; None where nobody knows.
    """

    value: float
    origin: ThresholdOrigin
    list_size: int
    row: DefaultRow | None = None
    fitted: bool = True
    target_fpir: float | None = None
    calibration_id: str = ""
    against: frozenset[str] | None = field(default=None, compare=False, repr=False)

    @property
    def calibrated(self) -> bool:
        """Whether a calibration gave it; whether its error rate holds is for `doubt` to say."""
        return self.origin is ThresholdOrigin.CALIBRATED

    def doubt(self, listed: ListState) -> str:
        """Why it no longer is what it was chosen as, with this list; empty while it is.

        Who leaves a list takes no passer-by along, so that removals, suspensions and expiries
        leave a threshold as good as it was. Each addition is one more who can be mistaken for.
        """
        if not self.calibrated:
            return self.outgrown(listed.people)
        if self.against is None:
            return (
                f"The threshold {self.value:.3f} was calibrated for {self.list_size} people, and "
                f"nothing says which; {listed.people} are listed now. No FPIR can be claimed until "
                "it is calibrated anew."
            )
        if not (added := len(listed.entries - self.against)):
            return ""
        entries = "entry was" if added == 1 else "entries were"
        return (
            f"The threshold {self.value:.3f} was calibrated for {self.list_size} people, now there "
            f"are {listed.people}: {added} {entries} added since. No FPIR can be claimed until it "
            "is calibrated anew."
        )

    def outgrown_by(self, subjects: int) -> bool:
        """Whether so many subjects are more than the row it was taken from was measured with."""
        return self.row is not None and max(subjects, self.list_size) > self.row.list_size

    def outgrown(self, subjects: int) -> str:
        """What is to be said once so many are listed; empty while the row still covers them."""
        if self.row is None or not self.outgrown_by(subjects):
            return ""
        measured = self.row.list_size
        if self.list_size > measured:  # a new start chooses no other
            return (
                f"{max(subjects, self.list_size)} people are listed, and the threshold "
                f"{self.value:.3f} is the default for {measured}, the longest list that was "
                "measured: more strangers will be stopped."
            )
        return (
            f"The list has grown to {subjects} people since the start, and the threshold "
            f"{self.value:.3f} is the default for up to {measured}: more strangers will be "
            "stopped; a new start chooses it anew."
        )

    def describe(self) -> str:
        """Where it comes from, as the rest of a sentence that begins with its value."""
        if self.fitted:
            return self._origin()
        return f"{self._origin()}; the rules of a track are not fitted to this model, but to SFace"

    def _origin(self) -> str:
        if self.origin is ThresholdOrigin.SET:
            return "set in matching.threshold, not calibrated: no error rate can be stated for it"
        if self.origin is ThresholdOrigin.CALIBRATED:
            return f"calibrated against a list of {self.list_size} people"
        if self.row is None:
            return (
                "the default stated for this model, whatever the length of the list: it was not "
                "measured here"
            )
        measured = (
            f"on made-up streets it stopped {self.row.stopped} of {self.row.passes:,} strangers' "
            f"passes (at most 1 in {1 / self.row.upper:,.0f}, 95%)"
        )
        said = f"the model's default for lists of up to {self.row.list_size} people, uncalibrated"
        if self.list_size > self.row.list_size:
            said = (
                f"the model's default for {self.row.list_size} people, the longest list that was "
                f"measured; {self.list_size} are listed, so more strangers will be stopped"
            )
        return f"{said}: {measured}; your cameras and people differ"


def default_threshold(table: Sequence[DefaultRow], stated: float, list_size: int) -> Threshold:
    """A model's default for a list: the row of the next longer list that was measured.

    Args:
        table: By list size, upwards; empty for a model that was not measured.
        stated: Stands where there is no table.
        list_size: Subjects that are listed now.
    """
    if not table:
        return Threshold(stated, ThresholdOrigin.DEFAULT, list_size, fitted=False)
    row = next((row for row in table if row.list_size >= list_size), table[-1])
    return Threshold(row.value, ThresholdOrigin.DEFAULT, list_size, row)
