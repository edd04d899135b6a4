"""Counts by camera and hour: frames, faces and tracks from tallies, and alerts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from openlfr.domain.tallies import HourTotals


@dataclass(frozen=True, slots=True)
class Counted:
    """Counts of one camera and hour, or the sum of several.

    Attributes:
        frames: Number of analysed frames.
        dropped: Number of lost frames: too late, unreadable, or of an epoch that was over.
        left_out: Number of frames skipped on purpose: by sampling, outside the deployment's hours,
            or in a pause.
        faces: Number of detections; one person gives many.
        tracks: Number of tracks that began.
        sightings: Number of sightings published by analysis.
        events: Number of sightings folded by alerting; equal to `sightings` after all have arrived.
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
        """The sum of both."""
        names = [each.name for each in fields(self)]
        return type(self)(*(getattr(self, name) + getattr(other, name) for name in names))


@dataclass(frozen=True, slots=True)
class Counting:
    """All counts of a deployment.

    Attributes:
        hours: Counts by camera and hour ('YYYY-MM-DDTHH', UTC), sorted by both.
    """

    hours: Mapping[tuple[str, str], Counted] = field(default_factory=dict)

    @property
    def cameras(self) -> dict[str, Counted]:
        """The sum over all hours, by camera."""
        found: dict[str, Counted] = {}
        for (camera, _), counted in self.hours.items():
            found[camera] = found.get(camera, Counted()) + counted
        return found

    @property
    def total(self) -> Counted:
        """The sum over all cameras and hours."""
        return sum(self.hours.values(), Counted())

    def of(self, cameras: Iterable[str]) -> Counting:
        """The counts of some cameras."""
        some = set(cameras)
        return Counting({place: each for place, each in self.hours.items() if place[0] in some})

    def newest(self, number: int) -> Counting:
        """The counts of the newest hours that have any."""
        hours = sorted({hour for _, hour in self.hours})[-number:]
        return Counting({place: each for place, each in self.hours.items() if place[1] in hours})


def count_up(
    tallies: Iterable[HourTotals],
    events: Mapping[tuple[str, str], int],
    opened: Mapping[tuple[str, str], int],
) -> Counting:
    """Combine the counts of the tallies and of the alert book.

    Args:
        tallies: Totals by camera and hour.
        events: Number of folded sightings by camera and hour.
        opened: Number of them that opened an alert.
    """
    found: dict[tuple[str, str], Counted] = {}
    for each in tallies:
        found[each.camera, each.hour] = Counted(
            frames=each.frames_analysed,
            dropped=each.frames_dropped_late + each.frames_unreadable + each.frames_discarded,
            left_out=each.frames_sampled_away + each.frames_outside_hours + each.frames_paused,
            faces=each.faces_detected,
            tracks=each.tracks_begun,
            sightings=each.sightings,
        )
    for place, number in Counter(events).items():
        alerts = min(number, opened.get(place, 0))  # both were read at different moments
        found[place] = found.get(place, Counted()) + Counted(events=number, alerts=alerts)
    return Counting(dict(sorted(found.items())))
