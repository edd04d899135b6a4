"""kafka.yaml and kafka-users.yaml: a cluster by Strimzi, where analysis alone reads frames."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from openlfr.adapters.kafka import rights as kafka_rights
from openlfr.adapters.kafka.topics import (
    CHECK_INTERVAL,
    CHECK_INTERVAL_DEFAULT,
    FRAMES,
    TOPICS,
    TRANSIT,
    compute_transit_bound,
)

pytestmark = pytest.mark.service


def rights(user: dict[str, Any]) -> dict[str, set[str]]:
    """Resource -> operations; the cluster has no name."""
    found: dict[str, set[str]] = {}
    for acl in user["spec"]["authorization"]["acls"]:
        found.setdefault(acl["resource"].get("name", ""), set()).update(acl["operations"])
    return found


def test_brokers_by_address_make_no_cluster(chart: Any):
    for kind in ("Kafka", "KafkaNodePool", "KafkaUser"):
        assert chart.names(kind) == set()


def test_analysis_alone_reads_frames(chart: Any):
    names = chart.names("KafkaUser", values="small")
    assert names == {"ingest", "analysis", "alerting", "operator", "topics", "scaler"}
    readers = {
        name
        for name in names
        if "Read" in rights(chart.get("KafkaUser", name, values="small")).get("frames.v1", set())
    }
    assert readers == {"analysis"}


def test_rights_are_those_that_the_command_prints(chart: Any):
    """And a service looks at the topics of this table when it starts, at no others."""
    for name, wanted in kafka_rights.rights_by_user().items():
        given = chart.get("KafkaUser", name, values="small")["spec"]["authorization"]["acls"]
        found: dict[tuple[str, str], set[str]] = {}
        for acl in given:
            resource = acl["resource"]
            assert resource.get("patternType", "literal") == "literal"
            key = resource["type"], resource.get("name", "")
            found.setdefault(key, set()).update(acl["operations"])
        assert found == {(each.kind, each.name): set(each.operations) for each in wanted}, name


def test_rights_are_those_of_the_table_of_topics(chart: Any):
    services = ("ingest", "analysis", "alerting")
    users = {name: rights(chart.get("KafkaUser", name, values="small")) for name in services}
    for topic in TOPICS:
        for right, said in (("Write", topic.writers), ("Read", topic.readers)):
            may = {name for name in services if right in users[name].get(topic.name, set())}
            named = {name for name in services if name in said and "once there is" not in said}
            # Alerting's second agent brings alerts into SQL.
            own = {"alerting"} if (right, topic.name) == ("Read", "alerts.v1") else set()
            assert may == named | own, (right, topic.name)


def test_who_reads_a_group_may_use_it(chart: Any):
    analysis = rights(chart.get("KafkaUser", "analysis", values="small"))
    assert "Read" in analysis["openlfr-analysis"]
    assert analysis["sightings.v1"] == {"Write", "Describe", "DescribeConfigs"}
    assert "alerts.v1" not in analysis


def test_keda_sees_how_far_groups_are_and_reads_nothing(chart: Any):
    scaler = rights(chart.get("KafkaUser", "scaler", values="small"))
    assert {op for ops in scaler.values() for op in ops} == {"Describe"}
    assert {"openlfr-analysis", "openlfr-alerting", "frames.v1"} <= set(scaler)


def test_an_operator_sees_topics_as_they_are_and_reads_nothing(chart: Any):
    operator = rights(chart.get("KafkaUser", "operator", values="small"))
    look = {topic.name: {"Describe", "DescribeConfigs"} for topic in TOPICS}
    assert operator == look | {"": {"DescribeConfigs"}}


def test_the_listener_is_encrypted_and_asks_who_it_is(chart: Any):
    (listener,) = chart.get("Kafka", "kafka", values="small")["spec"]["kafka"]["listeners"]
    assert listener["tls"] is True
    assert listener["authentication"] == {"type": "tls"}
    assert len(listener["networkPolicyPeers"]) == 2


def test_a_frame_is_gone_when_it_should_be(chart: Any):
    """The brokers' own default of five minutes would decide how long a frame lives."""
    config = chart.get("Kafka", "kafka", values="small")["spec"]["kafka"]["config"]
    assert config["log.retention.check.interval.ms"] == 10000
    assert config["auto.create.topics.enable"] is False
    check = timedelta(milliseconds=config["log.retention.check.interval.ms"])
    assert compute_transit_bound(FRAMES.configs, check).total <= TRANSIT


def test_values_for_brokers_of_ones_own_say_how_long_a_frame_may_exist(chart: Any):
    """By Kafka's default in minimal; in a city by brokers that were set to look more often."""

    def promised(values: str) -> timedelta:
        said = chart.environment(chart.get("StatefulSet", "analysis", values=values))
        seconds = json.loads(said["OPENLFR_TOPICS"])["frames_transit"].removesuffix("s")
        return timedelta(seconds=int(seconds))

    assert compute_transit_bound(FRAMES.configs, CHECK_INTERVAL_DEFAULT).total == promised(
        "minimal"
    )
    assert compute_transit_bound(FRAMES.configs, timedelta(milliseconds=10000)).total == promised(
        "city"
    )
    for values in ("minimal", "city"):
        text = " ".join(chart.values[values].read_text().split())
        assert CHECK_INTERVAL in text
        assert "300000" in text
        assert "350s" in text


@pytest.mark.parametrize(("brokers", "copies", "insync"), [(3, 3, 2), (6, 3, 2), (2, 2, 1)])
def test_copies_fit_the_brokers(chart: Any, brokers: int, copies: int, insync: int):
    sets = (f"kafka.strimzi.brokers={brokers}", f"topics.replication={copies}")
    config = chart.get("Kafka", "kafka", *sets, values="small")["spec"]["kafka"]["config"]
    assert config["offsets.topic.replication.factor"] == copies
    assert config["transaction.state.log.min.isr"] == insync


def test_controllers_by_themselves(chart: Any):
    sets = ("kafka.strimzi.controllers=3",)
    pools = {
        name: chart.get("KafkaNodePool", name, *sets, values="small")["spec"]
        for name in chart.names("KafkaNodePool", *sets, values="small")
    }
    assert pools["kafka-controllers"]["roles"] == ["controller"]
    assert pools["kafka-controllers"]["replicas"] == 3
    assert pools["kafka-brokers"]["roles"] == ["broker"]


def test_services_come_with_the_certificates_that_strimzi_makes(chart: Any):
    analysis = chart.get("StatefulSet", "analysis", values="small")
    found = chart.secrets(analysis)
    assert found["openlfr-analysis"] == {"kafka/user.crt", "kafka/user.key"}
    assert found["openlfr-kafka-cluster-ca-cert"] == {"kafka/ca.crt"}
    assert chart.environment(analysis)["OPENLFR_KAFKA_AUTH"] == "tls"
    users = chart.names("KafkaUser", values="small")
    assert "analysis" in users


def test_an_uninstall_keeps_what_people_wait_for(chart: Any):
    keep = {"helm.sh/resource-policy": "keep"}
    assert chart.get("Kafka", "kafka", values="small")["metadata"]["annotations"] == keep
    evidence = chart.get("PersistentVolumeClaim", "evidence", values="small")
    assert evidence["metadata"]["annotations"] == keep
