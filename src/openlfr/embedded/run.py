"""A run: opens everything, processes the frames, and closes everything also after an error.

One thread analyses; each camera decodes in its own thread; another updates the watchlist.
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
from openlfr.domain.errors import Misconfigured, OpenLFRError, Unavailable
from openlfr.domain.listing import ListState
from openlfr.embedded.baselines import RunBaselines
from openlfr.embedded.deployment_state import RecordedDeployment
from openlfr.embedded.desk import AlertDesk
from openlfr.embedded.eraser import Eraser
from openlfr.embedded.feeds import Arrival, Ended, Feeds
from openlfr.embedded.frame_processor import FrameProcessor
from openlfr.embedded.opening import open_all
from openlfr.embedded.options import Progress, RunOptions
from openlfr.embedded.results import RunResults
from openlfr.embedded.summary import summarise, times_assumed
from openlfr.embedded.tallies import RunTallies
from openlfr.embedded.watchlist_updater import WatchlistUpdater
from openlfr.operations import deployments
from openlfr.operations.purge import ROWS_WAIT
from openlfr.settings import require_authorisation

if TYPE_CHECKING:
    from collections.abc import Callable

    from openlfr.domain.alerts import AlertEvent
    from openlfr.domain.deployment import Deployment
    from openlfr.domain.summary import RunSummary
    from openlfr.settings import Settings
    from openlfr.stages.search import ExactIndex

log = structlog.get_logger()

_CHECKPOINT_S = 1.0
_PROGRESS_S = 0.2
_DEPLOYMENT_S = 0.5  # how often the recorded deployment is read
_NOBODY = (
    "Nobody is listed: the watchlist is empty, so there can be no alert. List people with "
    "openlfr watchlist import; this run then searches for them."
)
_NOBODY_AT_FIRST = (
    "Nobody was listed when the run began: people who passed before the first entry became "
    "searchable were compared with nobody."
)


def run(
    settings: Settings,
    options: RunOptions,
    *,
    stop: threading.Event | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> RunSummary:
    """Run the deployment's cameras until their sources end or `stop` is set.

    Returns:
        The figures of the run; a requested report has been written.

    Raises:
        Misconfigured: No authorisation, no camera, a wrong model, a mixed gallery, or a file that
            is wholly outside the deployment's hours.
        BadInput: No camera can be opened. If only some cannot, the run goes on and reports them.
        Unavailable: The disk is full, or a service does not answer; continue with `--resume`.
    """
    deployment = require_authorisation(settings)
    if not settings.cameras:
        raise Misconfigured(f"{settings.path} has no camera: add one under cameras.")
    with ExitStack() as closing:
        closing.enter_context(lock_for_run(bootstrap.data_folder(settings)))
        return _Run(settings, deployment, options, closing, stop, on_progress).go()


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
        self._open = opened = open_all(settings, deployment, options, closing)
        self._problems = list(opened.unopened)
        self._deployment = RecordedDeployment(
            deployment, records=opened.records, by=options.by, problems=self._problems
        )
        self._notes = times_assumed(opened.sources)
        self._tallies = RunTallies(opened.records, opened.run, opened.sources)
        if opened.resumed:
            self._tallies.resume(settings.cameras, opened.checkpoints)
        self._desk = AlertDesk(
            book=opened.book,
            records=opened.records,
            vault=opened.vault,
            lines=opened.lines,
            window=settings.alerting.window,
            movement=settings.movement,
            on_event=self._recent.appendleft,
        )
        self._desk.catch_up(deployment.deployment_id, opened.run.epoch if opened.resumed else None)
        self._eraser = Eraser(
            records=opened.records,
            vault=opened.vault,
            book=opened.book,
            retention=settings.alerting.retention,
            deployment=deployment.deployment_id,
            on_problem=self._problems.append,
        )
        self._eraser.erase()  # before the list is read: expired entries are not searched
        closing.callback(self._eraser.close)
        self._index: ExactIndex
        conditions = bootstrap.conditions_of(
            settings,
            deployment.deployment_id,
            opened.threshold,
            opened.embedder.facts,
            opened.vault,
        )
        self._models = conditions.models
        self._baselines = RunBaselines(opened.records, conditions, self._problems)
        self._updater = WatchlistUpdater(
            records=opened.records,
            templates=opened.templates,
            vault=opened.vault,
            facts=opened.embedder.facts,
            watchlists=settings.watchlists,
            on_index=self._set_first_index,
            on_problem=self._problems.append,
        )
        while self._updater.refresh():
            pass  # until all pending entries are searchable
        closing.callback(self._updater.close)
        self._analyser = bootstrap.make_analyser(
            settings,
            bootstrap.ids_of(deployment.deployment_id, opened.vault),
            (opened.detector, opened.embedder),
            self._index,
            threshold=opened.threshold.value,
        )
        self._frames = FrameProcessor(
            opened,
            self._deployment,
            self._analyser,
            tallies=self._tallies,
            desk=self._desk,
            baselines=self._baselines,
            max_age=None if options.as_fast_as_possible else settings.max_age,
        )
        self._results = RunResults(opened, tuple(settings.cameras), self._tallies, self._desk)
        self._updater.set_on_index(self._offer_index)
        if not len(self._index):
            self._problems.append(_NOBODY)
        if not opened.resumed:
            opened.records.runs.start(opened.run)
        opened.records.runs.record_files(opened.run.run_id, options.files)
        self._deployment.start(
            deployments.Start(
                opened.threshold, opened.run.config_hash, ListState.of(self._index).root
            )
        )
        self._baselines.offer(self._index)  # in the records before a frame is matched

    def go(self) -> RunSummary:
        """Process the frames to the end, and return the figures."""
        begun = time.monotonic()
        feeds = Feeds(paced=not self._options.as_fast_as_possible, stop=self._stop)
        ended_how = "sources ended"
        failure: Exception | None = None
        try:
            self._report_progress(frozenset(), 0.0)  # problems of the start are shown at once
            self._updater.start()
            self._eraser.start()
            for name, source in self._open.sources.items():
                at = self._open.checkpoints.get(name)
                feeds.start(name, source, first_seq=at.next_seq if at else 0)
            if self._walk(feeds, begun):
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
            self._erase_at_the_end()
        else:
            with suppress(Exception):  # the cause of the failure may affect this too
                self._erase_at_the_end()
            with suppress(Exception):
                self._report(ended_how)
            raise failure
        summary = self._report(ended_how)
        if ended_how == "sources ended":
            self._open.records.runs.finish(self._open.run.run_id, at=datetime.now(UTC))
        return summary

    def _erase_at_the_end(self) -> None:
        """Erase all that is due by now; what cannot be erased is a problem of the run."""
        self._eraser.close()
        self._updater.close()
        try:
            whole = self._eraser.erase()
            while self._updater.refresh():  # erases templates of entries that have expired
                whole = self._open.records.erase_for_good()
        except Unavailable as error:
            self._problems.append(f"Not all that is due could be erased ({error}): openlfr purge.")
        else:
            if self._eraser.erased and not whole:
                self._problems.append(
                    ROWS_WAIT.format(where=self._open.records.erased_rows_location)
                )

    def _report(self, ended_how: str) -> RunSummary:
        """Collect the figures, and write the report if one was requested."""
        summary = summarise(
            self._settings,
            self._deployment.now,
            self._open,
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

    def _walk(self, feeds: Feeds, begun: float) -> bool:
        """Process arrivals until every camera has ended; True if the run was stopped before."""
        reported = saved = 0.0
        refreshed = time.monotonic()
        ended: set[str] = set()
        for arrival in feeds.arrivals():
            if self._stop.is_set():
                break
            if isinstance(arrival, Arrival):
                self._frames.process(arrival)
            elif isinstance(arrival, Ended):
                if arrival.problem:
                    self._problems.append(arrival.problem)
                self._frames.finish_camera(arrival)
                ended.add(arrival.camera)
            self._tallies.record()
            self._updater.check()
            self._eraser.check()
            now = time.monotonic()
            if now - refreshed > _DEPLOYMENT_S:
                refreshed = now
                if self._deployment.refresh():
                    self._frames.drop_live_tracks(LossReason.PAUSED)
                if self._deployment.ended_by_others:
                    self._stop.set()
            if (
                isinstance(arrival, Arrival)
                and now - saved > _CHECKPOINT_S
                and self._frames.save_checkpoint(arrival.frame)
            ):
                saved = now
            if now - reported > _PROGRESS_S:
                reported = now
                self._report_progress(frozenset(ended), now - begun)
        self._report_progress(frozenset(ended), time.monotonic() - begun)
        return len(ended) < len(self._open.sources)

    def _set_first_index(self, index: ExactIndex) -> None:
        """Search in this index from the first frame on."""
        self._index = index

    def _offer_index(self, index: ExactIndex) -> None:
        """Search in a new index from the next frame on; called by the updater's thread."""
        self._baselines.offer(index)
        self._index = index
        if len(index) and _NOBODY in self._problems:
            self._problems[self._problems.index(_NOBODY)] = _NOBODY_AT_FIRST

    def _collect_problems(self) -> None:
        """Add the sources' problems: unreadable frames, and failures of live cameras."""
        for source in self._open.sources.values():
            self._problems.extend(p for p in source.problems if p not in self._problems)

    def _report_progress(self, ended: frozenset[str], elapsed: float) -> None:
        self._collect_problems()
        self._on_progress(
            Progress(
                cameras=self._results.counts(),
                ended=ended,
                references=len(self._index),
                subjects=len(self._index.subjects),
                alerts=tuple(self._recent),
                elapsed=elapsed,
                threshold=self._open.threshold,
                problems=tuple(self._problems),
                notes=self._notes,
            )
        )
