"""A broker is killed and restarted: its clients continue, and nothing is lost."""

from __future__ import annotations

import gc
import logging
import subprocess
import sys
import threading
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import NewTopic

from awaiting import PATIENCE_S, await_that
from openlfr.adapters.kafka.access import KafkaAccess
from openlfr.adapters.kafka.admin import open_topics
from openlfr.adapters.kafka.control import ControlWriter
from openlfr.adapters.kafka.control_followers import WatchlistFollower
from openlfr.adapters.kafka.control_reader import ControlReader
from openlfr.adapters.kafka.producer import RecordSender
from openlfr.adapters.kafka.topics import CONTROL
from openlfr.domain.control import Heartbeat
from openlfr.domain.errors import Unavailable
from openlfr.wire.codec import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# kafka-python leaves the sockets of connections that were refused to the garbage collector.
pytestmark = [
    pytest.mark.service,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore:.*<socket.socket:pytest.PytestUnraisableExceptionWarning"),
]

KEY = bytes(32)
LIVE, LOSSLESS = timedelta(seconds=2), timedelta(seconds=PATIENCE_S)
UNAVAILABLE = 3  # exit code of a worker that gave up and is to be restarted
ROOM = 8

# Copies one topic's messages to another, as the services do.
COPIER = """
import sys
from openlfr.adapters.faust import agents as faust_agents
from openlfr.adapters.faust import app as faust_app
from openlfr.adapters.faust import worker as faust_worker
from openlfr.adapters.kafka.control_followers import WatchlistFollower
from openlfr.adapters.kafka.access import KafkaAccess
from openlfr.adapters.telemetry.metrics import Metrics
from openlfr.wire.codec import Record
metrics = Metrics("copier")
app, progress = faust_app.make_app(
    group="copier", instance="copier-0", brokers=KafkaAccess((sys.argv[1],)), from_beginning=True,
    max_bytes=1 << 20,
)

async def take(stream):
    async for messages in faust_agents.read_batches(stream, 16, 0.05):
        async def copy():
            records = [("copies", Record(b"", each.value, [])) for each in messages]
            await faust_app.publish(app, records)
            faust_agents.record_done(progress, messages, metrics)
            for each in messages:
                await stream.ack(each.event)
        await faust_agents.run_or_exit(progress, copy)

app.agent(faust_app.raw_topic(app, "lossless"), concurrency=1, name="copier")(take)
faust_worker.run_worker(app, progress)
"""


@pytest.fixture(autouse=True)
def collect(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Collect those sockets in these tests; a log record would retain them."""
    caplog.set_level(logging.CRITICAL, "kafka")
    yield
    gc.collect()


class Repeating:
    """Repeats a call in a thread, also after errors."""

    def __init__(self, what: Callable[[int], object], every_s: float) -> None:
        self._what, self._every_s = what, every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.done, self.error = 0, ""
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        number = 0
        while not self._stop.wait(self._every_s):
            number += 1
            try:
                self._what(number)
                self.done += 1
            except Unavailable as error:
                self.error = str(error)


class Sending:
    """A sender of numbered records, which collects the result of each."""

    def __init__(self, broker: str, topic: str, delivery: timedelta, *, wait: bool) -> None:
        self.topic, self._wait = topic, wait
        self._sender = RecordSender(
            KafkaAccess((broker,)),
            topic,
            max_in_flight=ROOM,
            delivery_timeout=delivery,
            max_bytes=1 << 20,
        )
        self._never = threading.Event()
        self.arrived: list[int] = []
        self.failed: list[int] = []
        self.dropped: list[int] = []
        self._repeating = Repeating(self._send, 0.05)

    def _send(self, number: int) -> None:
        def became(arrived: bool) -> None:
            (self.arrived if arrived else self.failed).append(number)

        record = Record(b"gate", str(number).encode(), [])
        if not self._sender.send(record, wait=self._wait, stop=self._never, on_done=became):
            self.dropped.append(number)

    def finish(self) -> None:
        """Stop sending, and wait for the result of every record."""
        self._repeating.close()
        self._sender.flush(timedelta(seconds=PATIENCE_S))

    def close(self) -> None:
        self._repeating.close()
        self._sender.close()


class Copier:
    """A worker that is restarted whenever it gives up."""

    def __init__(self, broker: str, output: Path) -> None:
        self._broker, self._output = broker, output
        self.given_up = 0
        self._start()

    def look_after(self) -> None:
        code = self._process.poll()
        if code is not None:
            assert code == UNAVAILABLE, self._output.read_text()
            self.given_up += 1
            self._start()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _start(self) -> None:
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-c", COPIER, self._broker], stdout=output, stderr=output
            )


def make_topics(broker: str) -> None:
    topics = open_topics(KafkaAccess((broker,)), timeout=timedelta(seconds=PATIENCE_S))
    one_copy = dict(CONTROL.configs) | {"min.insync.replicas": "1"}
    topics.apply([replace(CONTROL, replicas=1, configs=one_copy)])
    topics.close()
    admin = KafkaAdminClient(bootstrap_servers=broker)
    admin.create_topics([NewTopic(name, 1, 1) for name in ("live", "lossless", "copies")])
    admin.close()


def numbers_on(broker: str, topic: str) -> list[int]:
    """Return the numbers on a topic in order."""
    partition, found = TopicPartition(topic, 0), []
    with closing(KafkaConsumer(bootstrap_servers=broker, group_id=None)) as consumer:
        consumer.assign([partition])
        consumer.seek(partition, 0)
        end = consumer.end_offsets([partition])[partition]
        while consumer.position(partition) < end:
            for record in consumer.poll(timeout_ms=1000).get(partition, ()):
                found.append(int(record.value))
    return found


def once(numbers: list[int]) -> list[int]:
    """Return the numbers without repetitions, as every reader of the topics handles them."""
    return list(dict.fromkeys(numbers))


def test_processing_continues_when_the_broker_is_back(own_servers: Any, tmp_path: Path) -> None:
    broker = own_servers.url("kafka").removeprefix("kafka://")
    make_topics(broker)
    access = KafkaAccess((broker,))
    with ExitStack() as closing_all:

        def keep(opened: Any) -> Any:
            return closing_all.enter_context(closing(opened))

        copier = keep(Copier(broker, tmp_path / "copier.txt"))

        def wait_for(what: str, condition: Callable[[], bool]) -> None:
            def holds() -> bool:
                copier.look_after()
                return condition()

            await_that(what, holds, seen=(tmp_path / "copier.txt").read_text)

        def more_of(counted: Callable[[], int]) -> Callable[[], bool]:
            before = counted()
            return lambda: counted() > before + ROOM

        live = keep(Sending(broker, "live", LIVE, wait=False))
        lossless = keep(Sending(broker, "lossless", LOSSLESS, wait=True))
        writer = keep(ControlWriter(access, patience=LIVE, key=KEY))
        beating = keep(
            Repeating(lambda _: bool(writer.write([Heartbeat(datetime.now(UTC), 1)])), 0.1)
        )
        reader = ControlReader(
            access, key=KEY, silence=timedelta(seconds=PATIENCE_S),
            followers=[WatchlistFollower(lambda: ["default"], lambda _: None)],
        )  # fmt: skip
        keep(reader)
        reader.start()
        reader.wait_until_ready(timedelta(seconds=PATIENCE_S))
        wait_for("copies", lambda: len(numbers_on(broker, "copies")) > ROOM)
        wait_for("live records", more_of(lambda: len(live.arrived)))

        start_again = own_servers.kill("kafka")
        wait_for("a failed write", lambda: bool(beating.error))
        wait_for("failed records", lambda: bool(live.failed and live.dropped))
        start_again()

        wait_for("written heartbeats", more_of(lambda: beating.done))
        wait_for("heartbeats read", more_of(lambda: reader.counts["heartbeats"]))
        wait_for("live records", more_of(lambda: len(live.arrived)))
        wait_for("lossless records", more_of(lambda: len(lossless.arrived)))
        reader.check()
        live.finish()
        lossless.finish()
        wait_for("copies", lambda: set(lossless.arrived) <= set(numbers_on(broker, "copies")))

        assert not lossless.failed
        assert not lossless.dropped
        assert once(numbers_on(broker, "lossless")) == sorted(lossless.arrived)
        there = once(numbers_on(broker, "live"))
        assert there == sorted(there)
        assert set(live.arrived) <= set(there)
        assert not set(there) & set(live.dropped)
