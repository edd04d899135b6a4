"""The counts of one camera's current stretch, for which there is no tally yet."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from openlfr.domain.baseline_openings import BaselineRef
from openlfr.domain.counts import LossReason, NotSearchedReason
from openlfr.domain.measures import Measures

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from openlfr.domain.baseline_openings import BaselineAdoption

STRETCH = 250
"""Frames of a full stretch: 10 s of a camera that delivers 25 frames a second."""


@dataclass(slots=True)
class Stretch:
    """The counts of an unfinished range of one camera's frames.

    Attributes:
        first: Number of the first frame of the range.
        newest: Number of the newest frame that arrived.
        first_at, newest_at: Capture times of the first and the newest frame that arrived, UTC.
        ref: The baseline under which the frames are counted.
        adoption: The adoption for the range's tally; None if another tally contains it.
        frames: Counts of frames, faces, tracks and sightings, by their attribute in `Tally`.
        not_searched, lost: Numbers of tracks, by reason.
        scores: Histograms in coarse bins, by quality band.
    """

    epoch: int
    first: int
    newest: int
    first_at: datetime
    newest_at: datetime
    ref: BaselineRef = field(default_factory=BaselineRef)
    adoption: BaselineAdoption | None = None
    frames: Counter[str] = field(default_factory=Counter)
    not_searched: Counter[NotSearchedReason] = field(default_factory=Counter)
    lost: Counter[LossReason] = field(default_factory=Counter)
    scores: dict[int, list[int]] = field(default_factory=dict)
    fine_scores: Counter[int] = field(default_factory=Counter)
    control_scores: Counter[int] = field(default_factory=Counter)
    measures: Measures = field(default_factory=Measures)

    @property
    def last(self) -> int:
        """The number of the last frame of this range, if the range does not end early."""
        return (self.first // STRETCH + 1) * STRETCH - 1

    def covers(self, epoch: int, seq: int) -> bool:
        """Return whether a frame belongs to this range."""
        return epoch == self.epoch and self.first <= seq <= self.last

    def to_json(self) -> dict[str, Any]:
        """Return the counts, without the adoption, as JSON values for `from_json`."""
        counters = "frames", "not_searched", "lost", "scores", "fine_scores", "control_scores"
        return {
            **{name: getattr(self, name) for name in ("epoch", "first", "newest")},
            "baseline": self.ref.baseline_id,
            "since": self.ref.adopted_at and self.ref.adopted_at.isoformat(),
            **{name: getattr(self, name).isoformat() for name in ("first_at", "newest_at")},
            **{
                name: {str(key): each for key, each in getattr(self, name).items()}
                for name in counters  # `asdict` makes a Counter of a Counter's pairs
            },
            "measures": asdict(self.measures),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Restore the counts from the values of `to_json`."""

        def counter(name: str, key: Callable[[str], Any]) -> Counter[Any]:
            return Counter({key(word): count for word, count in values[name].items()})

        since = values.get("since")  # missing in checkpoints of earlier versions
        return cls(
            values["epoch"],
            values["first"],
            values["newest"],
            datetime.fromisoformat(values["first_at"]),
            datetime.fromisoformat(values["newest_at"]),
            BaselineRef(values["baseline"], since and datetime.fromisoformat(since)),
            None,
            counter("frames", str),
            counter("not_searched", NotSearchedReason),
            counter("lost", LossReason),
            {int(band): list(counts) for band, counts in values["scores"].items()},
            counter("fine_scores", int),
            counter("control_scores", int),
            Measures.from_json(values["measures"]),
        )
