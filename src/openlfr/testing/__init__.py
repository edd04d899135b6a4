"""For tests of what is built with OpenLFR, and for our own: no camera, model, server or waiting.

- `DrawnStreet`: a camera's frames, with drawn people whose faces are where the test puts them.
  `DrawnDetector` and `PatternEmbedder` detect and embed them at no cost, `drawn_templates` lists
  them. The pipeline itself is the real one.
- `FrameSource` is a camera source made of frames; `Opener` opens such sources one after the other,
  in place of `openlfr.adapters.capture.open_source`.
- `ManualClock` stands still until the test moves it.
- `MemoryRecords`, `MemoryAlertBook`, `MemoryVault`, `MemoryTemplateStore`: the ports in memory.
  They pass the contract suites that the adapters of PostgreSQL, Redis, files and Milvus pass.

An example, run by `tests/unit/test_testing.py`:

    street = DrawnStreet("gate", ann=standing_at(300))
    manifest, stored = drawn_templates("ann")
    analyser = Analyser(
        ids=Ids("market", bytes(32)), detector=DrawnDetector(street), embedder=PatternEmbedder(),
        index=ExactIndex(manifest, stored), threshold=0.5,
    )
    found = [each for frame in street.frames(20) for each in analyser.analyse([frame]).sightings]
    assert [each.sighting.subject for each in found] == ["ann"]

Names in `__all__` are kept for one version after their replacement appears.
"""

from __future__ import annotations

from openlfr.adapters.memory.alert_book import MemoryAlertBook
from openlfr.adapters.memory.records import MemoryRecords
from openlfr.adapters.memory.template_store import MemoryTemplateStore
from openlfr.adapters.memory.vault import MemoryVault
from openlfr.testing.clock import ManualClock
from openlfr.testing.sources import FrameSource, Opener
from openlfr.testing.street import (
    DrawnDetector,
    DrawnStreet,
    PatternEmbedder,
    drawn_templates,
    standing_at,
)

__all__ = [
    "DrawnDetector",
    "DrawnStreet",
    "FrameSource",
    "ManualClock",
    "MemoryAlertBook",
    "MemoryRecords",
    "MemoryTemplateStore",
    "MemoryVault",
    "Opener",
    "PatternEmbedder",
    "drawn_templates",
    "standing_at",
]
