"""Builds the parts of the analysis service, and starts the worker."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn

import structlog

from openlfr import bootstrap
from openlfr.adapters.capture import is_live
from openlfr.adapters.faust import app as faust_app
from openlfr.adapters.faust import worker as faust_worker
from openlfr.adapters.kafka.control_followers import StateFollower, WatchlistFollower
from openlfr.adapters.kafka.control_reader import ControlReader
from openlfr.adapters.kafka.rights import USES
from openlfr.adapters.kafka.topics import CONTROL, FRAMES
from openlfr.adapters.models.onnx import ON_GPU, short_name
from openlfr.adapters.telemetry import control_metrics
from openlfr.adapters.telemetry.metrics import Metrics
from openlfr.in_force import DeploymentInForce
from openlfr.settings import require_authorisation
from openlfr.stages.search import ExactIndex
from openlfr.wire import seal
from openlfr_analysis import metrics as service_metrics
from openlfr_analysis.acknowledgement_queue import MAX_QUEUED, AcknowledgementQueue
from openlfr_analysis.frame_batches import FrameBatchProcessor
from openlfr_analysis.index_in_use import IndexInUse
from openlfr_analysis.watchlist_index import LocalWatchlistIndex, MilvusWatchlistIndex
from openlfr_analysis.worker import AnalysisWorker

if TYPE_CHECKING:
    from openlfr.settings import Settings
    from openlfr.settings.process import Process

BATCH_SIZE, BATCH_SIZE_ON_GPU = 4, 64
"""Frames analysed in one call. Sightings of the first frame are published after the last frame. A
CPU processes frames one after the other anyway."""
MIN_LOSSLESS_RETENTION = timedelta(minutes=2)
"""Shortest retention for lossless mode. A camera at 10 frames a second fills the queue of 1000
unacknowledged frames in 100 s, and a worker needs a moment to start."""
_DEFAULT_RETENTION = timedelta(milliseconds=int(FRAMES.configs["retention.ms"]))

log = structlog.get_logger()


def choose_index_class(
    settings: Settings,
) -> type[MilvusWatchlistIndex] | type[LocalWatchlistIndex]:
    """Return the class of the watchlist index: on the Milvus server, or in this process."""
    return MilvusWatchlistIndex if settings.matching.index == "milvus" else LocalWatchlistIndex


def list_recorded_cameras(settings: Settings) -> list[str]:
    """Return the names of the cameras that play recordings: all files and folders.

    Cameras without `start` are included. The recording date of such a film is in its file, or is
    assumed when the film is opened, some time before its first frame is sent.
    """
    return [name for name, camera in settings.cameras.items() if not is_live(camera.url)]


def run(settings: Settings, process: Process) -> NoReturn:
    """Run the service until the process is stopped.

    Raises:
        Misconfigured: The authorisation is missing, or a model, gallery or topic is wrong.
        Unavailable: A required service does not answer at the start. If a service fails later, the
            process ends with exit code 3.
    """
    deployment = DeploymentInForce(require_authorisation(settings))
    bootstrap.require_no_target(settings)
    # Check providers first: a worker whose GPU cannot be used must not start.
    providers = bootstrap.list_providers(settings)
    log.info("providers", first=short_name(providers[0]), all=providers)
    brokers = bootstrap.require_kafka(settings)
    bootstrap.require_topics(settings, USES["analysis"].topics)
    with ExitStack() as closing:
        detector = bootstrap.load_detector(settings)
        embedder = bootstrap.load_embedder(settings)
        vault = bootstrap.open_vault(settings)
        templates = bootstrap.open_searched_templates(settings, embedder.facts)
        closing.callback(templates.close)
        empty = ExactIndex({}, [])
        analyser = bootstrap.make_analyser(
            settings,
            bootstrap.make_ids(deployment.deployment_id, vault),
            (detector, embedder),
            empty,
            threshold=1.0,  # no score reaches it; replaced when the list's length is known
        )
        index_in_use = IndexInUse(analyser)
        watchlist = choose_index_class(settings)(templates, index_in_use.offer)
        closing.callback(watchlist.close)
        control = ControlReader(
            brokers,
            key=vault.derive(seal.purpose_of(CONTROL.name)),
            followers=[
                StateFollower(deployment),
                WatchlistFollower(lambda: deployment.watchlists, watchlist.use),
            ],
        )
        closing.callback(control.close)
        control.start()
        control.wait_until_ready()
        log.info("watchlist", references=watchlist.references, index=settings.matching.index)
        threshold = bootstrap.choose_threshold(settings, embedder.facts, watchlist.subjects)
        index_in_use.begin(
            bootstrap.make_conditions(
                settings, deployment.deployment_id, threshold, embedder.facts, vault
            )
        )

        metrics = Metrics("analysis")
        app, progress = faust_app.make_app(
            group=process.group,
            instance=process.instance,
            brokers=brokers,
            from_beginning=settings.max_age is None,
            max_bytes=int(FRAMES.configs["max.message.bytes"]),
            http=process.http,
            metrics=metrics,
            session_s=process.session_s,
        )
        if (
            settings.max_age is None
            and (settings.topics.frames_retention or _DEFAULT_RETENTION) < MIN_LOSSLESS_RETENTION
        ):
            log.warning(
                "frames_go_too_soon",
                why="with max_age: off a worker that restarts reads its frames again, but Kafka "
                "retains them for less than two minutes",
                do="set topics.frames_retention and topics.frames_transit, then topics apply",
            )
        processor = FrameBatchProcessor(
            analyser,
            vault,
            deployment,
            index_in_use,
            max_age=settings.max_age,
            recorded=list_recorded_cameras(settings),
        )
        analyser.timings.observe = metrics.observe_stage
        service_metrics.register(metrics, progress, processor.counts, watchlist)
        service_metrics.register_threshold(metrics, index_in_use)
        control_metrics.register(metrics, control, deployment)
        progress.conditions.append(control.search_problem)
        progress.notes.append(deployment.notes)
        unacknowledged = AcknowledgementQueue(0 if settings.max_age else MAX_QUEUED)
        service_metrics.register_provider(metrics, short_name(providers[0]))
        batch_size = BATCH_SIZE_ON_GPU if providers[0] in ON_GPU else BATCH_SIZE
        worker = AnalysisWorker(
            app, progress, processor, control, unacknowledged, metrics, batch_size
        )
        app.agent(faust_app.raw_topic(app, FRAMES.name), concurrency=1, name="frames")(worker.run)
        app.timer(1.0)(worker.tick)
        app.on_partitions_assigned.connect(worker.on_rebalance, weak=False)
        app.on_before_shutdown.connect(worker.leave, weak=False)
        faust_worker.run_worker(app, progress, process.worker_file(settings.data_dir))
