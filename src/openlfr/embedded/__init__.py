"""The whole pipeline in one process, without servers: `openlfr run`.

- `run.py` loops over the frames, after `opening.py` has opened cameras, models and stores.
- `feeds.py` decodes frames, and `frame_processor.py` analyses or skips each frame.
- `desk.py` raises alerts, and `lines.py` writes alert lines to a file.
- `run_watchlist.py` is the index that the run searches. `watchlist_updater.py` builds a new index
  after each change of the list, and `baselines.py` records the baseline of each index.
- `deployment_state.py` reads pauses and stops of the deployment.
- `eraser.py` erases data whose retention is over.
- `tallies.py` and `results.py` count, and `summary.py` collects the figures of the report.

`openlfr calibrate` uses `calibrating.py`, and `cohort_passes.py` for its simulated passes.
"""

from openlfr.embedded.options import Progress, RunOptions
from openlfr.embedded.run import run

__all__ = ["Progress", "RunOptions", "run"]
