"""What folding does with a sighting whose picture, name or deployment is not what it expects."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import sqlalchemy as sa

from book_alone import BOOK_ALONE
from openlfr.adapters.faust_agents import Message
from openlfr.adapters.memory_alerts import MemoryAlertBook
from openlfr.adapters.memory_vault import MemoryVault
from openlfr.adapters.sql import Records
from openlfr.domain.alerts import EventKind, Sighting
from openlfr.domain.errors import BadInput, Unavailable
from openlfr.domain.evidence import CarriedEvidence, Evidence, Scene
from openlfr.domain.faces import Box
from openlfr.domain.impossible import Movement
from openlfr.operations.evidence import encode, evidence_name
from openlfr.wire import codec
from openlfr_alerting.folding import Folding
from openlfr_alerting.recording import Recording

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
BOX = Box(10, 20, 30, 40)
SIGHTING = Sighting(
    deployment="Market", camera="gate", epoch=1, seq=3, subject="ann", watchlist="default",
    reference_id="r", captured_at=NOON, box=BOX, score=0.5, threshold=0.4, quality=50.0,
)  # fmt: skip
NAME = evidence_name(SIGHTING.sighting_id)
CONTENT = encode(
    Evidence(
        Scene(np.full((9, 16, 3), 50, np.uint8), 40, 640, 360),
        np.full((40, 30, 3), 90, np.uint8),
        BOX,
    )
)


class Desk:
    """A folding worker of one deployment with a book and a vault of its own."""

    def __init__(self, deployment: str = "Market") -> None:
        self.book, self.vault = MemoryAlertBook(), MemoryVault()
        self.folding = Folding(
            self.book, self.vault, deployment=deployment, window=timedelta(seconds=30),
            movement=Movement({}, 36.0), homes=BOOK_ALONE,
        )  # fmt: skip

    def fold(self, carried: CarriedEvidence | None) -> list[str]:
        """The topics that this sighting's records go to."""
        return [topic for topic, _ in self.records_of(carried)]

    def records_of(self, carried: CarriedEvidence | None) -> list[tuple[str, codec.Record]]:
        """The records that this sighting gives, by topic."""
        record = codec.encode_sighting(SIGHTING, carried)
        message = Message(
            "sightings.v1", 0, 7, record.value, record.headers, NOON.timestamp(), None
        )
        return self.folding.fold([message])


def test_evidence_is_kept_in_clear_under_the_vaults_own_key():
    desk = Desk()
    sealed = desk.vault.seal(NAME, CONTENT)
    assert desk.fold(CarriedEvidence(NAME, True, sealed)) == ["alerts.v1"]
    assert desk.vault.get(NAME) == CONTENT
    assert desk.folding.counts["without_evidence"] == 0


@pytest.mark.parametrize(
    "carried",
    [
        CarriedEvidence(NAME, True, MemoryVault().seal("evidence/other", CONTENT)),
        CarriedEvidence(NAME, True, b"damaged"),
        CarriedEvidence(NAME, False, CONTENT[:40]),
    ],
    ids=["another vault's key", "damaged", "cut short"],
)
def test_no_picture_is_worth_an_alert(carried):
    desk = Desk()
    assert desk.fold(carried) == ["alerts.v1"]
    assert desk.folding.counts["without_evidence"] == 1
    with pytest.raises(BadInput):
        desk.vault.get(NAME)


@pytest.mark.parametrize("name", ["../out", "references/r1", "evidence/other"])
def test_a_picture_under_anothers_name_is_set_aside_before_anything_is_folded(name):
    desk = Desk()
    assert desk.fold(CarriedEvidence(name, False, CONTENT)) == ["dead-letters.v1"]
    assert desk.vault.names() == []
    assert desk.book.events("Market") == []


def test_a_sighting_of_another_deployment_is_folded_as_that_ones():
    desk = Desk("Another")
    assert desk.fold(CarriedEvidence(NAME, False, CONTENT)) == ["alerts.v1"]
    [event] = desk.book.events("Market")
    assert event.sighting == SIGHTING


@pytest.mark.parametrize(
    ("carried", "pictured"),
    [
        (CarriedEvidence(NAME, False, CONTENT), True),
        (CarriedEvidence(NAME, True, b""), True),
        (CarriedEvidence(NAME, True, b"damaged"), False),
        (None, False),
    ],
    ids=["carried", "in the vault already", "damaged", "covered"],
)
def test_the_records_name_no_picture_where_there_is_none(tmp_path, carried, pictured):
    [(topic, record)] = Desk().records_of(carried)
    message = Message(topic, 0, 7, record.value, record.headers, NOON.timestamp(), None)
    with Records.open(f"sqlite:///{tmp_path}/openlfr.db") as records:
        Recording(records, window=timedelta(seconds=30)).record_alerts([message])
        [alert] = records.alerts.list()
        [event] = records.alerts.events(alert.alert_id)
    assert event.evidence == (NAME if pictured else None)


def test_the_records_say_to_which_alert_a_sighting_belongs_and_nobody_waits_for_them(tmp_path):
    desk = Desk()
    with Records.open(f"sqlite:///{tmp_path}/openlfr.db") as records:
        desk.folding._homes = records.alerts
        [(_, first)] = desk.records_of(None)
        event, at, _ = codec.decode_alert(first.value)
        records.alerts.record(event, None, emitted_at=at)
        with records._engine.begin() as connection:
            connection.execute(sa.text("UPDATE alerts SET closed_at = last_at, state = 'closed'"))
        later = replace(SIGHTING, seq=9, captured_at=NOON + timedelta(seconds=9))

        def fold(sighting):
            record = codec.encode_sighting(sighting)
            at = NOON.timestamp()
            place = sighting.seq
            message = Message("sightings.v1", 0, place, record.value, record.headers, at, None)
            [(_, told)] = desk.folding.fold([message])
            return codec.decode_alert(told.value)[0]

        opened = fold(later)
        assert (opened.event, opened.alert_id == event.alert_id) == (EventKind.OPENED, False)
        assert fold(later) == opened  # told again
    # The records are away: it is published as the book has it, and they are not asked for a while.
    asked = []

    class Away:
        def placed(self, *_):
            asked.append(1)
            raise Unavailable("gone")

    desk.folding._homes = Away()
    for seq in (12, 13):
        joined = fold(replace(later, seq=seq))
        assert (joined.event, joined.alert_id) == (EventKind.JOINED, opened.alert_id)
    assert (asked, desk.folding.counts["records_not_asked"]) == ([1], 2)
