"""Test doubles for programs that use OpenLFR: tests need no camera, model, server or waiting.

- `DrawnStreet` draws a camera's frames, with people's faces where the test places them.
  `DrawnDetector` and `PatternEmbedder` detect and embed these faces at no cost, and
  `drawn_templates` puts people on the watchlist. The pipeline itself is real.
- `FrameSource` is a camera source made of frames. `Opener` opens such sources one after the other,
  in place of `openlfr.adapters.capture.open_source`.
- `ManualClock` changes only when the test moves it.
- `MemoryRecords`, `MemoryAlertBook`, `MemoryVault` and `MemoryTemplateStore` implement the ports in
  memory. They pass the same contract suites as the adapters of PostgreSQL, Redis, files and Milvus.

An example, run by `tests/unit/test_testing.py`:

    street = DrawnStreet("gate", ann=standing_at(300))
    manifest, stored = drawn_templates("ann")
    analyser = Analyser(
        ids=Ids("market", bytes(32)), detector=DrawnDetector(street), embedder=PatternEmbedder(),
        index=ExactIndex(manifest, stored), threshold=0.5,
    )
    found = [each for frame in street.frames(20) for each in analyser.analyse([frame]).sightings]
    assert [each.sighting.subject for each in found] == ["ann"]

When a name in `__all__` is replaced, the old name remains for one version.
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
