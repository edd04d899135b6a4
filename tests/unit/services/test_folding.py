"""Folding of sightings with a wrong picture, name or deployment."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
import sqlalchemy as sa
from tests.sightings import renamed, sighting_of

from book_alone import BOOK_ALONE
from openlfr.adapters.faust.agents import Message
from openlfr.adapters.memory.alert_book import MemoryAlertBook
from openlfr.adapters.memory.vault import MemoryVault
from openlfr.adapters.sql.records import Records
from openlfr.bootstrap import make_ids
from openlfr.domain.alerts import AlertEvent, EventKind, alert_id_of, event_id_of
from openlfr.domain.deployment import Authorisation, Deployment, DeploymentStatus
from openlfr.domain.errors import BadInput, Unavailable
from openlfr.domain.evidence import Evidence, Scene, SentEvidence
from openlfr.domain.faces import Box
from openlfr.domain.impossible import Movement
from openlfr.operations.evidence import encode, evidence_name
from openlfr.wire import codec, seal
from openlfr_alerting.folding import SightingProcessor
from openlfr_alerting.recording import DatabaseWriter

if TYPE_CHECKING:
    from openlfr.domain.sightings import Sighting

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
BOX = Box(10, 20, 30, 40)
VAULT = MemoryVault()
IDS = make_ids("Market", VAULT)
SIGHTING = sighting_of(
    ids=IDS, deployment="Market", camera="gate", epoch=1, seq=3, subject="ann", watchlist="default",
    reference_id="r", captured_at=NOON, box=BOX, score=0.5, threshold=0.4, quality=50.0,
)  # fmt: skip
NAME = evidence_name(SIGHTING.sighting_id)
CLEAR = Scene(np.full((180, 320, 3), 50, np.uint8), 2, 640, 360)
CONTENT = encode(
    Evidence(
        Scene(np.full((3, 6, 3), 50, np.uint8), 120, 640, 360),
        np.full((40, 30, 3), 90, np.uint8),
        BOX,
    )
)


HOURS = Authorisation(
    "Market", "Find Ann", "Square", "Act 5", "Chief X", NOON - timedelta(hours=1),
    NOON + timedelta(hours=1),
)  # fmt: skip
MARKET = Deployment("Market", HOURS, DeploymentStatus.STARTED, ("gate", "yard"), ("default",))


class Desk:
    """A folding worker with a book of its own, and a vault under the key of analysis."""

    def __init__(self, *deployments: Deployment) -> None:
        self.book, self.vault = MemoryAlertBook(), VAULT
        for name in self.vault.names():
            self.vault.delete(name)
        known = {each.deployment_id: each for each in deployments or (MARKET,)}
        self.folding = SightingProcessor(
            self.book, self.vault, deployments=known.get, window=timedelta(seconds=30),
            movement=Movement({}, 36.0), directory=BOOK_ALONE,
        )  # fmt: skip

    def fold(self, carried: SentEvidence | None) -> list[str]:
        """The topics that this sighting's records go to."""
        return [topic for topic, _ in self.records_of(carried)]

    def records_of(self, carried: SentEvidence | None) -> list[tuple[str, codec.Record]]:
        """The records that this sighting gives, by topic."""
        return self.folding.fold([written(SIGHTING, carried)])


def written(
    sighting: Sighting, carried: SentEvidence | None = None, vault: MemoryVault = VAULT
) -> Message:
    """The message of a sighting that a worker with this vault's key published."""
    record = codec.encode_sighting(sighting, carried)
    record = seal.sign(record, vault.derive(seal.purpose_of("sightings.v1")))
    return message_of(record, offset=sighting.seq)


def message_of(record: codec.Record, topic: str = "sightings.v1", offset: int = 7) -> Message:
    at = NOON.timestamp()
    return Message(topic, 0, offset, record.value, record.headers, at, None, record.key)


def recording_into(records: Records) -> DatabaseWriter:
    key = VAULT.derive(seal.purpose_of("alerts.v1"))
    return DatabaseWriter(records, {}, alert_key=key, window=timedelta(seconds=30))


def sealed(content: bytes = CONTENT) -> SentEvidence:
    return SentEvidence(NAME, True, VAULT.seal(NAME, content))


def test_evidence_is_stored_decrypted_under_the_vaults_own_key():
    desk = Desk()
    assert desk.fold(sealed()) == ["alerts.v1"]
    assert desk.vault.get(NAME) == CONTENT
    assert desk.folding.counts["without_evidence"] == 0


@pytest.mark.parametrize(
    "carried",
    [
        SentEvidence(NAME, True, MemoryVault().seal("evidence/other", CONTENT)),
        SentEvidence(NAME, True, b"damaged"),
        sealed(CONTENT[:40]),
        SentEvidence(NAME, False, CONTENT),
        sealed(encode(Evidence(CLEAR, np.full((40, 30, 3), 90, np.uint8), BOX))),
    ],
    ids=["another vault's key", "damaged", "cut short", "not sealed", "a scene in clear"],
)
def test_an_alert_is_published_even_without_its_picture(carried):
    desk = Desk()
    assert desk.fold(carried) == ["alerts.v1"]
    assert desk.folding.counts["without_evidence"] == 1
    with pytest.raises(BadInput):
        desk.vault.get(NAME)


@pytest.mark.parametrize("name", ["../out", "references/r1", "evidence/other"])
def test_a_picture_with_a_wrong_name_is_a_dead_letter_before_the_fold(name):
    desk = Desk()
    assert desk.fold(SentEvidence(name, False, CONTENT)) == ["dead-letters.v1"]
    assert desk.vault.names() == []
    assert desk.book.events("Market") == []


def test_sightings_of_several_deployments_are_folded_separately():
    fair = replace(MARKET, deployment_id="Fair", cameras=("wheel",))
    desk = Desk(MARKET, fair)
    there = renamed(SIGHTING, make_ids("Fair", VAULT), deployment="Fair", camera="wheel")
    for each in (SIGHTING, there):
        assert [topic for topic, _ in desk.folding.fold([written(each)])] == ["alerts.v1"]
        [event] = desk.book.events(each.deployment)
        assert event.sighting == each


@pytest.mark.parametrize(
    ("since", "folded"),
    [(timedelta(0), True), (timedelta(seconds=-2), True), (timedelta(seconds=-3), False)],
)
@pytest.mark.parametrize("status", ["paused", "stopped", "closed"])
def test_a_sighting_captured_after_a_pause_is_rejected(since, folded, status):
    """Analysis follows a pause by itself; alerting takes its word for nothing."""
    paused = replace(MARKET, status=DeploymentStatus(status), changed_at=NOON + since)
    [(topic, record)] = Desk(paused).folding.fold([written(SIGHTING)])
    assert topic == ("alerts.v1" if folded else "dead-letters.v1")
    if not folded:
        assert f"'Market' is {status} since" in codec.decode_dead_letter(record.value).reason


def test_a_deployment_that_was_resumed_is_folded():
    resumed = replace(MARKET, changed_at=NOON - timedelta(minutes=1))
    [(topic, _)] = Desk(resumed).folding.fold([written(SIGHTING)])
    assert topic == "alerts.v1"


def test_no_sighting_of_an_altered_deployment_is_folded():
    changed = replace(MARKET, alteration="ends differs from its acts")
    [(topic, record)] = Desk(changed).folding.fold([written(SIGHTING)])
    assert topic == "dead-letters.v1"
    assert "(ends differs from its acts)" in codec.decode_dead_letter(record.value).reason


def forged(**changes: object) -> Message:
    """What somebody writes who has the topic's key, and the ids' too."""
    return written(renamed(SIGHTING, IDS, **changes))


def altered(message: Message) -> Message:
    assert message.value is not None
    return replace(message, value=message.value.replace(b"ann", b"eve"))


def unsigned(message: Message) -> Message:
    return replace(message, headers=[each for each in message.headers if each[0] != "mac"])


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (unsigned(written(SIGHTING)), "has no authentication code"),
        (written(SIGHTING, vault=MemoryVault()), "written with another key"),
        (altered(written(SIGHTING)), "the record was altered"),
        (replace(written(SIGHTING), key=b"Market/eve"), "the record was altered"),
        (written(replace(SIGHTING, sighting_id=str(uuid.uuid4()))), "does not match the sighting"),
        (written(renamed(SIGHTING)), "does not match the sighting"),  # an id without a key
        (forged(deployment="Another"), "'Another', which the records lack"),
        (forged(camera="kitchen"), "'Market' has no camera 'kitchen'"),
        (forged(captured_at=NOON + timedelta(days=300)), "outside the hours of 'Market'"),
        (forged(captured_at=NOON + timedelta(hours=1)), "outside the hours"),
    ],
    ids=[
        "unsigned", "another key", "altered", "another's key", "another id", "computed id",
        "deployment", "camera", "300 days on", "the last moment",
    ],
)  # fmt: skip
def test_a_forged_sighting_is_a_dead_letter_and_raises_no_alert(message, says):
    desk = Desk()
    [(topic, letter)] = desk.folding.fold([message])
    assert topic == "dead-letters.v1"
    assert says in codec.decode_dead_letter(letter.value).reason
    assert desk.book.events("Market") == desk.book.events("Another") == []
    assert desk.folding.counts["set_aside"] == 1


@pytest.mark.parametrize(
    ("carried", "pictured"),
    [
        (sealed(), True),
        (SentEvidence(NAME, True, b""), True),
        (SentEvidence(NAME, True, b"damaged"), False),
        (None, False),
    ],
    ids=["carried", "in the vault already", "damaged", "covered"],
)
def test_the_records_name_a_picture_only_if_it_exists(tmp_path, carried, pictured):
    [(topic, record)] = Desk().records_of(carried)
    message = message_of(record, topic)
    with Records.open(f"sqlite:///{tmp_path}/openlfr.db") as records:
        recording_into(records).record_alerts([message])
        [alert] = records.alerts.list()
        [event] = records.alerts.events(alert.alert_id)
    assert event.evidence == (NAME if pictured else None)


@pytest.mark.parametrize("key", [None, b"another key"], ids=["without a code", "another key"])
def test_a_forged_alert_is_a_dead_letter_and_is_not_recorded(tmp_path, key):
    event = AlertEvent(
        EventKind.OPENED, event_id_of(SIGHTING.sighting_id), alert_id_of(SIGHTING.sighting_id),
        replace(SIGHTING, subject="Mr Innocent", deployment="Elsewhere"),
    )  # fmt: skip
    forged = codec.encode_alert(event, SIGHTING.captured_at, has_picture=False)
    if key is not None:
        forged = seal.sign(forged, key)
    with Records.open(f"sqlite:///{tmp_path}/openlfr.db") as records:
        recording = recording_into(records)
        [(topic, letter)] = recording.record_alerts([message_of(forged, "alerts.v1")])
        assert not records.alerts.list()
    assert topic == "dead-letters.v1"
    assert "authentication code" in codec.decode_dead_letter(letter.value).reason
    assert recording.counts == {"alerts_forged": 1, "set_aside": 1}


def test_the_alert_of_a_sighting_is_read_from_the_records_without_waiting(tmp_path):
    desk = Desk()
    with Records.open(f"sqlite:///{tmp_path}/openlfr.db") as records:
        desk.folding._directory = records.alerts
        [(_, first)] = desk.records_of(None)
        event, at, _ = codec.decode_alert(first.value)
        records.alerts.record(event, None, emitted_at=at)
        with records._engine.begin() as connection:
            connection.execute(sa.text("UPDATE alerts SET closed_at = last_at, state = 'closed'"))
        later = renamed(SIGHTING, IDS, seq=9, captured_at=NOON + timedelta(seconds=9))

        def fold(sighting):
            [(_, published)] = desk.folding.fold([written(sighting)])
            return codec.decode_alert(published.value)[0]

        opened = fold(later)
        assert (opened.event, opened.alert_id == event.alert_id) == (EventKind.OPENED, False)
        assert fold(later) == opened  # published again
    # The records are away: it is published as the book has it, and they are not asked for a while.
    asked = []

    class Away:
        def assign_alert(self, *_):
            asked.append(1)
            raise Unavailable("gone")

        is_erased = assign_alert

    desk.folding._directory = Away()
    for seq in (12, 13):
        joined = fold(renamed(later, IDS, seq=seq))
        assert (joined.event, joined.alert_id) == (EventKind.JOINED, opened.alert_id)
    assert (asked, desk.folding.counts["records_not_asked"]) == ([1], 2)
