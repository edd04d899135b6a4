"""Detects matches that cannot both be right: a subject twice in one frame, or in distant places.

Such a sighting is flagged and never suppressed: one of the two sightings shows somebody else, and
only an operator can decide which. A sighting is compared with the earlier folded sightings of the
same subject, so the same order produces the same flags.

The rule ignores cameras without a position, and cameras nearer to each other than `SLACK_M`. It
cannot detect a wrong match at a place that the person could have reached in time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from openlfr.domain.sightings import Sighting

EARTH_M = 6_371_009.0
"""Mean radius of the earth, metres (IUGG)."""

SLACK_M = 100.0
"""Tolerance in metres: a camera's view spans dozens of metres, and clocks differ by a second."""


class ImpossibleReason(StrEnum):
    """Reason why a match cannot be right."""

    ONE_FRAME = "one_frame"  # another face in the same frame was matched with the subject
    TOO_FAR = "too_far"  # another match of the subject, at nearly the same time, is too far away


@dataclass(frozen=True, slots=True)
class ImpossibleMatch:
    """The conflict of a sighting with another sighting of the same subject.

    Attributes:
        camera: Camera of the other sighting.
        seconds: Seconds of capture time since the other sighting; negative if the other is later.
        metres: Distance between the two cameras.
    """

    why: ImpossibleReason
    camera: str
    seconds: float = 0.0
    metres: int = 0

    def __str__(self) -> str:
        """Return the conflict as text for an operator."""
        if self.why is ImpossibleReason.ONE_FRAME:
            return "another face of the same frame was matched with this subject too"
        when = "after" if self.seconds >= 0 else "before"
        return (
            f"{abs(self.seconds):.1f} s {when} being matched at {self.camera}, "
            f"{self.metres / 1000:.1f} km away"
        )


def parse_impossible(stored: Mapping[str, Any] | None) -> ImpossibleMatch | None:
    """Restore a conflict from `dataclasses.asdict` values; fields of later versions are ignored."""
    if stored is None:
        return None
    return ImpossibleMatch(
        ImpossibleReason(stored["why"]),
        stored["camera"],
        float(stored["seconds"]),
        int(stored["metres"]),
    )


class Place(NamedTuple):
    """A point on the earth in degrees (WGS 84)."""

    latitude: float
    longitude: float

    def metres_to(self, other: Place) -> float:
        """Return the great-circle distance, to 0.6 % (haversine formula; Sinnott, 1984)."""
        south, north = math.radians(self.latitude), math.radians(other.latitude)
        east = math.radians(other.longitude - self.longitude)
        half = (
            math.sin((north - south) / 2) ** 2
            + math.cos(south) * math.cos(north) * math.sin(east / 2) ** 2
        )
        return 2 * EARTH_M * math.asin(math.sqrt(min(1.0, half)))


@dataclass(frozen=True, slots=True)
class Movement:
    """The places of the cameras, and the greatest speed of a person between them.

    Attributes:
        places: Place by camera; the rule ignores cameras without one.
        max_speed_m_s: Greatest speed, metres per second.
    """

    places: Mapping[str, Place]
    max_speed_m_s: float


def find_impossible(
    sighting: Sighting, others: Iterable[Sighting], movement: Movement
) -> ImpossibleMatch | None:
    """Return the conflict of a sighting with other sightings of its subject; None without one.

    If several sightings are too far away, the conflict with the largest excess distance is
    returned. Only the nearest sightings before and after count: a person who can reach each next
    place in time can reach all of them.

    Args:
        sighting: The sighting to check.
        others: The sightings of the same subject that are nearest in time, in any order.
        movement: The places of the cameras, and the greatest speed.
    """
    if sighting.conflicts_in_frame:
        return ImpossibleMatch(ImpossibleReason.ONE_FRAME, sighting.camera)
    here = movement.places.get(sighting.camera)
    if here is None:
        return None
    at = sighting.captured_at
    placed = [each for each in others if each.camera in movement.places]
    before = max((each.captured_at for each in placed if each.captured_at <= at), default=None)
    after = min((each.captured_at for each in placed if each.captured_at >= at), default=None)
    too_far = []
    for other in placed:
        if other.captured_at in (before, after):
            seconds = (at - other.captured_at).total_seconds()
            metres = here.metres_to(movement.places[other.camera])
            excess = metres - SLACK_M - movement.max_speed_m_s * abs(seconds)
            if excess > 0:
                too_far.append((excess, other.camera, round(seconds, 3), round(metres)))
    if not too_far:
        return None
    _, camera, seconds, metres = max(too_far)
    return ImpossibleMatch(ImpossibleReason.TOO_FAR, camera, seconds, metres)
