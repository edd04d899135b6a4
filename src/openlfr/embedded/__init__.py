"""The whole pipeline in one process, without servers: `openlfr run`.

`run.py` builds the parts and loops over the frames. `opening.py` opens cameras, models and stores;
`feeds.py` decodes; `frame_processor.py` analyses or skips each frame; `desk.py` raises alerts, and
`lines.py` writes them to a file. `baselines.py` records a baseline before it is used;
`watchlist_updater.py` rebuilds the index after each change; `eraser.py` erases what is due;
`deployment_state.py` follows pauses and stops. `tallies.py` and `results.py` count; `summary.py`
collects the report's figures.
"""

from openlfr.embedded.options import Progress, RunOptions
from openlfr.embedded.run import run

__all__ = ["Progress", "RunOptions", "run"]
