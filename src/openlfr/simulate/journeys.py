"""Plans a street: its listed people, and the start and the cameras of each journey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from openlfr.domain.errors import Misconfigured
from openlfr.simulate.walks import Walk, make_walk

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from openlfr.simulate.options import StreetOptions
    from openlfr.simulate.people import Person

_EARLIEST_S, _LAST_S = -4, 3  # walks start from 4 s before the video to 3 s before its end
_BETWEEN_CAMERAS_S = (2, 6)


@dataclass(frozen=True, slots=True)
class StreetPlan:
    """The watchlist and all walks of a street.

    Attributes:
        references: Photos to enrol, by listed person.
        walks: Walks by camera; `track` counts from 0 at each camera.
    """

    references: dict[str, tuple[Path, ...]]
    walks: dict[str, tuple[Walk, ...]]


def plan_street(options: StreetOptions, people: Sequence[Person]) -> StreetPlan:
    """Make a random plan in which no person is in two places at once.

    For each journey, a person with the fewest journeys is chosen among those who are free.

    Raises:
        Misconfigured: Too few people have enough photos both for enrolment and for walking.
    """
    rng = np.random.default_rng(options.seed)
    enough = [p for p in people if len(p.photos) > options.enrol]
    if len(enough) < options.watchlist:
        raise Misconfigured(
            f"--watchlist {options.watchlist} --enrol {options.enrol} needs {options.watchlist}"
            f" people with at least {options.enrol + 1} photos each; there are only {len(enough)}"
        )
    chosen = sorted(rng.choice(len(enough), options.watchlist, replace=False).tolist())
    listed = {enough[i].name: enough[i] for i in chosen}
    return StreetPlan(
        references={name: p.photos[: options.enrol] for name, p in listed.items()},
        walks=_plan_journeys(rng, options, people, listed),
    )


def _plan_journeys(
    rng: np.random.Generator,
    options: StreetOptions,
    people: Sequence[Person],
    listed: dict[str, Person],
) -> dict[str, tuple[Walk, ...]]:
    walks: dict[str, list[Walk]] = {camera: [] for camera in options.cameras}
    free_from = {p.name: -10 * options.fps for p in people}
    journeys = dict.fromkeys(free_from, 0)
    last = options.frames - _LAST_S * options.fps
    low = _EARLIEST_S * options.fps
    for planned in np.sort(rng.uniform(low, max(last, low + 1), options.people)).astype(int):
        is_for_listed = bool(rng.random() < options.watch_share)
        start = max(int(planned), min(free_from.values()))
        if start > last:
            break
        free = [p for p in people if free_from[p.name] <= start]
        suitable = [p for p in free if (p.name in listed) == is_for_listed] or free
        fewest = min(journeys[p.name] for p in suitable)
        candidates = [p for p in suitable if journeys[p.name] == fewest]
        person = candidates[int(rng.integers(len(candidates)))]
        journeys[person.name] += 1
        route = [options.cameras[i] for i in rng.permutation(len(options.cameras))]
        for camera in route:
            walk = _plan_walk(rng, options, walks[camera], camera, person, listed, start)
            walks[camera].append(walk)
            free_from[person.name] = walk.end + 1
            start = walk.end + round(options.fps * rng.uniform(*_BETWEEN_CAMERAS_S))
            if start > last or rng.random() >= options.onward:
                break
    return {camera: tuple(of_camera) for camera, of_camera in walks.items()}


def _plan_walk(
    rng: np.random.Generator,
    options: StreetOptions,
    earlier: list[Walk],
    camera: str,
    person: Person,
    listed: dict[str, Person],
    start: int,
) -> Walk:
    is_listed = person.name in listed
    photos = person.photos[options.enrol :] if is_listed else person.photos
    return make_walk(
        rng,
        options,
        track=len(earlier),
        camera=camera,
        person=person.name,
        listed=is_listed,
        photo=photos[int(rng.integers(len(photos)))],
        start=start,
    )
