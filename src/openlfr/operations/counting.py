"""Counts by camera and hour: frames, faces and tracks from tallies, and alerts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from openlfr.domain.tallies import HourTotals


@dataclass(frozen=True, slots=True)
class HourCounts:
    """Counts of one camera and hour, or the sum of several.

    Attributes:
        frames: Number of analysed frames.
        dropped: Number of lost frames: too late, unreadable, or of an epoch that was over.
        left_out: Number of frames skipped on purpose: by sampling, outside the deployment's hours,
            or in a pause.
        faces: Number of detections; each person has many.
        tracks: Number of tracks that began.
        sightings: Number of sightings published by analysis.
        events: Number of sightings folded by alerting; equal to `sightings` after all sightings
            have arrived.
        alerts: Number of events that opened an alert.
    """

    frames: int = 0
    dropped: int = 0
    left_out: int = 0
    faces: int = 0
    tracks: int = 0
    sightings: int = 0
    events: int = 0
    alerts: int = 0

    def __add__(self, other: Self) -> Self:
        """Add up two counts, field by field."""
        names = [each.name for each in fields(self)]
        return type(self)(*(getattr(self, name) + getattr(other, name) for name in names))


@dataclass(frozen=True, slots=True)
class DeploymentCounts:
    """All counts of a deployment.

    Attributes:
        hours: Counts by camera and hour ('YYYY-MM-DDTHH', UTC), sorted by both.
    """

    hours: Mapping[tuple[str, str], HourCounts] = field(default_factory=dict)

    @property
    def cameras(self) -> dict[str, HourCounts]:
        """The sum over all hours, by camera."""
        sums: dict[str, HourCounts] = {}
        for (camera, _), counts in self.hours.items():
            sums[camera] = sums.get(camera, HourCounts()) + counts
        return sums

    @property
    def total(self) -> HourCounts:
        """The sum over all cameras and hours."""
        return sum(self.hours.values(), HourCounts())

    def select_cameras(self, cameras: Iterable[str]) -> DeploymentCounts:
        """Return the counts of these cameras only."""
        selected = set(cameras)
        return DeploymentCounts(
            {key: counts for key, counts in self.hours.items() if key[0] in selected}
        )

    def select_newest(self, number: int) -> DeploymentCounts:
        """Return the counts of the `number` newest hours among the hours that have counts."""
        hours = sorted({hour for _, hour in self.hours})[-number:]
        return DeploymentCounts(
            {key: counts for key, counts in self.hours.items() if key[1] in hours}
        )


def combine_counts(
    tallies: Iterable[HourTotals],
    events: Mapping[tuple[str, str], int],
    opened: Mapping[tuple[str, str], int],
) -> DeploymentCounts:
    """Combine the counts of the tallies and of the alert book.

    Args:
        tallies: Totals by camera and hour.
        events: Number of folded sightings by camera and hour.
        opened: Number of these sightings that opened an alert.
    """
    hours: dict[tuple[str, str], HourCounts] = {}
    for each in tallies:
        hours[each.camera, each.hour] = HourCounts(
            frames=each.frames_analysed,
            dropped=each.frames_dropped_late + each.frames_unreadable + each.frames_discarded,
            left_out=each.frames_sampled_away + each.frames_outside_hours + each.frames_paused,
            faces=each.faces_detected,
            tracks=each.tracks_begun,
            sightings=each.sightings,
        )
    for key, number in Counter(events).items():
        # At most the number of events, which was read at another moment.
        alerts = min(number, opened.get(key, 0))
        hours[key] = hours.get(key, HourCounts()) + HourCounts(events=number, alerts=alerts)
    return DeploymentCounts(dict(sorted(hours.items())))
