"""Builds the parts of the alerting service, and runs its three loops.

One loop folds sightings, one records alerts, and one records tallies.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

from openlfr import bootstrap
from openlfr.adapters.faust import agents as faust_agents
from openlfr.adapters.faust import app as faust_app
from openlfr.adapters.faust import worker as faust_worker
from openlfr.adapters.kafka.control import ControlWriter
from openlfr.adapters.kafka.rights import USES
from openlfr.adapters.kafka.topics import ALERTS, CONTROL, SIGHTINGS, TALLIES
from openlfr.adapters.kafka.verdicts import VerdictWriter
from openlfr.adapters.telemetry.metrics import Metrics
from openlfr.operations.purge import erase_due
from openlfr.settings import require_authorisation
from openlfr.wire import seal
from openlfr_alerting import metrics as service_metrics
from openlfr_alerting.deployment_cache import DeploymentCache
from openlfr_alerting.folding import SightingProcessor
from openlfr_alerting.leader_jobs import LeaderJobs
from openlfr_alerting.publishing import VerdictPublisher
from openlfr_alerting.recording import DatabaseWriter
from openlfr_alerting.relaying import LEADER_TTL, WRITE_TIMEOUT, ControlRelay

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from openlfr.adapters.faust.agents import Message
    from openlfr.adapters.faust.progress import Progress
    from openlfr.adapters.sql.records import Records
    from openlfr.domain.deployment import Deployment
    from openlfr.operations.purge import DueErasures
    from openlfr.ports import AlertBook, Vault
    from openlfr.settings import Settings
    from openlfr.settings.process import Process
    from openlfr.wire.codec import Record

    BatchProcessor = Callable[[Sequence[Message]], list[tuple[str, Record]]]

BATCH_SIZE, GATHER_S = 16, 0.002


def run(settings: Settings, process: Process) -> NoReturn:
    """Run the service until the process is stopped.

    Raises:
        Misconfigured: The authorisation, Redis, Milvus or Kafka is missing, or a topic is wrong.
        Unavailable: A required service does not answer at the start. If a service fails later, the
            process ends with exit code 3.
    """
    deployment = require_authorisation(settings)
    brokers = bootstrap.require_kafka(settings)
    bootstrap.require_redis(settings)
    bootstrap.require_milvus(settings)
    bootstrap.require_topics(settings, USES["alerting"].topics)
    with ExitStack() as closing:
        book = bootstrap.open_alert_book(settings)
        closing.callback(book.close)
        vault = bootstrap.open_vault(settings)
        records = bootstrap.open_records(settings)
        closing.callback(records.close)
        # One election for each control.v1, even if deployments share the Redis.
        election = bootstrap.open_leader_election(
            settings, f"relay to {','.join(sorted(brokers.brokers))}", ttl=LEADER_TTL
        )
        closing.callback(election.close)
        writer = ControlWriter(
            brokers, patience=WRITE_TIMEOUT, key=vault.derive(seal.purpose_of(CONTROL.name))
        )
        closing.callback(writer.close)
        relay = ControlRelay(records.control, writer, election)
        verdicts = VerdictWriter(brokers, patience=WRITE_TIMEOUT)
        closing.callback(verdicts.close)
        publisher = VerdictPublisher(records.verdict_outbox, verdicts)
        jobs = LeaderJobs(
            relay,
            records,
            vault,
            lambda facts: bootstrap.open_templates(settings, facts),
            lambda: _erase(settings, deployment, records, vault, book),
            publish=publisher.publish_next,
            on_failure=faust_worker.exit_on_error,
        )
        closing.callback(relay.resign)
        closing.callback(jobs.close)
        jobs.start()
        metrics = Metrics("alerting")
        app, progress = faust_app.make_app(
            group=process.group,
            instance=process.instance,
            brokers=brokers,
            from_beginning=True,  # sightings older than the first worker are folded, too
            max_bytes=int(SIGHTINGS.configs["max.message.bytes"]),
            http=process.http,
            metrics=metrics,
            session_s=process.session_s,
        )
        processor = SightingProcessor(
            book,
            vault,
            deployments=DeploymentCache(records.deployments, deployment).get,
            window=settings.alerting.window,
            movement=settings.movement,
            directory=records.alerts,
        )
        database_writer = DatabaseWriter(
            records,
            bootstrap.derive_tally_keys(vault),
            alert_key=vault.derive(seal.purpose_of(ALERTS.name)),
            window=settings.alerting.window,
        )
        service_metrics.register(metrics, processor.counts, database_writer.counts, relay, jobs)
        service_metrics.register_verdicts(metrics, publisher.counts)
        for topic, process_batch in (
            (SIGHTINGS, metrics.timed("fold", processor.fold)),
            (ALERTS, metrics.timed("record_alerts", database_writer.record_alerts)),
            (TALLIES, metrics.timed("record_tallies", database_writer.record_tallies)),
        ):
            agent = app.agent(faust_app.raw_topic(app, topic.name), concurrency=1, name=topic.name)
            agent(_make_agent(app, progress, process_batch, metrics))
        faust_worker.run_worker(app, progress, process.worker_file(settings.data_dir))


def _erase(
    settings: Settings, deployment: Deployment, records: Records, vault: Vault, book: AlertBook
) -> DueErasures:
    """Erase data that is due; the next synchronisation erases templates of expired entries."""
    due = erase_due(
        records=records,
        vault=vault,
        book=book,
        retention=settings.alerting.retention,
        now=datetime.now(UTC),
        deployments=[deployment.deployment_id],
    )
    if due:
        records.erase_for_good()
    return due


def _make_agent(
    app: Any, progress: Progress, process_batch: BatchProcessor, metrics: Metrics
) -> Callable[[Any], Any]:
    """Return an agent that processes batches in order, in a thread of its own."""
    worker = ThreadPoolExecutor(1)

    async def run_agent(stream: Any) -> None:
        loop = asyncio.get_running_loop()
        async for messages in faust_agents.read_batches(stream, BATCH_SIZE, GATHER_S):

            async def run_batch(messages: Sequence[Message] = messages) -> None:
                records = await loop.run_in_executor(worker, process_batch, messages)
                await faust_app.publish(app, records)
                faust_agents.record_done(progress, messages, metrics)
                for message in messages:
                    await stream.ack(message.event)

            await faust_agents.run_or_exit(progress, run_batch)

    return run_agent
