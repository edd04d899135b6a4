"""The health page reports a consumer that no longer reads but still sends heartbeats."""

from __future__ import annotations

import subprocess
import sys

import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic

from awaiting import PATIENCE_S

pytestmark = [pytest.mark.service, pytest.mark.timeout(300)]

# Processes its first message, then stops reading; prints the problem on its health page.
WORKER = """
import asyncio, sys
from openlfr.adapters.faust import agents as faust_agents
from openlfr.adapters.faust import app as faust_app
from openlfr.adapters.faust import worker as faust_worker
from openlfr.adapters.faust import lag_watch
from openlfr.adapters.faust import progress
from openlfr.adapters.kafka.access import KafkaAccess
lag_watch.INTERVAL_S = 0.5
progress.STUCK_S = 3.0
app, state = faust_app.make_app(
    group=sys.argv[2], instance="", brokers=KafkaAccess((sys.argv[1],)), from_beginning=True,
    max_bytes=1 << 20,
)

async def take(stream):
    async for messages in faust_agents.read_batches(stream, 16, 0.05):
        for each in messages:
            await stream.ack(each.event)
        app.consumer.stop_flow()
        print("stopped", flush=True)

async def watch():
    while True:
        await asyncio.sleep(0.2)
        if state.lag == 2 and state.liveness_problem():
            print(f"stalled with a lag of {state.lag}: {state.liveness_problem()}", flush=True)
            return

app.agent(faust_app.raw_topic(app, sys.argv[2]), concurrency=1, name="test")(take)
app.task(watch)
faust_worker.run_worker(app, state)
"""


def test_a_worker_is_not_alive_when_its_stopped_consumer_leaves_messages(kafka_broker):
    topic = "quiet-death"
    admin = KafkaAdminClient(bootstrap_servers=kafka_broker)
    admin.create_topics([NewTopic(topic, 1, 1)])
    admin.close()
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, kafka_broker, topic], stdout=subprocess.PIPE, text=True
    )
    try:
        with KafkaProducer(bootstrap_servers=kafka_broker) as producer:
            producer.send(topic, b"first").get(PATIENCE_S)
            assert worker.stdout is not None
            while "stopped" not in (line := worker.stdout.readline()):
                assert line, "the worker ended"
            for _ in range(2):
                producer.send(topic, b"nobody reads it").get(PATIENCE_S)
            while "stalled" not in (line := worker.stdout.readline()):
                assert line, "the worker ended"
        assert line.startswith(
            "stalled with a lag of 2: 2 messages wait, and none was processed for"
        )
    finally:
        worker.kill()
        worker.communicate()
