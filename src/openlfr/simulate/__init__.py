"""Streets that never were, with the truth about every face in them.

Reading order: `options` (what is asked), `people` (whose photos), `walks` (who is where, in
closed form), `portraits` (a head cut out of a photo), `backdrop` and `weather` (what stands and
falls on it), `figures` (a person on the picture), `street` (frame by frame), `film` (H.264),
`frame_number` (the burnt-in bar), `truth` (the files that score a run) and `deployment`
(manifest and configuration, ready for `openlfr`). `make_street` does all of it.
"""

from __future__ import annotations

from openlfr.simulate.make import StreetMade, make_street
from openlfr.simulate.options import StreetOptions

__all__ = ["StreetMade", "StreetOptions", "make_street"]
