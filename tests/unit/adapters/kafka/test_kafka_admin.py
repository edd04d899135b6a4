"""Topics as they are beside what they must be, on an admin client that answers like Kafka's."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from kafka import errors

from openlfr.adapters.kafka.admin import KafkaTopics
from openlfr.adapters.kafka.topics import (
    ALERTS,
    CHECK_INTERVAL,
    FRAMES,
    TOPICS,
    TRANSIT,
    plan_topics,
)
from openlfr.domain.errors import Misconfigured, Unavailable


class FakeAdmin:
    """The part of `KafkaAdminClient` that we use: dicts in, dicts out, as version 3 has it."""

    def __init__(self, brokers: int = 1, check_ms: str | None = "10000") -> None:
        self.topics: dict[str, dict] = {}
        self.brokers = [{"broker_id": number, "host": "b"} for number in range(brokers)]
        self.check_ms = check_ms
        self.refuse: Exception | str | None = None
        self.hidden: set[str] = set()  # of which the user may not Describe anything
        self.unreadable: set[str] = set()  # whose settings it may not see
        self.codes: dict[str, int] = {}
        self.asked: list[str] = []
        self.calls: list[str] = []
        self.closed = False

    def describe_topics(self, topics):
        if isinstance(self.refuse, Exception):
            raise self.refuse
        return [self._described(name) for name in topics]

    def _described(self, name):
        if name in self.hidden:
            code = errors.TopicAuthorizationFailedError.errno  # whether there is one or not
            return {"name": name, "error_code": code, "partitions": []}
        if name not in self.topics:
            code = errors.UnknownTopicOrPartitionError.errno
            return {"name": name, "error_code": code, "partitions": []}
        each = self.topics[name]
        partitions = [
            {"partition_index": index, "replica_nodes": list(range(each["replicas"]))}
            for index in range(each["partitions"])
        ]
        return {"name": name, "error_code": self.codes.get(name, 0), "partitions": partitions}

    def describe_configs(self, resources, config_filter="modified"):
        assert config_filter == "all"
        new_configs: dict[str, dict] = {}
        for resource in resources:
            kind = resource.resource_type.name.lower()
            self.asked.append(f"{kind} {resource.name}")
            if resource.name in self.unreadable:
                values = {}
            elif kind == "broker":
                values = {} if self.check_ms is None else {CHECK_INTERVAL: self.check_ms}
            else:
                values = {"preallocate": "false", **self.topics[resource.name]["configs"]}
            rows = {key: {"value": value} for key, value in values.items()}
            new_configs.setdefault(kind, {})[resource.name] = rows
        return new_configs

    def describe_cluster(self):
        return {"brokers": self.brokers}

    def create_topics(self, new):
        for name, what in new.items():
            self.calls.append(f"create {name}")
            if what["replication_factor"] > len(self.brokers):
                raise errors.InvalidReplicationFactorError("Request CreateTopics failed ...")
            self.topics[name] = {
                "partitions": what["num_partitions"],
                "replicas": what["replication_factor"],
                "configs": dict(what["configs"]),
            }

    def create_partitions(self, wanted):
        for name, count in wanted.items():
            self.calls.append(f"partitions {name} {count}")
            self.topics[name]["partitions"] = count

    def alter_configs(self, resources):
        (resource,) = resources
        self.calls.append(f"alter {resource.name} {sorted(resource.configs)}")
        if isinstance(self.refuse, str):
            return {"topic": {resource.name: self.refuse}}
        self.topics[resource.name]["configs"] |= resource.configs
        return {"topic": {resource.name: "OK"}}

    def close(self):
        self.closed = True


@pytest.fixture
def admin():
    return FakeAdmin()


@pytest.fixture
def topics(admin):
    return KafkaTopics(admin, pause=lambda _: None)


@pytest.fixture
def wanted(topics):
    made = plan_topics(replication=1)
    topics.apply(made)
    return made


REASSIGN = (
    "tallies.v1: 2 replicas, must be 1; reassign its partitions with Kafka's own tool, or"
    " change topics.replication"
)


def lines(topics, wanted, **how):
    return [each.line for each in topics.find_differences(wanted, **{"transit": TRANSIT} | how)]


def test_applying_creates_every_topic_of_an_empty_cluster(admin, topics):
    wanted = plan_topics(replication=1)
    assert lines(topics, wanted) == [f"{topic.name}: missing" for topic in TOPICS]
    done = topics.apply(wanted)
    assert done[0] == "frames.v1: created, 12 partitions, 1 replicas"
    assert len(done) == len(TOPICS)
    assert lines(topics, wanted) == []
    assert admin.topics["frames.v1"]["configs"]["retention.ms"] == "30000"
    assert topics.apply(wanted) == []


def test_every_difference_has_one_line(admin, topics, wanted):
    del admin.topics["alerts.v1"]
    frames = admin.topics["frames.v1"]
    frames["partitions"] = 13
    frames["configs"]["segment.ms"] = "604800000"
    frames["configs"]["retention.ms"] = "604800000"
    admin.topics["verdicts.v1"]["partitions"] = 2
    admin.topics["tallies.v1"]["replicas"] = 2
    del admin.topics["control.v1"]["configs"]["cleanup.policy"]
    found = lines(topics, wanted)
    assert found == [
        "frames.v1: 13 partitions, must be 12; Kafka cannot remove partitions",
        "frames.v1: retention.ms is 604800000, must be 30000",
        "frames.v1: segment.ms is 604800000, must be 15000",
        found[3],
        "alerts.v1: missing",
        REASSIGN,
        "control.v1: cleanup.policy is not shown, must be compact",
        "verdicts.v1: 2 partitions, must be 3",
    ]
    assert found[3].startswith("frames.v1: a frame is gone after at most 1.20962e+06 s")
    assert not any("\n" in line for line in found)


def test_applying_repairs_only_the_repairable_differences(admin, topics, wanted):
    admin.topics["frames.v1"]["partitions"] = 13
    admin.topics["frames.v1"]["configs"]["segment.ms"] = "1"
    admin.topics["verdicts.v1"]["partitions"] = 2
    admin.topics["tallies.v1"]["replicas"] = 2
    admin.calls.clear()
    assert topics.apply(wanted) == [
        "frames.v1: segment.ms is now 15000",
        "verdicts.v1: now 3 partitions",
    ]
    assert admin.calls == ["alter frames.v1 ['segment.ms']", "partitions verdicts.v1 3"]
    assert [each.topic for each in topics.find_differences(wanted)] == ["frames.v1", "tallies.v1"]


def test_more_copies_in_sync_than_there_are_would_stop_every_producer(admin, topics, wanted):
    asked = plan_topics(replication=3)
    assert {each.setting for each in topics.find_differences(asked)} == {
        "replicas",
        "min.insync.replicas",
    }
    assert topics.apply(asked) == []
    assert admin.topics["alerts.v1"]["configs"]["min.insync.replicas"] == "1"


@pytest.mark.parametrize(
    ("check_ms", "how", "said"),
    [
        ("10000", {}, None),
        ("10001", {}, "frames.v1: a frame is gone after at most 60.001 s: retention 30 s"),
        ("300000", {"transit": timedelta(minutes=6)}, None),
        ("300000", {}, "+ check interval 300 s + delete delay 5 s; at most 60 s are promised: set"),
        (None, {}, "+ check interval 300 s (Kafka's default: the brokers do not show theirs) +"),
        (None, {}, "are promised: grant this user DescribeConfigs on the cluster, set log"),
        (None, {"transit": timedelta(minutes=6)}, None),
        ("300000", {"transit": None}, None),
    ],
)
def test_the_transit_bound_of_frames_is_added_up(admin, topics, wanted, check_ms, how, said):
    admin.check_ms = check_ms
    found = lines(topics, wanted, **how)
    assert len(found) == (said is not None)
    assert all(said in line for line in found)


def test_a_service_checks_its_own_topics_but_not_the_brokers(admin, topics, wanted):
    admin.hidden = {"frames.v1"}
    admin.asked.clear()
    mine = [each for each in wanted if each.name in ("sightings.v1", "control.v1")]
    assert topics.find_differences(mine) == []
    assert admin.asked == ["topic sightings.v1", "topic control.v1"]


def test_a_topic_that_a_user_may_not_see_is_not_called_missing(admin, topics, wanted):
    admin.hidden, admin.unreadable = {"frames.v1"}, {"alerts.v1"}
    del admin.topics["control.v1"]
    more = "Kafka does not show this topic: grant this user Describe and DescribeConfigs on it"
    assert lines(topics, wanted) == [
        f"frames.v1: {more}",
        f"alerts.v1: {more}",
        "control.v1: missing",
    ]
    admin.calls.clear()
    topics.apply(wanted)
    assert admin.calls == ["create control.v1"]


def test_a_topic_that_kafka_cannot_describe_now_is_a_sentence(admin, topics, wanted):
    admin.codes = {"frames.v1": errors.LeaderNotAvailableError.errno}
    with pytest.raises(Unavailable, match="cannot describe its topics: LeaderNotAvailable"):
        topics.find_differences(wanted)


def test_the_transit_bound_is_printed_before_and_after(admin, topics):
    wanted = plan_topics(replication=1)
    new_configs = (
        "a frame is gone after at most 60 s: retention 30 s + segment roll 15 s + check interval"
        " 10 s + delete delay 5 s"
    )
    assert str(topics.read_transit_bound(wanted)) == new_configs
    topics.apply(wanted)
    assert str(topics.read_transit_bound(wanted)) == new_configs
    admin.topics["frames.v1"]["configs"]["retention.ms"] = "60000"
    assert topics.read_transit_bound(wanted).total == timedelta(seconds=90)


def test_too_few_brokers_for_the_replicas(topics):
    with pytest.raises(Misconfigured, match="too few brokers for 2 replicas: add brokers, or"):
        topics.apply(plan_topics(replication=3))


@pytest.mark.parametrize(
    ("error", "kind", "sentence"),
    [
        (errors.KafkaTimeoutError("x"), Unavailable, "does not answer"),
        (errors.KafkaConnectionError("x"), Unavailable, "cannot describe its topics: Kafka"),
        (OSError(5, "x"), Unavailable, "cannot describe its topics: OSError"),
        (errors.ClusterAuthorizationFailedError("x"), Misconfigured, "its rights"),
        (errors.InvalidTopicError("x"), Misconfigured, "cannot describe its topics: InvalidTopic"),
    ],
)
def test_errors_of_kafka_are_reported_with_advice(admin, topics, error, kind, sentence):
    admin.refuse = error
    with pytest.raises(kind, match=sentence):
        topics.find_differences(plan_topics())


def test_settings_that_kafka_refuses(admin, topics, wanted):
    admin.topics["alerts.v1"]["configs"]["retention.ms"] = "1"
    admin.refuse = "PolicyViolationError: too long"
    with pytest.raises(Misconfigured, match=r"settings of alerts.v1: PolicyViolationError: too"):
        topics.apply(wanted)


def test_replicas_follow_the_installation():
    three, one = plan_topics(replication=3), plan_topics(replication=1)
    assert {topic.configs["min.insync.replicas"] for topic in one} == {"1"}
    assert {topic.replicas for topic in one} == {1}
    assert [topic.replicas for topic in three] == [2, 3, 3, 3, 3, 3, 3]
    assert [topic.configs["min.insync.replicas"] for topic in three] == ["1"] + ["2"] * 6
    assert plan_topics(partitions={"frames.v1": 96})[0].partitions == 96


@pytest.mark.parametrize(
    ("partitions", "sentence"),
    [
        ({"frames": 3}, "names the unknown topic frames; the topics are frames.v1, sightings.v1"),
        ({"frames.v1": 0}, "has 0 for frames.v1, but it must be at least 1"),
        ({"control.v1": 2}, "has 2 for control.v1, but it must be 1, since the order counts"),
    ],
)
def test_numbers_that_cannot_be(partitions, sentence):
    with pytest.raises(Misconfigured, match=sentence):
        plan_topics(partitions=partitions)


def test_the_topics_match_the_promises_of_the_design():
    assert len({topic.name for topic in TOPICS}) == len(TOPICS)
    assert {topic.configs["message.timestamp.type"] for topic in TOPICS} == {"LogAppendTime"}
    compacted = [each.name for each in TOPICS if each.configs["cleanup.policy"] == "compact"]
    assert compacted == ["control.v1"]
    assert dataclasses.replace(FRAMES, partitions=1) != FRAMES
    assert int(ALERTS.configs["retention.ms"]) > int(FRAMES.configs["retention.ms"])
