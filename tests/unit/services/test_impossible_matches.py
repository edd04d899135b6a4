"""The alerting service flags impossible matches as a single process does, also when repeated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from tests.deployments import configured
from tests.sightings import sighting_of

from book_alone import BOOK_ALONE
from openlfr.adapters.faust.agents import Message
from openlfr.adapters.memory.alert_book import MemoryAlertBook
from openlfr.adapters.memory.vault import MemoryVault
from openlfr.adapters.sql.records import Records
from openlfr.bootstrap import make_ids
from openlfr.domain.faces import Box
from openlfr.domain.impossible import Movement, Place
from openlfr.operations.fold_sighting import fold_sighting
from openlfr.wire import codec, seal
from openlfr_alerting.folding import SightingProcessor
from openlfr_alerting.recording import DatabaseWriter

if TYPE_CHECKING:
    from openlfr.domain.sightings import Sighting

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
WINDOW = timedelta(seconds=30)
MOVEMENT = Movement({"gate": Place(52.5163, 13.3777), "park": Place(52.5541, 13.3777)}, 36.0)


VAULT = MemoryVault()


def seen(camera: str, seconds: int, *, conflicts_in_frame: bool = False) -> Sighting:
    return sighting_of(
        ids=make_ids("market", VAULT),
        deployment="market", camera=camera, epoch=1, seq=seconds, subject="ann",
        watchlist="default", reference_id="r", captured_at=NOON + timedelta(seconds=seconds),
        box=Box(10, 20, 30, 40), score=0.5, threshold=0.4, quality=50.0,
        conflicts_in_frame=conflicts_in_frame,
    )  # fmt: skip


WALK = [seen("gate", 0), seen("gate", 1, conflicts_in_frame=True), seen("park", 9),
        seen("park", 12), seen("gate", 400), seen("park", 450)]  # fmt: skip
FLAGS = [
    None,
    "another face of the same frame was matched with this subject too",
    "8.0 s after being matched at gate, 4.2 km away",
    None,
    None,
    "50.0 s after being matched at gate, 4.2 km away",
]


def delivered(topic, records):
    at = NOON.timestamp()
    return [
        Message(topic, 0, n, each.value, each.headers, at, None, each.key)
        for n, each in enumerate(records)
    ]


@pytest.mark.parametrize("again", [0, 1, 3])
def test_the_flags_match_those_of_a_run_and_repeat_with_the_sighting(tmp_path, again):
    book = MemoryAlertBook()
    alone = [
        fold_sighting(book, each, window=WINDOW, movement=MOVEMENT, directory=BOOK_ALONE)
        for each in WALK
    ]
    assert [e.impossible and str(e.impossible) for e in alone] == FLAGS

    market = configured(NOON - timedelta(hours=1), NOON + timedelta(hours=1), name="market")
    folding = SightingProcessor(
        MemoryAlertBook(), VAULT, deployments=lambda _: market, window=WINDOW, movement=MOVEMENT,
        directory=BOOK_ALONE,
    )  # fmt: skip
    key = VAULT.derive(seal.purpose_of("sightings.v1"))
    messages = delivered(
        "sightings.v1", [seal.sign(codec.encode_sighting(each), key) for each in WALK]
    )
    published = folding.fold(messages)
    published += [record for _ in range(again) for record in folding.fold(messages)]
    events = [codec.decode_alert(record.value)[0] for _, record in published]
    assert events == alone * (1 + again)

    with Records.open(f"sqlite:///{tmp_path}/openlfr.db") as records:
        DatabaseWriter(
            records, {}, alert_key=VAULT.derive(seal.purpose_of("alerts.v1")), window=WINDOW
        ).record_alerts(delivered("alerts.v1", [record for _, record in published]))
        kept = [e.event for a in records.alerts.list() for e in records.alerts.events(a.alert_id)]
    assert sorted(kept, key=lambda e: e.sighting.captured_at) == alone
