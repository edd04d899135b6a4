"""Finds matches that cannot all be right: a subject twice in one frame, or in two distant places.

Such a sighting is flagged and never suppressed: one of the two shows somebody else, and only an
operator can find out which one. A sighting is compared with sightings of the same subject that
were folded before it, so the same order gives the same flags.

The rule finds nothing between cameras without a position or nearer to each other than `SLACK_M`,
and no wrong match at a place that the person could have reached in the time.
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
"""Tolerance in metres: a camera sees some dozens of metres, and clocks differ by a second."""


class ImpossibleReason(StrEnum):
    """Why a match cannot be right."""

    ONE_FRAME = "one_frame"  # another face in one of its frames had matched the subject
    TOO_FAR = "too_far"  # too far from a match of the subject shortly before or after


@dataclass(frozen=True, slots=True)
class ImpossibleMatch:
    """The conflict of a sighting with another one of the same subject.

    Attributes:
        camera: Camera of the other sighting.
        seconds: Capture time from the other sighting to this one; negative if the other is later.
        metres: Distance between the two cameras.
    """

    why: ImpossibleReason
    camera: str
    seconds: float = 0.0
    metres: int = 0

    def __str__(self) -> str:
        """The conflict as text for an operator."""
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
        """Great-circle distance (haversine formula; Sinnott, 1984) on a sphere, to 0.6 %."""
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
        fastest: Greatest speed, metres per second.
    """

    places: Mapping[str, Place]
    fastest: float


def find_impossible(
    sighting: Sighting, others: Iterable[Sighting], movement: Movement
) -> ImpossibleMatch | None:
    """The conflict of a sighting with other sightings of its subject; None without a conflict.

    Only the nearest sighting before and the nearest one after count: a person who can get from
    each place to the next in time can get from any place to any other.

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
            excess = metres - SLACK_M - movement.fastest * abs(seconds)
            if excess > 0:
                too_far.append((excess, other.camera, round(seconds, 3), round(metres)))
    if not too_far:
        return None
    _, camera, seconds, metres = max(too_far)
    return ImpossibleMatch(ImpossibleReason.TOO_FAR, camera, seconds, metres)
