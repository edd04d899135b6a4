"""The whole pipeline in one process, without servers: what `openlfr run` starts.

`run.py` is the loop; `opening.py` opens what it works with, `feeds.py` decodes, `desk.py` raises
alerts, `keeper.py` keeps the watchlist fresh, `counts.py` counts, `summary.py` makes the report's
figures.
"""

from openlfr.embedded.options import Progress, RunOptions
from openlfr.embedded.run import run

__all__ = ["Progress", "RunOptions", "run"]
