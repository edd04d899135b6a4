"""What the relay publishes of the watchlist and of deployments, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.deployments import configured, state_of

from openlfr.domain.control import DeploymentForgotten, EntryForgotten, Heartbeat, ManifestChange
from openlfr.domain.deployment import DeploymentStatus
from openlfr.domain.errors import Unavailable
from openlfr.domain.watchlist import EntryStatus
from openlfr.testing import ManualClock
from openlfr_alerting import relaying
from openlfr_alerting.relaying import HEARTBEAT_S, ControlRelay

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def entry(reference_id, version, status=EntryStatus.ACTIVE):
    return ManifestChange(reference_id, "default", "hash", NOW, status, version, NOW)


class Changes:
    """Records of which each row is a change."""

    def __init__(self, *rows):
        self.rows = {row.key: row for row in rows}
        self.now = max((row.version for row in rows), default=0)
        self.forgotten = {}  # reference -> version
        self.changed_otherwise = {}
        self.deployments_changed_otherwise = {}

    def altered_entries(self):
        return dict(self.changed_otherwise)

    def altered_deployments(self):
        return dict(self.deployments_changed_otherwise)

    def version(self):
        return self.now

    def changes_after(self, after=0):
        found = [(row.version, row) for row in self.rows.values() if row.version > after]
        found += [(v, EntryForgotten(name)) for name, v in self.forgotten.items() if v > after]
        return [row for _, row in sorted(found, key=lambda each: each[0])]

    def put(self, row):
        self.rows[row.key] = row
        self.now = row.version

    def forget(self, reference_id):
        del self.rows[reference_id]
        self.now += 1
        self.forgotten[reference_id] = self.now


class Topic:
    """A compacted topic, and a list of what was written to it."""

    def __init__(self, **there):
        self.there = there
        self.written = []
        self.others = False  # whether somebody else wrote in between
        self.down = False

    def read_newest_messages(self):
        self.others = False
        return dict(self.there)

    def write(self, messages):
        if self.down:
            raise Unavailable("Kafka is away.")
        self.written += messages
        for each in messages:
            if isinstance(each, EntryForgotten):
                self.there.pop(each.reference_id, None)
            elif isinstance(each, DeploymentForgotten):
                self.there.pop(f"deployment/{each.deployment_id}", None)
            elif not isinstance(each, Heartbeat):
                self.there[each.key] = each
        return not self.others

    def published(self):
        """What was written since the last call, heartbeats as their version."""
        written, self.written = self.written, []
        return [each.version if isinstance(each, Heartbeat) else each for each in written]


class LeaderElection:
    def __init__(self):
        self.number = 1

    def acquire_or_renew(self):
        return self.number


def make(changes, topic=None):
    topic = topic or Topic()
    election, clock = LeaderElection(), ManualClock(100.0)
    return ControlRelay(changes, topic, election, clock=clock), topic, election, clock


@pytest.mark.parametrize(
    ("there", "published"),
    [
        ({}, [entry("a", 3), entry("b", 5)]),
        ({"a": entry("a", 3), "b": entry("b", 5)}, []),
        ({"a": entry("a", 3), "b": entry("b", 4)}, [entry("b", 5)]),
        ({"a": entry("a", 3), "b": None}, [entry("b", 5)]),
        ({"a": entry("a", 3), "b": entry("b", 5), "x": entry("x", 1)}, [EntryForgotten("x")]),
        # The records were restored from a backup: a reader would take version 5 for older news.
        ({"a": entry("a", 3), "b": entry("b", 9)}, [EntryForgotten("b"), entry("b", 5)]),
    ],
    ids=["nothing", "the same", "older", "unreadable", "unknown", "newer"],
)
def test_a_new_leader_publishes_the_differences_and_a_heartbeat(there, published):
    relay, topic, _, _ = make(Changes(entry("a", 3), entry("b", 5)), Topic(**there))
    relay.run_once()
    assert topic.published() == [*published, 5]


def state(version, status=DeploymentStatus.STARTED):
    return state_of(configured(NOW, NOW), version, status=status)


@pytest.mark.parametrize(
    ("there", "published"),
    [
        (None, [state(4)]),
        (state(4), []),
        (state(3, DeploymentStatus.PAUSED), [state(4)]),  # an older one that was written again
        (state(9), [DeploymentForgotten("Market"), state(4)]),  # a restored backup
    ],
)
def test_the_state_of_a_deployment_is_published_and_an_unrecorded_one_is_removed(there, published):
    others = {"deployment/Fair": state_of(configured(NOW, NOW, name="Fair"))}
    topic = Topic(**others | ({"deployment/Market": there} if there else {}))
    changes = Changes(state(4))
    relay, topic, _, _ = make(changes, topic)
    relay.run_once()
    assert topic.published() == [DeploymentForgotten("Fair"), *published, 4]
    changes.put(paused := state(5, DeploymentStatus.PAUSED))
    relay.run_once()
    assert topic.published() == [paused]


def test_each_change_is_published_once_and_a_heartbeat_regularly():
    changes = Changes(entry("a", 1))
    relay, topic, _, clock = make(changes)
    relay.run_once()
    topic.published()
    relay.run_once()
    assert topic.published() == []
    removed = entry("a", 2, EntryStatus.REMOVED)
    changes.put(removed)
    relay.run_once()
    assert topic.published() == [removed]
    changes.forget("a")
    clock.now += HEARTBEAT_S
    relay.run_once()
    assert topic.published() == [EntryForgotten("a"), 3]
    relay.run_once()
    assert topic.published() == []
    assert relay.counts == {"told": 3, "heartbeats": 2}


def test_an_altered_entry_is_published_without_a_new_version():
    changes = Changes(entry("a", 1), entry("b", 2))
    relay, topic, _, _ = make(changes)
    relay.run_once()
    topic.published()
    changes.changed_otherwise = {"a": "expires differs from its enrolment"}
    changes.rows["a"] = suspended = entry("a", 1, EntryStatus.SUSPENDED)
    relay.run_once()
    assert topic.published() == []  # no version says so
    relay.compare()
    relay.compare()
    relay.run_once()
    assert (topic.published(), relay.altered) == ([suspended, 2], 1)
    relay.run_once()
    assert topic.published() == []
    changes.changed_otherwise, changes.rows["a"] = {}, entry("a", 1)
    relay.compare()
    relay.run_once()
    assert (topic.published(), relay.altered) == ([entry("a", 1), 2], 0)


def test_an_altered_deployment_is_published_without_a_new_version():
    started = state_of(configured(NOW, NOW))
    changes = Changes(started)
    relay, topic, _, _ = make(changes)
    relay.run_once()
    topic.published()
    changes.deployments_changed_otherwise = {started.deployment_id: "ends differs from its acts"}
    changes.rows[started.key] = paused = replace(started, status=DeploymentStatus.PAUSED)
    relay.compare()
    relay.compare()
    relay.run_once()
    assert (topic.published(), relay.altered) == ([paused, started.version], 0)
    changes.deployments_changed_otherwise, changes.rows[started.key] = {}, started
    relay.compare()
    relay.run_once()
    assert topic.published() == [started, started.version]


def test_alterations_found_by_a_follower_are_published_when_it_leads():
    changes = Changes(entry("a", 1))
    relay, topic, election, _ = make(changes)
    election.number = None
    changes.changed_otherwise = {"a": "expires differs from its enrolment"}
    changes.rows["a"] = suspended = entry("a", 1, EntryStatus.SUSPENDED)
    relay.compare()
    relay.run_once()
    assert topic.published() == []
    election.number = 2
    relay.run_once()
    assert topic.published() == [suspended, 1]


def test_a_follower_publishes_nothing():
    relay, topic, election, _ = make(Changes(entry("a", 1)))
    election.number = None
    relay.run_once()
    assert (topic.published(), relay.is_leader) == ([], False)
    election.number = 4
    relay.run_once()
    assert (topic.published(), relay.is_leader) == ([entry("a", 1), 1], True)


@pytest.mark.parametrize("what", ["another turn", "another writer", "an outage", "older records"])
def test_the_topic_is_read_again_after(what):
    changes = Changes(entry("a", 7))
    relay, topic, election, clock = make(changes)
    relay.run_once()
    topic.published()
    if what == "another turn":
        election.number = 3
    elif what == "another writer":
        topic.others = True
        clock.now += HEARTBEAT_S
        relay.run_once()  # the heartbeat's offset shows it
    elif what == "an outage":
        topic.down = True
        clock.now += HEARTBEAT_S
        with pytest.raises(Unavailable):
            relay.run_once()
        topic.down = False
    else:
        changes.rows, changes.now = {"a": replace(entry("a", 7), version=6)}, 6
    topic.published()
    topic.there["x"] = entry("x", 2)
    relay.run_once()
    assert topic.published()[0] == EntryForgotten("x")


def test_a_leadership_lost_during_a_write_ends_the_write(monkeypatch):
    monkeypatch.setattr(relaying, "MAX_RECORDS", 2)
    relay, topic, election, _ = make(Changes(*(entry(name, i) for i, name in enumerate("abcd", 1))))
    numbers = iter([1, 1, None, 5, 5, 5, 5])
    election.acquire_or_renew = lambda: next(numbers)
    relay.run_once()
    assert topic.published() == [entry("a", 1), entry("b", 2)]
    relay.run_once()
    assert topic.published() == [entry("c", 3), entry("d", 4), 4]
