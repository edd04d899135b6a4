"""The reader of the control topic: searchable entries, and silence of the topic."""

from __future__ import annotations

import threading
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic

from awaiting import PATIENCE_S, await_that
from openlfr.adapters.kafka.access import KafkaAccess
from openlfr.adapters.kafka.control_followers import WatchlistFollower
from openlfr.adapters.kafka.control_reader import ControlReader
from openlfr.adapters.kafka.topics import CONTROL
from openlfr.domain.control import ControlMessage, EntryForgotten, Heartbeat, ManifestChange
from openlfr.domain.errors import Unavailable
from openlfr.domain.watchlist import EntryStatus
from openlfr.wire import codec, seal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
pytestmark = [pytest.mark.service, pytest.mark.timeout(300)]

KEY = bytes(32)
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ANN, BEA, EVE = (str(uuid.UUID(int=number)) for number in (1, 2, 3))
BRIEF = timedelta(seconds=1)


def entry(reference_id: str, version: int, status: str = "active", **more: str) -> ManifestChange:
    return replace(
        ManifestChange(
            reference_id, "default", "hash", NOW, EntryStatus(status), version, NOW
        ),
        **more,
    )  # fmt: skip


class Topic:
    """A control topic of one test, and its readers."""

    def __init__(self, broker: str) -> None:
        self.broker, self.name = broker, f"control-{uuid.uuid4()}"
        admin = KafkaAdminClient(bootstrap_servers=broker)
        configs = dict(CONTROL.configs) | {"min.insync.replicas": "1"}
        admin.create_topics([NewTopic(self.name, 1, 1, topic_configs=configs)])
        admin.close()
        self.producer = KafkaProducer(bootstrap_servers=broker)
        self.readers: list[ControlReader] = []
        self.manifests: list[Mapping[str, ManifestChange]] = []
        self.changed = threading.Condition()
        self.refuse, self.refused, self.in_use = "", 0, True

    def tell(self, *messages: ControlMessage) -> None:
        for message in messages:
            record = seal.sign(codec.encode_control(message), KEY)
            self.producer.send(
                self.name, key=record.key, value=record.value, headers=record.headers
            )
        self.producer.flush(timeout=PATIENCE_S)

    def beat(self, version: int = 9) -> None:
        self.tell(Heartbeat(datetime.now(UTC), version))

    def read(self, *watchlists: str, silence: timedelta = timedelta(minutes=5)) -> ControlReader:
        reader = ControlReader(
            KafkaAccess((self.broker,)), key=KEY, silence=silence, topic=self.name,
            followers=[WatchlistFollower(lambda: watchlists or ("default",), self._take)],
        )  # fmt: skip
        self.readers.append(reader)
        reader.start()
        return reader

    def started(self, *watchlists: str) -> ControlReader:
        """Start a reader, and wait until it has read everything and a later heartbeat."""
        reader = self.read(*watchlists)
        self.await_manifest(lambda _: True)  # so that later records are new
        self.beat()
        reader.wait_until_ready(timedelta(seconds=PATIENCE_S))
        return reader

    def await_manifest(self, condition: Callable[[set[str]], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(
                lambda: self.manifests and condition(set(self.manifests[-1])), PATIENCE_S
            ), self.manifests

    def _take(self, manifest: Mapping[str, ManifestChange]) -> bool:
        with self.changed:
            if self.refuse:
                self.refused += 1
                self.changed.notify_all()
                raise Unavailable(self.refuse)
            self.manifests.append(manifest)
            self.changed.notify_all()
            return self.in_use


@pytest.fixture
def topic(kafka_broker: str) -> Iterator[Topic]:
    made = Topic(kafka_broker)
    yield made
    for reader in made.readers:
        reader.close()
    made.producer.close()


@pytest.mark.parametrize(
    ("published", "searchable"),
    [
        ([entry(ANN, 1), entry(BEA, 2)], {ANN, BEA}),
        ([entry(ANN, 1, "pending"), entry(BEA, 2, "suspended")], set()),
        ([entry(ANN, 3, "removed"), entry(ANN, 2)], set()),  # an older record
        ([entry(ANN, 3), EntryForgotten(ANN), entry(ANN, 2)], {ANN}),  # a restored backup
        ([entry(ANN, 1), EntryForgotten(ANN)], set()),
        ([entry(ANN, 1, watchlist="second"), entry(BEA, 2)], {BEA}),
        ([], set()),
    ],
)
def test_the_topic_s_records_are_read_at_the_start(
    topic: Topic, published: list[ControlMessage], searchable: set[str]
) -> None:
    topic.tell(*published)
    topic.beat()
    topic.started()
    assert set(topic.manifests[-1]) == searchable


def test_each_change_is_passed_on_and_unreadable_entries_are_no_longer_searchable(
    topic: Topic,
) -> None:
    topic.tell(entry(ANN, 1))
    reader = topic.started("default", "second")
    topic.tell(entry(BEA, 2, watchlist="second"))
    topic.await_manifest(lambda now: now == {ANN, BEA})
    assert topic.manifests[-1][BEA].watchlist == "second"
    topic.tell(entry(BEA, 3, "removed"))
    topic.await_manifest(lambda now: now == {ANN})
    topic.producer.send(topic.name, key=ANN.encode(), value=b"\xff").get(PATIENCE_S)
    topic.await_manifest(lambda now: now == set())
    reader.check()
    assert reader.counts["unreadable"] == 1
    assert reader.counts["heartbeats"] == 1


@pytest.mark.parametrize("key", [None, bytes(31) + b"x"], ids=["unsigned", "another key"])
def test_a_forged_record_lists_and_revives_nobody(topic: Topic, key: bytes | None) -> None:
    topic.tell(entry(ANN, 1))
    topic.tell(entry(BEA, 2, "removed"))
    reader = topic.started()
    for forged in (entry(EVE, 3), entry(BEA, 4), Heartbeat(datetime.now(UTC), 9)):
        record = codec.encode_control(forged)
        record = record if key is None else seal.sign(record, key)
        topic.producer.send(
            topic.name, key=record.key, value=record.value, headers=record.headers
        ).get(PATIENCE_S)
    await_that("records", lambda: reader.counts["unreadable"] == 3, seen=reader.counts.copy)
    topic.await_manifest(lambda now: now == {ANN})
    assert reader.counts["heartbeats"] == 1


def test_a_manifest_that_could_not_be_applied_is_passed_on_again(topic: Topic) -> None:
    reader = topic.started()
    topic.refuse = "Milvus does not answer."
    topic.tell(entry(ANN, 1))
    topic.tell(entry(BEA, 2))
    topic.refuse = ""
    topic.await_manifest(lambda now: now == {ANN, BEA})
    reader.check()


def test_records_are_read_while_a_manifest_is_not_in_use_and_then_the_cause_is_reported(
    topic: Topic,
) -> None:
    topic.tell(entry(ANN, 1))
    reader = topic.started()
    topic.in_use = False
    topic.tell(entry(BEA, 2))
    topic.await_manifest(lambda now: now == {ANN, BEA})
    topic.tell(entry(ANN, 3, "removed"))
    topic.await_manifest(lambda now: now == {BEA})
    reader.check()
    reader._silence_s = 0.0  # long enough
    reader._heartbeat_at = float("inf")
    with pytest.raises(Unavailable, match=r"could not be used for 0 s.*been read from Milvus yet"):
        reader.check()
    topic.refuse = "Milvus at X does not answer."
    with topic.changed:  # twice, so that the first refusal is recorded
        assert topic.changed.wait_for(lambda: topic.refused > 1, PATIENCE_S)
    with pytest.raises(Unavailable, match=r"could not be used for 0 s.*Milvus at X does not ans"):
        reader.check()


def test_without_a_heartbeat_nothing_starts_and_the_missing_service_is_reported(
    topic: Topic,
) -> None:
    topic.tell(entry(ANN, 1))
    topic.beat()  # its sender may have ended since
    reader = topic.read()
    topic.await_manifest(lambda now: now == {ANN})
    with pytest.raises(Unavailable, match=r"within 0.1 s: .*service alerting"):
        reader.wait_until_ready(timedelta(seconds=0.1))


def test_without_the_topic_nothing_starts(kafka_broker: str) -> None:
    reader = ControlReader(
        KafkaAccess((kafka_broker.replace("127.0.0.1", "127.0.0.2"),)), key=KEY,
        followers=[WatchlistFollower(lambda: ["default"], lambda _: None)],
    )  # fmt: skip
    reader.start()
    with pytest.raises(Unavailable, match=r"Kafka did not serve control\.v1"):
        reader.wait_until_ready(BRIEF)


def test_silence_stops_the_matching(topic: Topic) -> None:
    reader = topic.started()
    reader.check()
    reader._silence_s = BRIEF.total_seconds()
    await_that("silence", reader.search_problem)
    with pytest.raises(Unavailable, match=r"matching stops.*service alerting"):
        reader.check()
    topic.beat()  # ended processes stay ended; others continue
