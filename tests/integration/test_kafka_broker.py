"""The broker of `scripts/services` is Kafka itself, and accepts the project's topics."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic

from awaiting import PATIENCE_S
from openlfr.adapters.kafka.access import KafkaAccess
from openlfr.adapters.kafka.admin import open_topics
from openlfr.adapters.kafka.topics import plan_topics

pytestmark = [pytest.mark.service, pytest.mark.timeout(600)]


def test_a_message_is_received_as_it_was_sent(kafka_broker: str) -> None:
    topic = f"test-{uuid.uuid4()}"
    admin = KafkaAdminClient(bootstrap_servers=kafka_broker)
    admin.create_topics([NewTopic(topic, 1, 1)])
    admin.close()
    producer = KafkaProducer(bootstrap_servers=kafka_broker)
    content = bytes(range(256)) * 400  # as large as a frame
    producer.send(topic, key=b"gate", value=content, headers=[("schema", b"Frame")]).get(PATIENCE_S)
    producer.close()
    consumer = KafkaConsumer(
        topic, bootstrap_servers=kafka_broker, group_id=topic, auto_offset_reset="earliest",
        consumer_timeout_ms=PATIENCE_S * 1000,
    )  # fmt: skip
    record = next(consumer)
    consumer.close()
    assert (record.key, record.value) == (b"gate", content)
    assert list(record.headers) == [("schema", b"Frame")]


def test_topics_are_created_as_documented_and_frames_are_deleted_within_a_minute(
    kafka_broker: str,
) -> None:
    wanted = plan_topics(replication=1)
    topics = open_topics(KafkaAccess((kafka_broker,)), timeout=timedelta(seconds=PATIENCE_S))
    try:
        topics.apply(wanted)
        assert topics.find_differences(wanted) == []
        assert topics.read_transit_bound(wanted).total == timedelta(seconds=60)
    finally:
        topics.close()
