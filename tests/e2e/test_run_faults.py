"""A bug in OpenLFR ends a run at once, and is reported as a bug."""

from __future__ import annotations

import json
import subprocess
import sys

from small_street import Place

from awaiting import PATIENCE_S

FAULT = """
import sys
from openlfr.cli import main
from openlfr.embedded import watchlist_updater
watchlist_updater.INTERVAL_S = 0.01

def fail(self):
    raise KeyError("reference_id")

def start(self, before=watchlist_updater.WatchlistUpdater.start):
    watchlist_updater.WatchlistUpdater.refresh = fail
    before(self)

watchlist_updater.WatchlistUpdater.start = start
sys.exit(main(sys.argv[1:]))
"""


def test_a_bug_in_the_watchlist_updater_ends_the_run_at_once_with_its_traceback(
    tmp_path, make_video, model_store
):
    place = Place(tmp_path, model_store.folder, make_video(frames=60))
    ended = subprocess.run(
        [sys.executable, "-c", FAULT, "run", "CONFIG.yaml", "--report", "report"],
        cwd=place.folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "error: KeyError: 'reference_id'; this is a fault in OpenLFR" in ended.stderr
    assert "KeyError" in ended.stderr.split("run_failed", 1)[1]
    assert ended.stdout == ""
    report = json.loads((place.folder / "report" / "report.json").read_text())
    assert report["ended_how"] == "failed: a fault in OpenLFR, KeyError"
