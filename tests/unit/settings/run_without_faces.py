"""`openlfr run` as it is wired, on small films and stores in memory; a script sees the faces."""

from __future__ import annotations

import threading
import time
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from tests.sightings import sighting_of

from enrolling import add_entry
from openlfr import embedded, settings
from openlfr.adapters.memory.alert_book import MemoryAlertBook
from openlfr.adapters.memory.template_store import MemoryTemplateStore
from openlfr.adapters.memory.vault import MemoryVault
from openlfr.adapters.sql.records import Records
from openlfr.domain.analysis import Analysis, SightingWithEvidence
from openlfr.domain.errors import OpenLFRError
from openlfr.domain.faces import Box
from openlfr.domain.templates import GalleryFacts, hash_template
from openlfr.domain.watchlist import EntryStatus, Reference
from openlfr.operations.enrol import outbox_name
from openlfr.stage_timer import StageTimer

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from openlfr.domain.sightings import Sighting

FACTS = GalleryFacts("sface", "a" * 64, 64, "arcface-112", 0.4)
SEEN = {"gate": (0, 20), "yard": (10,)}
"""In which frames of each camera Ann is seen, at 10 frames a second: at 0, 1 and 2 s."""
ENDLESS = 45  # frames after which a film that begins again and again is ended
SLOW_S = 1.6  # for the first frame, where slow


def seen(camera: str, seq: int, at: datetime, deployment: str, threshold: float) -> Sighting:
    return sighting_of(
        deployment=deployment, camera=camera, epoch=1, seq=seq, subject="Ann",
        watchlist="default", reference_id="r0", captured_at=at, box=Box(1, 2, 30, 40), score=0.7,
        threshold=threshold, quality=61.5,
    )  # fmt: skip


class EmbedderFacts:
    """An embedder of which a run reads only the facts."""

    facts = FACTS


class Script:
    """A replacement for `pipeline.Analyser` that records its arguments."""

    slow = False
    stop: threading.Event
    made: list[Script]
    cameras: tuple[str, ...] = ()  # with live tracks: it tracks nobody

    def __init__(self, **given: Any) -> None:
        self.given = given
        self.timings = StageTimer()
        self.captured: dict[str, list[datetime]] = {}
        Script.made.append(self)

    def analyse(self, frames: Any) -> Analysis:
        (frame,) = frames
        if Script.slow and not self.captured:
            time.sleep(SLOW_S)
        times = self.captured.setdefault(frame.camera, [])
        times.append(frame.captured_at)
        if len(times) >= ENDLESS:
            Script.stop.set()
        found = []
        if frame.seq in SEEN.get(frame.camera, ()):
            sighting = seen(
                frame.camera, frame.seq, frame.captured_at, self.given["ids"].deployment_id,
                self.given["threshold"],
            )  # fmt: skip
            found.append(SightingWithEvidence(sighting, None))
        return Analysis(sightings=tuple(found), faces=(len(found),))

    def close_camera(self, _: str) -> Analysis:
        return Analysis()

    def use_index(self, index: Any) -> None:
        self.given["index"] = index

    def is_quiet(self, _: str) -> bool:
        return True


def run(
    config: Path, monkeypatch: pytest.MonkeyPatch, *, paced: bool = False, slow: bool = False
) -> dict[str, Any]:
    """Run the configuration; return its results."""
    try:
        loaded = settings.load(config)
    except OpenLFRError as error:
        return {"refused": str(error)}
    vault, book, templates = MemoryVault(), MemoryAlertBook(), MemoryTemplateStore(FACTS)
    bootstrap = "openlfr.bootstrap."
    monkeypatch.setattr(bootstrap + "load_detector", lambda _: None)
    monkeypatch.setattr(bootstrap + "load_embedder", lambda _: EmbedderFacts())
    monkeypatch.setattr(bootstrap + "open_templates", lambda *_: templates)
    monkeypatch.setattr(bootstrap + "open_alert_book", lambda _: book)
    monkeypatch.setattr(bootstrap + "open_vault", lambda _: vault)
    monkeypatch.setattr(bootstrap + "list_models_used", lambda _: ())
    monkeypatch.setattr(bootstrap + "list_providers", lambda _: ())
    monkeypatch.setattr("openlfr.pipeline.Analyser", Script)
    Script.made, Script.slow, Script.stop = [], slow, threading.Event()
    loaded.data_dir.mkdir()
    with Records.open(f"sqlite:///{loaded.data_dir}/openlfr.db") as records:
        with records.unit_of_work() as work:
            work.watchlist.bind_model(FACTS, datetime.now(UTC))
        for number, (subject, watchlist) in enumerate([("Ann", "default"), ("Bea", "second")]):
            _enrol(records, vault, f"r{number}", subject, watchlist)
        _alert_of_long_ago(records, book)
        try:
            summary = embedded.run(
                loaded, embedded.RunOptions(as_fast_as_possible=not paced), stop=Script.stop
            )
        except OpenLFRError as error:
            return {"refused": str(error)}
        kept = [alert for alert in records.alerts.list() if alert.deployment == "Long ago"]
        events = records.alerts.events_of_run(summary.deployment_id, 1)
    (script,) = Script.made
    return {
        "folder": loaded.data_dir.name,
        "authorised": summary.deployment,
        "deployment": summary.deployment_id,
        "frames": {c.camera: c.frames_analysed for c in summary.cameras},
        "outside hours": [c.frames_outside_hours for c in summary.cameras],
        "late": any(c.frames_dropped_late for c in summary.cameras),
        "captured": {name: times[:2] for name, times in script.captured.items()},
        "threshold": script.given["threshold"],
        "input sizes": script.given["input_sizes"],
        "subjects": script.given["index"].subjects,
        "events": [(str(e.event.event), bool(e.event.impossible)) for e in events],
        "long ago erased": [alert.erased_at is not None for alert in kept],
    }


def _enrol(
    records: Records, vault: MemoryVault, key: str, subject: str, watchlist: str
) -> None:  # fmt: skip
    now = datetime.now(UTC)
    vector = np.random.default_rng(len(subject) + ord(subject[0])).normal(size=FACTS.dimension)
    template = (vector / np.linalg.norm(vector)).astype(np.float32)
    entry = Reference(
        key, watchlist, subject, "wanted", "Order 1", "passport", date(2025, 1, 2), "Eve",
        "Otto", now + timedelta(days=9), EntryStatus.PENDING, hash_template(template),
        f"references/{key}", 70.0,
    )  # fmt: skip
    sealed = vault.seal(outbox_name(key), template.tobytes())
    with records.unit_of_work() as work:
        add_entry(work, entry, picture_hash=key, template=sealed, at=now)


def _alert_of_long_ago(records: Records, book: MemoryAlertBook) -> None:
    at = datetime.now(UTC) - timedelta(days=40)
    event = book.fold(seen("gate", 1, at, "Long ago", 0.4), window=timedelta(seconds=30))
    assert event is not None
    records.alerts.record(event, None, emitted_at=at)
