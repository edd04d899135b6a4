"""What was counted by camera and hour: frames, faces, tracks by tallies, and alerts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from openlfr.domain.tallies import HourTotals


@dataclass(frozen=True, slots=True)
class Counted:
    """Counts of some camera and hour, or of several together.

    Attributes:
        frames: Looked at.
        dropped: Not looked at against our will: too late, unreadable, of an epoch that was over.
        left_out: Not looked at on purpose: sampled away, outside the deployment's hours, or in a
            pause.
        faces: Detections; one person gives many.
        tracks: Passes that began.
        sightings: That analysis has published.
        events: Sightings that alerting has folded; the same number, once all have arrived.
        alerts: Of those, the ones that opened an alert.
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
        """Both together."""
        names = [each.name for each in fields(self)]
        return type(self)(*(getattr(self, name) + getattr(other, name) for name in names))


@dataclass(frozen=True, slots=True)
class Counting:
    """What was counted of a deployment.

    Attributes:
        hours: By camera and hour ('YYYY-MM-DDTHH', UTC), in this order.
    """

    hours: Mapping[tuple[str, str], Counted] = field(default_factory=dict)

    @property
    def cameras(self) -> dict[str, Counted]:
        """All hours of each camera together."""
        found: dict[str, Counted] = {}
        for (camera, _), counted in self.hours.items():
            found[camera] = found.get(camera, Counted()) + counted
        return found

    @property
    def total(self) -> Counted:
        """Everything together."""
        return sum(self.hours.values(), Counted())

    def of(self, cameras: Iterable[str]) -> Counting:
        """The same of some cameras alone."""
        some = set(cameras)
        return Counting({place: each for place, each in self.hours.items() if place[0] in some})

    def newest(self, number: int) -> Counting:
        """The same of the last so many hours in which anything was counted."""
        hours = sorted({hour for _, hour in self.hours})[-number:]
        return Counting({place: each for place, each in self.hours.items() if place[1] in hours})


def count_up(
    tallies: Iterable[HourTotals],
    events: Mapping[tuple[str, str], int],
    opened: Mapping[tuple[str, str], int],
) -> Counting:
    """Put together what the tallies and the alert book have counted.

    Args:
        tallies: Of each camera and hour.
        events: Folded sightings by camera and hour.
        opened: Those of them that opened an alert.
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
        alerts = min(number, opened.get(place, 0))  # it was read a moment later
        found[place] = found.get(place, Counted()) + Counted(events=number, alerts=alerts)
    return Counting(dict(sorted(found.items())))
