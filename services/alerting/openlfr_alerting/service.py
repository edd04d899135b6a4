"""Wires the alerting service and holds its two loops: one folds, one records."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NoReturn

from openlfr import bootstrap
from openlfr.adapters import faust_agents
from openlfr.adapters.kafka_topics import ALERTS, SIGHTINGS
from openlfr.settings import require_authorisation
from openlfr_alerting.folding import Folding
from openlfr_alerting.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from openlfr.adapters.faust_agents import Message
    from openlfr.settings import Settings
    from openlfr.settings.process import Process
    from openlfr.wire.codec import Record

    Work = Callable[[Message], tuple[str, Record] | None]

BATCH, WITHIN_S = 16, 0.05


def run(settings: Settings, process: Process) -> NoReturn:
    """Work until told to end.

    Raises:
        Misconfigured: No authorisation, no Redis or Kafka, a wrong topic.
        Unavailable: A needed service does not answer at the start; later the process ends with
            exit code 3.
    """
    deployment = require_authorisation(settings)
    brokers = bootstrap.kafka_brokers(settings)
    bootstrap.require_redis(settings)
    bootstrap.require_topics(settings)
    with ExitStack() as closing:
        book = bootstrap.open_alert_book(settings)
        closing.callback(book.close)
        vault = bootstrap.open_vault(settings)
        records = bootstrap.open_records(settings)
        closing.callback(records.close)
        app, progress = faust_agents.make_app(
            group=process.group,
            instance=process.instance,
            brokers=brokers,
            from_beginning=True,  # a sighting that came before the first worker is one too
            max_bytes=int(SIGHTINGS.configs["max.message.bytes"]),
            http=process.http,
        )
        folding = Folding(book, vault, deployment=deployment.name, window=settings.alerting.window)
        recording = Recording(records)
        for name, work in ((SIGHTINGS.name, folding.fold), (ALERTS.name, recording.record)):
            agent = app.agent(faust_agents.topic(app, name), concurrency=1, name=name)
            agent(_loop(app, progress, work))
        faust_agents.work(app, progress)


def _loop(app: Any, progress: faust_agents.Progress, work: Work) -> Callable[[Any], Any]:
    """An agent that works each message off in a thread of its own, in order."""
    worker = ThreadPoolExecutor(1)

    def carry_out(messages: Sequence[Message]) -> list[tuple[str, Record]]:
        return [record for message in messages if (record := work(message)) is not None]

    async def take(stream: Any) -> None:
        loop = asyncio.get_running_loop()
        async for messages in faust_agents.batches(stream, BATCH, WITHIN_S):

            async def batch(messages: Sequence[Message] = messages) -> None:
                records = await loop.run_in_executor(worker, carry_out, messages)
                await faust_agents.publish(app, records)
                for message in messages:
                    await stream.ack(message.event)

            await faust_agents.guarded(progress, batch)

    return take
