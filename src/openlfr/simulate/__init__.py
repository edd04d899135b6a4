"""Simulated streets, with the truth about every face in them.

Reading order: `options` (of a street), `people` (and their photos), `walks` (positions in closed
form), `journeys` (the plan of all walks), `portraits` (heads cut from photos), `backdrop` and
`weather` (houses, light and noise), `figures` (drawn people), `street` (frame by frame), `film`
(H.264), `frame_number` (the burnt-in bar), `truth` (files for scoring a run) and `deployment`
(manifest and configuration for `openlfr`). `make_street` uses all of these. `cameras` serves films
as network cameras, and `sent_log` reads the cameras' log.
"""

from __future__ import annotations

from openlfr.simulate.make import SimulatedStreet, film_people, make_street
from openlfr.simulate.options import StreetOptions
from openlfr.simulate.people import Person, read_people

__all__ = [
    "Person",
    "SimulatedStreet",
    "StreetOptions",
    "film_people",
    "make_street",
    "read_people",
]
