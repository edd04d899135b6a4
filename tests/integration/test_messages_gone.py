"""Messages that retention deletes unread: no lag and no stall, and the group is past them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.structs import OffsetAndMetadata

from awaiting import PATIENCE_S, await_that

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.service, pytest.mark.timeout(150)]

# An idle worker, which prints its lag whenever it changes, and each received message.
WORKER = """
import asyncio, sys
from openlfr.adapters.faust import agents as faust_agents
from openlfr.adapters.faust import app as faust_app
from openlfr.adapters.faust import worker as faust_worker
from openlfr.adapters.faust import lag_watch
from openlfr.adapters.faust import progress
from openlfr.adapters.kafka.access import KafkaAccess
lag_watch.INTERVAL_S = faust_app.OFFSET_CHECK_S = 0.5
progress.STUCK_S = 3.0
broker, topic, beginning = sys.argv[1:]
app, state = faust_app.make_app(
    group=topic, instance="", brokers=KafkaAccess((broker,)), from_beginning=beginning == "True",
    max_bytes=1 << 20,
)

async def take(stream):
    async for messages in faust_agents.read_batches(stream, 16, 0.05):
        for each in messages:
            print("given", each.offset, flush=True)
            await stream.ack(each.event)

async def watch():
    said = ""
    while True:
        await asyncio.sleep(0.2)
        known = not state.unpositioned() and bool(state.partitions)
        now = f"lag {state.lag} gone {state.counts['gone']} {state.liveness_problem()}".strip()
        if known and now != said:
            print(now, flush=True)
            said = now

app.agent(faust_app.raw_topic(app, topic), concurrency=1, name="test")(take)
app.task(watch)
faust_worker.run_worker(app, state)
"""


def deleted(broker: str, topic: str, before: int) -> None:
    """Make a topic of ten messages of which a group has read two, and truncate the log."""
    admin = KafkaAdminClient(bootstrap_servers=broker)
    admin.create_topics([NewTopic(topic, 1, 1)])
    with KafkaProducer(bootstrap_servers=broker) as producer:
        for number in range(10):
            producer.send(topic, str(number).encode()).get(PATIENCE_S)
    partition = TopicPartition(topic, 0)
    consumer = KafkaConsumer(bootstrap_servers=broker, group_id=topic, enable_auto_commit=False)
    consumer.assign([partition])
    consumer.commit({partition: OffsetAndMetadata(2, "", -1)})
    consumer.close()
    admin.delete_records({partition: before})
    admin.close()


def committed(broker: str, topic: str) -> int | None:
    consumer = KafkaConsumer(bootstrap_servers=broker, group_id=topic, enable_auto_commit=False)
    try:
        found: int | None = consumer.committed(TopicPartition(topic, 0))
        return found
    finally:
        consumer.close()


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    workers: list[subprocess.Popen[str]] = []
    yield workers
    for each in workers:
        each.kill()
        each.communicate()


@pytest.mark.parametrize("beginning", [True, False], ids=["every message", "newest wins"])
@pytest.mark.parametrize("before", [10, 8], ids=["all gone", "two left"])
def test_messages_deleted_unread_are_not_counted_as_waiting(
    kafka_broker: str, started: list[subprocess.Popen[str]], beginning: bool, before: int
) -> None:
    topic = f"gone-{beginning}-{before}"
    deleted(kafka_broker, topic, before)
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, kafka_broker, topic, str(beginning)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    started.append(worker)
    said: list[str] = []
    read_until(said, worker, f"lag 0 gone {before - 2}")
    await_that("commit", lambda: committed(kafka_broker, topic) == 10)
    # The worker continues with the next message.
    with KafkaProducer(bootstrap_servers=kafka_broker) as producer:
        producer.send(topic, b"next").get(PATIENCE_S)
    given = [f"given {offset}" for offset in range(before, 11)]
    read_until(said, worker, *(given if beginning else given[-1:]))
    await_that("commit", lambda: committed(kafka_broker, topic) == 11)
    worker.kill()
    assert worker.stdout is not None
    assert "wait" not in worker.stdout.read()


def read_until(said: list[str], worker: subprocess.Popen[str], *wanted: str) -> None:
    """Read a worker's output until all required lines have come; no line may report a stall."""
    assert worker.stdout is not None
    while missing := set(wanted) - set(said):
        line = worker.stdout.readline()
        assert line, f"the worker ended without {missing}"
        assert "wait" not in line, line
        said.append(line.rstrip("\n"))
