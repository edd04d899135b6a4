"""verdicts.v1 on a real broker: in order for each alert, and unchanged."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from kafka import KafkaConsumer, TopicPartition

from awaiting import PATIENCE_S
from openlfr.adapters.kafka.access import KafkaAccess
from openlfr.adapters.kafka.admin import open_topics
from openlfr.adapters.kafka.topics import VERDICTS
from openlfr.adapters.kafka.verdicts import VerdictWriter
from openlfr.domain.adjudication import VerdictKind
from openlfr.domain.alerts import Adjudication
from openlfr.domain.verdicts import VerdictEvent
from openlfr.wire import codec

pytestmark = [pytest.mark.service, pytest.mark.timeout(600)]

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
PATIENCE = timedelta(seconds=PATIENCE_S)  # not a requirement: a busy machine may take that long


def test_verdicts_arrive_in_order_for_each_alert(kafka_broker):
    access = KafkaAccess((kafka_broker,))
    with closing(open_topics(access, timeout=PATIENCE)) as topics:
        one_copy = dict(VERDICTS.configs) | {"min.insync.replicas": "1"}
        topics.apply([replace(VERDICTS, replicas=1, configs=one_copy)])
    engaged = VerdictEvent(
        "", "Market", "", "Ann", NOW, Adjudication.ENGAGE, kind=VerdictKind.FIRST, final_at=NOW
    )
    events = [replace(engaged, verdict_id=f"v{n}", alert_id=f"a{n % 7}") for n in range(70)]
    with closing(VerdictWriter(access, patience=PATIENCE)) as writer:
        writer.write(events)
        writer.write([])
    with closing(KafkaConsumer(bootstrap_servers=[kafka_broker])) as consumer:
        partitions = [TopicPartition(VERDICTS.name, n) for n in range(VERDICTS.partitions)]
        consumer.assign(partitions)
        consumer.seek_to_beginning()
        read = []
        while len(read) < len(events):
            for records in consumer.poll(timeout_ms=1000).values():
                read += [codec.decode_verdict(record.value) for record in records]
    for alert in {event.alert_id for event in events}:
        assert [e for e in read if e.alert_id == alert] == [
            e for e in events if e.alert_id == alert
        ]
