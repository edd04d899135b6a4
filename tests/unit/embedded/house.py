"""What a run holds, without cameras."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np

from enrolling import add_entry
from openlfr.adapters.memory.alert_book import MemoryAlertBook
from openlfr.adapters.memory.vault import MemoryVault
from openlfr.adapters.milvus.template_store import MilvusTemplateStore
from openlfr.adapters.sql.records import Records
from openlfr.domain.templates import GalleryFacts, hash_template
from openlfr.domain.watchlist import EntryStatus, Reference
from openlfr.embedded.eraser import Eraser
from openlfr.embedded.watchlist_updater import WatchlistUpdater
from openlfr.operations.enrol import outbox_name

NOW = datetime.now(UTC)
FACTS = GalleryFacts("sface", "a" * 64, 64, "arcface-112", 0.4)


def vector(number):
    found = np.random.default_rng(number).normal(size=FACTS.dimension).astype(np.float32)
    return found / np.linalg.norm(found)


class House:
    """What a run holds, without cameras."""

    def __init__(self, folder):
        self.folder = folder / "data"
        self.folder.mkdir()
        self.records = Records.open(f"sqlite:///{self.folder}/openlfr.db")
        with self.records.unit_of_work() as work:
            work.watchlist.bind_model(FACTS, NOW)
        self.vault, self.book = MemoryVault(), MemoryAlertBook()
        self.problems = []
        self.templates = MilvusTemplateStore(str(self.folder / "milvus"), FACTS)
        self.eraser = Eraser(
            records=self.records, vault=self.vault, book=self.book,
            retention=timedelta(days=31), deployment="Market",
        )  # fmt: skip
        self.updater = WatchlistUpdater(
            records=self.records, templates=self.templates, vault=self.vault, facts=FACTS,
            watchlists=["default"], on_index=self.take, on_problem=self.problems.append,
        )  # fmt: skip

    def take(self, index):
        self.index = index

    def refresh(self):
        while self.updater.refresh():
            pass

    def enrol(self, subject, number, *, expires=NOW + timedelta(days=1)):
        key = f"r{number}"
        entry = Reference(
            key, "default", subject, "wanted", "Order 1", "passport", date(2025, 1, 2), "Eve",
            "Otto", expires, EntryStatus.PENDING, hash_template(vector(number)),
            f"references/{key}", 70.0,
        )  # fmt: skip
        self.vault.put(entry.picture, b"picture")
        sealed = self.vault.seal(outbox_name(key), vector(number).tobytes())
        with self.records.unit_of_work() as work:
            add_entry(work, entry, picture_hash=key, template=sealed, at=NOW)

    def close(self):
        self.eraser.close()
        self.updater.close()
        self.templates.close()
        self.records.close()
