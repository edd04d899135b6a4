"""Matches that cannot all be right: one subject twice in one frame, or too far apart in the time.

Such a sighting is flagged and never kept back: one of the two is somebody else, and only an
operator can find out which. What is judged is the sighting beside those of the same subject that
were folded before it, so the same order gives the same flags.

What cannot be seen: two cameras without a position, or nearer to each other than `SLACK_M`; a
wrong match that a person could have reached in the time.
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
"""Metres that are forgiven: a camera sees some dozens of them, and clocks differ by a second."""


class ImpossibleReason(StrEnum):
    """Why a match cannot be right."""

    ONE_FRAME = "one_frame"  # another face of one of its frames had been matched with the subject
    TOO_FAR = "too_far"  # from where the subject was matched shortly before or after


@dataclass(frozen=True, slots=True)
class ImpossibleMatch:
    """Says that a sighting and another one of the same subject cannot both be right.

    Attributes:
        camera: Where the other one was.
        seconds: From the other one to this, by captured time; negative where it was later.
        metres: From the other camera to this one.
    """

    why: ImpossibleReason
    camera: str
    seconds: float = 0.0
    metres: int = 0

    def __str__(self) -> str:
        """As an operator reads it."""
        if self.why is ImpossibleReason.ONE_FRAME:
            return "another face of the same frame was matched with this subject too"
        when = "after" if self.seconds >= 0 else "before"
        return (
            f"{abs(self.seconds):.1f} s {when} being matched at {self.camera}, "
            f"{self.metres / 1000:.1f} km away"
        )


def parse_impossible(stored: Mapping[str, Any] | None) -> ImpossibleMatch | None:
    """What `dataclasses.asdict` made of one, if anything; what a later version added is left."""
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
    """Where the cameras are and how fast people may be between them.

    Attributes:
        places: By camera; one that has none is left out of the rule.
        fastest: Metres per second.
    """

    places: Mapping[str, Place]
    fastest: float


def find_impossible(
    sighting: Sighting, others: Iterable[Sighting], movement: Movement
) -> ImpossibleMatch | None:
    """Why a sighting cannot be right beside the others of its subject; None where it can.

    Of the others the nearest in time count, one to each side: if a person can get from each
    place to the next in time, they can get from any to any.

    Args:
        sighting: To judge.
        others: Those of the same subject that lie nearest in time, in any order.
        movement: Places and the fastest speed.
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
