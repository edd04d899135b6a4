"""The relay on a real broker and Redis: control.v1 agrees with the records."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from kafka import KafkaProducer
from tests.deployments import configured

from awaiting import PATIENCE_S, await_that
from enrolling import add_entry
from openlfr.adapters.kafka.access import KafkaAccess
from openlfr.adapters.kafka.admin import open_topics
from openlfr.adapters.kafka.control import ControlWriter
from openlfr.adapters.kafka.control_followers import StateFollower
from openlfr.adapters.kafka.control_reader import ControlReader
from openlfr.adapters.kafka.topics import CONTROL
from openlfr.adapters.redis.leader_election import LeaderElection
from openlfr.adapters.redis.lite import start_server
from openlfr.adapters.sql import tables
from openlfr.adapters.sql.records import Records
from openlfr.domain.control import EntryForgotten, Heartbeat, ManifestChange
from openlfr.domain.thresholds import Threshold, ThresholdOrigin
from openlfr.domain.watchlist import EntryStatus, GalleryDecision, Reference
from openlfr.in_force import DeploymentInForce
from openlfr.operations import deployments
from openlfr.os_account import local_person
from openlfr_alerting.relaying import ControlRelay

pytestmark = [pytest.mark.service, pytest.mark.timeout(600)]

KEY = bytes(32)
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
PATIENCE = timedelta(seconds=PATIENCE_S)  # not a requirement: a busy machine may take that long


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    server = start_server(tmp_path_factory.mktemp("election"))
    yield server.client
    server.close()


@pytest.fixture
def records(tmp_path):
    with closing(Records.open(f"sqlite:///{tmp_path}/openlfr.db")) as opened:
        yield opened


@pytest.fixture
def brokers(kafka_broker):
    """Brokers with an empty control topic."""
    access = KafkaAccess((kafka_broker,))
    topics = open_topics(access, timeout=PATIENCE)
    topics.apply([replace(CONTROL, replicas=1, configs=dict(CONTROL.configs) | ONE_COPY)])
    topics.close()
    with closing(ControlWriter(access, patience=PATIENCE, key=KEY)) as writer:
        writer.write([EntryForgotten(name) for name in writer.read_newest_messages()])
    return access


ONE_COPY = {"min.insync.replicas": "1"}


def enrol(records, name):
    reference = Reference(
        name, "default", "Ann", "wanted", "Order 1", "passport", date(2025, 1, 2), "Eve", "Otto",
        NOW + timedelta(days=30), EntryStatus.PENDING, f"hash of {name}", "picture", 70.0,
    )  # fmt: skip
    with records.unit_of_work() as work:
        add_entry(work, reference, picture_hash=name, template=b"sealed", at=NOW)
        work.watchlist.settle([GalleryDecision(name, EntryStatus.ACTIVE, "")], NOW)


def remove(records, name):
    with records.unit_of_work() as work:
        work.watchlist.remove_expired([name], NOW)


def statuses(writer):
    return {name: entry.status for name, entry in writer.read_newest_messages().items()}


def test_another_relay_takes_over_and_corrects_late_records_of_the_first(brokers, records, redis):
    redis.flushdb()
    enrol(records, "a")
    enrol(records, "b")
    with (
        closing(ControlWriter(brokers, patience=PATIENCE, key=KEY)) as first_writer,
        closing(ControlWriter(brokers, patience=PATIENCE, key=KEY)) as second_writer,
    ):
        ttl = timedelta(seconds=PATIENCE_S)
        first = ControlRelay(records.control, first_writer, LeaderElection(redis, "relay", ttl=ttl))
        second = ControlRelay(
            records.control, second_writer, LeaderElection(redis, "relay", ttl=ttl)
        )
        first.run_once()
        second.run_once()
        assert (first.is_leader, second.is_leader) == (True, False)
        assert statuses(second_writer) == {"a": EntryStatus.ACTIVE, "b": EntryStatus.ACTIVE}
        [stale] = [each for each in records.control.changes_after() if each.key == "a"]

        [holder] = redis.keys("*:holder")
        redis.delete(holder)  # the first relay was paused for longer than its term
        remove(records, "a")
        second.run_once()
        assert second.is_leader
        assert statuses(first_writer) == {"a": EntryStatus.REMOVED, "b": EntryStatus.ACTIVE}

        first_writer.write([stale])  # its pending write at the pause
        assert statuses(first_writer)["a"] is EntryStatus.ACTIVE
        with records.unit_of_work() as work:
            work.watchlist.mark_erased(
                ["b"], NOW
            )  # any change: the offset shows that another process wrote
        second.run_once()
        second.run_once()
        assert statuses(first_writer)["a"] is EntryStatus.REMOVED
        first.run_once()
        assert not first.is_leader

        with records.unit_of_work() as work:
            work.watchlist.mark_erased(["a"], NOW)
        second.run_once()
        assert statuses(first_writer) == {"b": EntryStatus.ACTIVE}
        second.resign()
        first.run_once()
        assert first.is_leader


def test_an_entry_altered_in_the_database_is_published_as_suspended(brokers, records, redis):
    redis.flushdb()
    enrol(records, "a")
    enrol(records, "b")
    with closing(ControlWriter(brokers, patience=PATIENCE, key=KEY)) as writer:
        election = LeaderElection(redis, "relay", ttl=timedelta(seconds=PATIENCE_S))
        relay = ControlRelay(records.control, writer, election)
        relay.run_once()
        relay.compare()
        relay.run_once()
        assert statuses(writer) == {"a": EntryStatus.ACTIVE, "b": EntryStatus.ACTIVE}
        listed = {each.reference_id: each for each in records.watchlist.references()}
        hashes = {name: entry.entry_hash for name, entry in writer.read_newest_messages().items()}
        assert hashes == {name: each.entry_hash for name, each in listed.items()}
        with records._engine.begin() as connection:
            connection.execute(
                sa.update(tables.references)
                .where(tables.references.c.reference_id == "a")
                .values(authorised_by="Mallory")
            )
        relay.compare()
        relay.run_once()
        assert statuses(writer) == {"a": EntryStatus.SUSPENDED, "b": EntryStatus.ACTIVE}
        assert relay.altered == 1


def test_an_act_on_a_deployment_reaches_its_followers_and_a_replayed_state_does_not(
    brokers, records, redis
):
    """An act is recorded, relayed and followed; an old record written again has no effect."""
    redis.flushdb()
    market = configured(NOW, NOW + timedelta(hours=1))
    by, words = local_person(), {"records": records, "at": NOW}
    deployments.start(
        market, deployments.Start(Threshold(0.42, ThresholdOrigin.SET, 7)), by=by, **words
    )
    in_force = DeploymentInForce(market)
    reader = ControlReader(brokers, key=KEY, followers=[StateFollower(in_force)])
    with (
        closing(ControlWriter(brokers, patience=PATIENCE, key=KEY)) as writer,
        closing(ControlWriter(brokers, patience=PATIENCE, key=bytes(31) + b"x")) as forger,
        closing(reader),
    ):
        relay = ControlRelay(records.control, writer, LeaderElection(redis, "relay", ttl=PATIENCE))
        reader.start()

        def follows(what, status):
            def round_and_look():
                relay.run_once()
                return in_force.status == status

            await_that(what, round_and_look, seen=reader.counts.copy)

        follows("start", "started")
        assert (in_force.state.threshold, in_force.state.threshold_origin) == (0.42, "set")
        started = in_force.state
        deployments.pause("Market", "wrong angle", by=by, **words)
        follows("pause", "paused")
        assert in_force.state.version > started.version
        assert in_force.state.threshold == 0.42

        writer.write([started])
        forger.write([replace(started, version=99)])
        await_that(
            "refusals", lambda: reader.counts["older"] and reader.counts["unreadable"],
            seen=reader.counts.copy,
        )  # fmt: skip
        assert in_force.status == "paused"

        late = DeploymentInForce(market)  # a process that starts now reads the forged record
        second = ControlReader(brokers, key=KEY, followers=[StateFollower(late)])
        with closing(second):
            second.start()
            await_that("all", lambda: second.counts["unreadable"], seen=second.counts.copy)
            assert late.halt_reason()
        relay._published = None  # as its next heartbeat finds from the offsets
        relay.run_once()
        assert writer.read_newest_messages()["deployment/Market"] == in_force.state

        deployments.resume("Market", "", by=by, **words)
        follows("resume", "started")
        assert reader.counts["changes"] == 0  # this follower ignores watchlist entries


def test_all_published_entries_are_read_and_heartbeats_and_invalid_records_are_no_entries(brokers):
    entries = {
        f"r{n}": ManifestChange(f"r{n}", "default", "hash", NOW, EntryStatus.ACTIVE, n, NOW)
        for n in range(1100)  # more than one batch of a consumer
    }
    with closing(ControlWriter(brokers, patience=PATIENCE, key=KEY)) as writer:
        writer.write([*entries.values(), Heartbeat(NOW, 1100)])
        with closing(KafkaProducer(bootstrap_servers=list(brokers.brokers))) as stranger:
            for key in (b"r3", b"\xff"):
                stranger.send(CONTROL.name, key=key, value=b"rubbish", partition=0).get(60)
        assert writer.read_newest_messages() == entries | {"r3": None}


def test_a_leader_s_term_expires_and_the_next_term_has_another_number(redis):
    redis.flushdb()
    first, second = (LeaderElection(redis, "relay", ttl=timedelta(minutes=1)) for _ in range(2))
    number = first.acquire_or_renew()
    assert second.acquire_or_renew() is None
    assert first.acquire_or_renew() == number
    [holder] = redis.keys("*:holder")
    assert 0 < redis.pttl(holder) <= 60_000
    redis.pexpire(holder, 1)
    while (later := second.acquire_or_renew()) is None:
        pass
    assert later != number
    assert first.acquire_or_renew() is None
    first.resign()  # another process's lease remains
    assert second.acquire_or_renew() == later
