"""Detection and description of impossible matches."""

from __future__ import annotations

import random
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from tests.sightings import sighting_of

from openlfr.domain.faces import Box
from openlfr.domain.impossible import (
    ImpossibleMatch,
    ImpossibleReason,
    Movement,
    Place,
    find_impossible,
    parse_impossible,
)

if TYPE_CHECKING:
    from openlfr.domain.sightings import Sighting

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
GATE = Place(52.5163, 13.3777)
MOVEMENT = Movement(
    places={
        "gate": GATE,
        "door": Place(52.5168, 13.3777),  # 56 m north of it
        "park": Place(52.5253, 13.3777),  # 1.0 km
        "lake": Place(52.6062, 13.3777),  # 10.0 km
    },
    max_speed_m_s=20.0,
)


def seen(camera: str, seconds: float = 0.0, **other: object) -> Sighting:
    plain = sighting_of(
        deployment="market", camera=camera, epoch=1, seq=round(seconds * 10) + 100, subject="ann",
        watchlist="default", reference_id="r", captured_at=NOON + timedelta(seconds=seconds),
        box=Box(1, 2, 30, 40), score=0.5, threshold=0.4, quality=50.0,
    )  # fmt: skip
    return replace(plain, **other)


def too_far(camera: str, seconds: float, metres: int) -> ImpossibleMatch:
    return ImpossibleMatch(ImpossibleReason.TOO_FAR, camera, seconds, metres)


@pytest.mark.parametrize(
    ("here", "others", "flag"),
    [
        pytest.param(seen("gate"), [], None, id="nobody else"),
        pytest.param(seen("gate"), [seen("gate", -1)], None, id="the same camera"),
        pytest.param(seen("gate"), [seen("door", 0)], None, id="both views hold the place"),
        # 900 m beyond what is forgiven, at 20 m/s: 45 s.
        pytest.param(seen("gate"), [seen("park", -44)], too_far("park", 44, 1001), id="too fast"),
        pytest.param(seen("gate"), [seen("park", -46)], None, id="just possible"),
        pytest.param(seen("gate"), [seen("park", 0)], too_far("park", 0, 1001), id="at once"),
        pytest.param(seen("gate"), [seen("park", 9)], too_far("park", -9, 1001), id="a late one"),
        pytest.param(seen("roof"), [seen("park", -1)], None, id="no place here"),
        pytest.param(seen("gate"), [seen("roof", -1)], None, id="no place there"),
        pytest.param(
            seen("gate"), [seen("roof", -1), seen("park", -9)], too_far("park", 9, 1001),
            id="the nearest that has a place",
        ),
        pytest.param(
            seen("gate"), [seen("gate", -1), seen("park", -9)], None,
            id="an earlier match is not reported again",
        ),
        pytest.param(
            seen("gate"), [seen("gate", -1), seen("lake", 9)], too_far("lake", -9, 9996),
            id="one to each side",
        ),
        pytest.param(
            seen("gate"), [seen("park", -9), seen("lake", -9)], too_far("lake", 9, 9996),
            id="the farther of two at one moment",
        ),
        pytest.param(
            seen("gate", conflicts_in_frame=True),
            [seen("park", -9)],
            ImpossibleMatch(ImpossibleReason.ONE_FRAME, "gate"),
            id="twice in one frame, wherever else",
        ),
    ],
)  # fmt: skip
def test_impossible_matches_are_detected(
    here: Sighting, others: list[Sighting], flag: ImpossibleMatch | None
) -> None:
    for seed in range(3):
        random.Random(seed).shuffle(others)
        found = find_impossible(here, others, MOVEMENT)
        assert found == flag
        assert parse_impossible(None if found is None else asdict(found)) == flag


def test_in_words() -> None:
    words = (
        str(too_far("park", 44, 1001)),
        str(too_far("park", -44.04, 12345)),
        str(ImpossibleMatch(ImpossibleReason.ONE_FRAME, "gate")),
    )
    assert words == (
        "44.0 s after being matched at park, 1.0 km away",
        "44.0 s before being matched at park, 12.3 km away",
        "another face of the same frame was matched with this subject too",
    )


@pytest.mark.parametrize(
    ("other", "metres"),
    [
        (GATE, 0),
        (Place(52.5163, 14.3777), 67_666),  # a degree of longitude there, by the law of cosines
        (Place(53.5163, 13.3777), 111_195),  # a degree of latitude
        (Place(-52.5163, -166.6223), 20_015_115),  # the antipode: half the circumference
    ],
)
def test_distance(other: Place, metres: float) -> None:
    assert GATE.metres_to(other) == pytest.approx(metres, abs=1)
    assert other.metres_to(GATE) == pytest.approx(metres, abs=1)


def test_over_the_date_line() -> None:
    assert Place(0, 179.9).metres_to(Place(0, -179.9)) == pytest.approx(22_239, abs=1)
