"""A run: opens all parts, processes the frames, and closes all parts, also after an error.

One thread analyses the frames of all cameras, and each camera has a thread that decodes its frames.
Two more threads update the watchlist and erase due data.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from openlfr import bootstrap
from openlfr.adapters.run_lock import lock_for_run
from openlfr.domain.counts import LossReason
from openlfr.domain.errors import Misconfigured, OpenLFRError
from openlfr.domain.listing import ListState
from openlfr.embedded.deployment_state import RecordedDeployment
from openlfr.embedded.desk import AlertDesk
from openlfr.embedded.eraser import Eraser, erase_at_end_of_run
from openlfr.embedded.feeds import Arrival, CameraEnd, Feeds
from openlfr.embedded.frame_processor import FrameProcessor
from openlfr.embedded.opening import open_parts
from openlfr.embedded.options import Progress, RunOptions
from openlfr.embedded.results import RunResults
from openlfr.embedded.run_watchlist import RunWatchlist
from openlfr.embedded.summary import describe_assumed_times, summarise
from openlfr.embedded.tallies import RunTallies
from openlfr.operations import deployments
from openlfr.settings import require_authorisation

if TYPE_CHECKING:
    from collections.abc import Callable

    from openlfr.domain.alerts import AlertEvent
    from openlfr.domain.deployment import Deployment
    from openlfr.domain.summary import RunSummary
    from openlfr.settings import Settings

log = structlog.get_logger()

CHECKPOINT_S = 1.0
_PROGRESS_S = 0.2
_DEPLOYMENT_S = 0.5  # how often the recorded deployment is read


def run(
    settings: Settings,
    options: RunOptions,
    *,
    stop: threading.Event | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> RunSummary:
    """Run the deployment's cameras until their sources end or `stop` is set.

    Returns:
        The figures of the run; the report is written, if one was requested.

    Raises:
        Misconfigured: No authorisation, no camera, a wrong model, a gallery of several models, or a
            file that is wholly outside the deployment's hours.
        BadInput: No camera can be opened. If only some cameras cannot be opened, the run continues
            without these cameras and reports them.
        Unavailable: The disk is full, or a service does not answer; continue with `--resume`.
    """
    deployment = require_authorisation(settings)
    if not settings.cameras:
        raise Misconfigured(f"{settings.path} has no camera: add one under cameras.")
    with ExitStack() as closing:
        closing.enter_context(lock_for_run(bootstrap.create_data_folder(settings)))
        bootstrap.erase_calibration_films(settings)  # a killed calibration leaves its films
        return _Run(settings, deployment, options, closing, stop, on_progress).process()


class _Run:
    """One run: the parts, and the loop over the frames."""

    def __init__(
        self,
        settings: Settings,
        deployment: Deployment,
        options: RunOptions,
        closing: ExitStack,
        stop: threading.Event | None,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self._settings = settings
        self._options = options
        self._on_progress = on_progress
        self._stop = stop or threading.Event()
        self._recent: deque[AlertEvent] = deque(maxlen=20)
        self._parts = parts = open_parts(settings, deployment, options, closing)
        self._problems = list(parts.camera_problems)
        self._deployment = RecordedDeployment(
            deployment, records=parts.records, by=options.by, problems=self._problems
        )
        self._notes = describe_assumed_times(parts.sources)
        self._tallies = RunTallies(parts.records, parts.run, parts.sources)
        if parts.is_resumed:
            self._tallies.resume(settings.cameras, parts.checkpoints)
        self._desk = AlertDesk(
            book=parts.book,
            records=parts.records,
            vault=parts.vault,
            lines=parts.lines,
            window=settings.alerting.window,
            movement=settings.movement,
            on_event=self._recent.appendleft,
        )
        self._desk.catch_up(deployment.deployment_id, parts.run.epoch if parts.is_resumed else None)
        self._eraser = Eraser(
            records=parts.records,
            vault=parts.vault,
            book=parts.book,
            retention=settings.alerting.retention,
            deployment=deployment.deployment_id,
            on_problem=self._problems.append,
        )
        self._eraser.erase()  # before the list is read, so that expired entries are not searched
        closing.callback(self._eraser.close)
        conditions = bootstrap.make_conditions(
            settings, deployment.deployment_id, parts.threshold, parts.embedder.facts, parts.vault
        )
        self._models = conditions.models
        self._watchlist = RunWatchlist(parts, settings.watchlists, conditions, self._problems)
        closing.callback(self._watchlist.updater.close)
        self._analyser = bootstrap.make_analyser(
            settings,
            bootstrap.make_ids(deployment.deployment_id, parts.vault),
            (parts.detector, parts.embedder),
            self._watchlist.index,
            threshold=parts.threshold.value,
        )
        self._frames = FrameProcessor(
            parts,
            self._deployment,
            self._analyser,
            tallies=self._tallies,
            desk=self._desk,
            baselines=self._watchlist.baselines,
            max_age=None if options.as_fast_as_possible else settings.max_age,
        )
        self._results = RunResults(parts, tuple(settings.cameras), self._tallies, self._desk)
        if not parts.is_resumed:
            parts.records.runs.start(parts.run)
        parts.records.runs.record_files(parts.run.run_id, options.files)
        self._deployment.start(
            deployments.Start(
                parts.threshold,
                parts.run.config_hash,
                ListState.from_index(self._watchlist.index).root,
            )
        )
        self._watchlist.record_first_baseline()  # before a frame is matched

    def process(self) -> RunSummary:
        """Process all frames, and return the figures."""
        started_at_s = time.monotonic()
        feeds = Feeds(paced=not self._options.as_fast_as_possible, stop=self._stop)
        ended_how = "sources ended"
        failure: Exception | None = None
        try:
            self._report_progress(frozenset(), 0.0)  # report problems of the start at once
            self._watchlist.updater.start()
            self._eraser.start()
            for name, source in self._parts.sources.items():
                checkpoint = self._parts.checkpoints.get(name)
                feeds.start(name, source, first_seq=checkpoint.next_seq if checkpoint else 0)
            if self._process_arrivals(feeds, started_at_s):
                ended_how = "interrupted"
        except OpenLFRError as error:
            failure = error
            ended_how = f"failed: {error}"
        except Exception as error:
            log.exception("run_failed")
            failure = error
            ended_how = f"failed: a fault in OpenLFR, {type(error).__name__}"
        finally:
            feeds.close()
        if self._deployment.ended_by_others and ended_how == "interrupted":
            ended_how = self._deployment.ended_by_others
        self._frames.drop_live_tracks(LossReason.INTERRUPTED)
        self._collect_problems()
        self._deployment.record_stop(ended_how)
        if failure is None:
            self._erase_at_end()
        else:
            with suppress(Exception):  # the cause of the failure may make the erasure fail too
                self._erase_at_end()
            with suppress(Exception):
                self._report(ended_how)
            raise failure
        summary = self._report(ended_how)
        if ended_how == "sources ended":
            self._parts.records.runs.finish(self._parts.run.run_id, at=datetime.now(UTC))
        return summary

    def _erase_at_end(self) -> None:
        erase_at_end_of_run(
            self._eraser, self._watchlist.updater, self._parts.records, self._problems
        )

    def _report(self, ended_how: str) -> RunSummary:
        """Return the figures, and write the report if one was requested."""
        summary = summarise(
            self._settings,
            self._deployment.current,
            self._parts,
            ended_how=ended_how,
            models=self._models,
            cameras=self._results.record_counts(self._problems),
            figures=self._results.figures(),
            timings=self._analyser.timings.results(),
            problems=self._problems,
            erased=self._eraser.erased,
        )
        if self._options.report is not None:
            from openlfr.operations.report import write_report

            write_report(summary, self._options.report)
        return summary

    def _process_arrivals(self, feeds: Feeds, started_at_s: float) -> bool:
        """Process arrivals until every camera has ended or the run is stopped.

        Returns:
            Whether the run was stopped before every camera had ended.
        """
        reported_at_s = saved_at_s = 0.0
        refreshed_at_s = time.monotonic()
        ended_cameras: set[str] = set()
        for arrival in feeds.arrivals():
            if self._stop.is_set():
                break
            if isinstance(arrival, Arrival):
                self._frames.process(arrival)
            elif isinstance(arrival, CameraEnd):
                if arrival.problem:
                    self._problems.append(arrival.problem)
                self._frames.finish_camera(arrival)
                ended_cameras.add(arrival.camera)
            self._tallies.record()
            self._watchlist.updater.check()
            self._eraser.check()
            now = time.monotonic()
            if now - refreshed_at_s > _DEPLOYMENT_S:
                refreshed_at_s = now
                if self._deployment.refresh():
                    self._frames.drop_live_tracks(LossReason.PAUSED)
                if self._deployment.ended_by_others:
                    self._stop.set()
            if (
                isinstance(arrival, Arrival)
                and now - saved_at_s > CHECKPOINT_S
                and self._frames.save_checkpoint(arrival.frame)
            ):
                saved_at_s = now
            if now - reported_at_s > _PROGRESS_S:
                reported_at_s = now
                self._report_progress(frozenset(ended_cameras), now - started_at_s)
        self._report_progress(frozenset(ended_cameras), time.monotonic() - started_at_s)
        return len(ended_cameras) < len(self._parts.sources)

    def _collect_problems(self) -> None:
        """Add the problems of the sources: unreadable frames, and failures of live cameras."""
        for source in self._parts.sources.values():
            self._problems.extend(p for p in source.problems if p not in self._problems)

    def _report_progress(self, ended_cameras: frozenset[str], elapsed_s: float) -> None:
        self._collect_problems()
        self._on_progress(
            Progress(
                cameras=self._results.counts(),
                ended_cameras=ended_cameras,
                references=len(self._watchlist.index),
                subjects=len(self._watchlist.index.subjects),
                alerts=tuple(self._recent),
                elapsed_s=elapsed_s,
                threshold=self._parts.threshold,
                problems=tuple(self._problems),
                notes=self._notes,
            )
        )
