"""The run: opens everything, walks the frames, closes everything, whatever happens.

One thread analyses; each camera decodes in one of its own; another keeps the watchlist fresh.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from openlfr import bootstrap
from openlfr.adapters.run_lock import hold_for_run
from openlfr.domain.alerts import EventKind
from openlfr.domain.baseline_figures import FiguresByBaseline
from openlfr.domain.counts import LossReason
from openlfr.domain.deployment import DeploymentStatus
from openlfr.domain.errors import Misconfigured, OpenLFRError, Unavailable
from openlfr.domain.frames import StartOrigin
from openlfr.domain.listing import ListState
from openlfr.domain.runs import Checkpoint
from openlfr.domain.watching import UnwatchedReason
from openlfr.embedded.baselines import RunBaselines
from openlfr.embedded.desk import AlertDesk
from openlfr.embedded.eraser import Eraser
from openlfr.embedded.feeds import Arrival, Ended, Feeds
from openlfr.embedded.keeper import WatchlistKeeper
from openlfr.embedded.opening import open_all
from openlfr.embedded.options import Progress, RunOptions
from openlfr.embedded.summary import summarise, times_assumed
from openlfr.embedded.tallies import RunTallies
from openlfr.operations import deployments
from openlfr.operations.baseline_figures import figures_by_baseline
from openlfr.operations.camera_counts import counts_from_records
from openlfr.operations.purge import ROWS_WAIT
from openlfr.settings import require_authorisation

if TYPE_CHECKING:
    from collections.abc import Callable

    from openlfr.domain.alerts import AlertEvent
    from openlfr.domain.analysis import Analysis, SightingWithEvidence
    from openlfr.domain.counts import CameraCounts
    from openlfr.domain.deployment import Deployment
    from openlfr.domain.frames import Frame
    from openlfr.domain.summary import RunSummary
    from openlfr.settings import Settings
    from openlfr.stages.search import ExactIndex

log = structlog.get_logger()

_CHECKPOINT_S = 1.0
_PROGRESS_S = 0.2
_LOOK_S = 0.5  # how often is looked for what somebody did to the deployment
_PAUSED = (
    "The deployment was paused: frames from then on count as paused, until it is resumed "
    "(openlfr deployment resume)."
)
_ALTERED = (
    "The deployment was altered in the database ({}), so nobody is searched for: openlfr"
    " deployment show says what was recorded; a new start records the configuration's"
    " authorisation anew."
)
_NOBODY = (
    "Nobody is listed: the watchlist is empty, so no alert can arise until somebody is "
    "(openlfr watchlist import; a run at work takes it up)."
)
_NOBODY_AT_FIRST = (
    "Nobody was listed when the run began: who passed before the first entry was taken up was "
    "compared with nobody."
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
        What it did; the report, if one was asked for, is written.

    Raises:
        Misconfigured: No authorisation, no camera, a wrong model, a mixed gallery, or a file that
            lies wholly outside the deployment's hours.
        BadInput: No camera can be opened; a run goes on without some of them and says so.
        Unavailable: The disk is full, or a service does not answer; `--resume` goes on.
    """
    deployment = require_authorisation(settings)
    if not settings.cameras:
        raise Misconfigured(f"{settings.path} names no camera: add one under cameras.")
    with ExitStack() as closing:
        closing.enter_context(hold_for_run(bootstrap.data_folder(settings)))
        return _Run(settings, deployment, options, closing, stop, on_progress).go()


class _Run:
    """One run while it lasts."""

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
        self._deployment = deployment
        self._options = options
        self._on_progress = on_progress
        self._stop = stop or threading.Event()
        self._recent: deque[AlertEvent] = deque(maxlen=20)
        self._open = opened = open_all(settings, deployment, options, closing)
        self._problems = list(opened.unopened)
        self._ended_by_others = ""  # how, where somebody stopped or closed the deployment
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
        self._eraser.erase()  # before the list is read: an expired entry's template goes with it
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
        self._baselines = RunBaselines(opened.records, conditions, self._problems.append)
        self._keeper = WatchlistKeeper(
            records=opened.records,
            templates=opened.templates,
            vault=opened.vault,
            facts=opened.embedder.facts,
            watchlists=settings.watchlists,
            on_index=self._begin_with,
            on_problem=self._problems.append,
        )
        while self._keeper.refresh():
            pass  # until all that waited is searchable
        closing.callback(self._keeper.close)
        self._analyser = bootstrap.make_analyser(
            settings,
            bootstrap.ids_of(deployment.deployment_id, opened.vault),
            (opened.detector, opened.embedder),
            self._index,
            threshold=opened.threshold.value,
        )
        self._keeper.hand_over_to(self._offer_index)
        if not len(self._index):
            self._problems.append(_NOBODY)
        if not opened.resumed:
            opened.records.runs.start(opened.run)
        opened.records.runs.note_files(opened.run.run_id, options.files)
        self._deployment = deployments.start(
            deployment,
            deployments.Start(
                opened.threshold, opened.run.config_hash, ListState.of(self._index).root
            ),
            records=opened.records,
            by=options.by,
            at=datetime.now(UTC),
        )
        self._baselines.offer(self._index)  # in the records before a frame is matched

    def go(self) -> RunSummary:
        """Walk the frames to the end, and tell what was seen."""
        begun = time.monotonic()
        feeds = Feeds(paced=not self._options.as_fast_as_possible, stop=self._stop)
        ended_how = "sources ended"
        failure: Exception | None = None
        try:
            self._tell(frozenset(), 0.0)  # what is wrong from the start is said at the start
            self._keeper.start()
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
        if self._ended_by_others and ended_how == "interrupted":
            ended_how = self._ended_by_others
        self._drop_live_tracks(LossReason.INTERRUPTED)
        self._gather_problems()
        self._record_stop(ended_how)
        if failure is None:
            self._erase_at_the_end()
        else:
            with suppress(Exception):  # what failed the run may fail this too
                self._erase_at_the_end()
            with suppress(Exception):
                self._report(ended_how)
            raise failure
        summary = self._report(ended_how)
        if ended_how == "sources ended":
            self._open.records.runs.finish(self._open.run.run_id, at=datetime.now(UTC))
        return summary

    def _erase_at_the_end(self) -> None:
        """Erase what has come due since; what stays nevertheless is a problem of the run."""
        self._eraser.close()
        self._keeper.close()
        try:
            whole = self._eraser.erase()
            while self._keeper.refresh():  # templates of entries that have expired meanwhile
                whole = self._open.records.erase_for_good()
        except Unavailable as error:
            self._problems.append(f"What is due could not be erased ({error}): openlfr purge.")
        else:
            if self._eraser.erased and not whole:
                self._problems.append(ROWS_WAIT.format(where=self._open.records.where))

    def _report(self, ended_how: str) -> RunSummary:
        """Put the figures together, and write the report if one is asked for."""
        summary = summarise(
            self._settings,
            self._deployment,
            self._open,
            ended_how=ended_how,
            models=self._models,
            cameras=self._recorded_counts(),
            figures=self._figures(),
            timings=self._analyser.timings.results(),
            problems=self._problems,
            erased=self._eraser.erased,
        )
        if self._options.report is not None:
            from openlfr.operations.report import write_report

            write_report(summary, self._options.report)
        return summary

    def _walk(self, feeds: Feeds, begun: float) -> bool:
        """Take what arrives until every camera has ended; True if the run was stopped before."""
        told = saved = 0.0
        looked = time.monotonic()
        ended: set[str] = set()
        for arrival in feeds.arrivals():
            if self._stop.is_set():
                break
            if isinstance(arrival, Arrival):
                self._see(arrival)
            elif isinstance(arrival, Ended):
                self._leave(arrival)
                ended.add(arrival.camera)
            self._tallies.record()
            self._keeper.check()
            self._eraser.check()
            now = time.monotonic()
            if now - looked > _LOOK_S:
                looked = now
                self._look_at_deployment()
            if (
                isinstance(arrival, Arrival)
                and now - saved > _CHECKPOINT_S
                and self._save(arrival.frame)
            ):
                saved = now
            if now - told > _PROGRESS_S:
                told = now
                self._tell(frozenset(ended), now - begun)
        self._tell(frozenset(ended), time.monotonic() - begun)
        return len(ended) < len(self._open.sources)

    def _look_at_deployment(self) -> None:
        """Follow what somebody did to the deployment meanwhile."""
        with suppress(Unavailable):  # how long that may last is for the keeper to judge
            known = self._open.records.deployments.get(self._deployment.deployment_id)
            if known is None or known == self._deployment:
                return
            before, self._deployment = self._deployment, known
            if known.status in (DeploymentStatus.STOPPED, DeploymentStatus.CLOSED):
                self._ended_by_others = str(known.status)
                self._stop.set()
            elif known.altered:
                self._problems.append(_ALTERED.format(known.altered))
                self._drop_live_tracks(LossReason.PAUSED)
            elif known.status is DeploymentStatus.PAUSED is not before.status:
                self._problems.append(_PAUSED)
                self._drop_live_tracks(LossReason.PAUSED)  # who is in sight is searched no more

    def _record_stop(self, ended_how: str) -> None:
        """Record that nobody is looked for any more, unless somebody stopped or closed it."""
        if self._ended_by_others or self._deployment.status is DeploymentStatus.PAUSED:
            return  # what somebody decided stays on record
        with suppress(OpenLFRError):  # the run's own end tells more, and a start follows anyway
            deployments.stop(
                self._deployment.deployment_id,
                ended_how,
                records=self._open.records,
                by=self._options.by,
                at=datetime.now(UTC),
            )

    def _see(self, arrival: Arrival) -> None:
        """One frame: look at it, or count why not."""
        frame = arrival.frame
        self._tallies.arrived(arrival)
        if not self._deployment.covers(frame.captured_at):
            in_force = self._deployment.in_force
            self._tallies.left_out(
                frame, UnwatchedReason.OUTSIDE_HOURS if in_force else UnwatchedReason.PAUSED
            )
            return
        max_age = self._settings.max_age
        if (
            max_age is not None
            and not self._options.as_fast_as_possible
            and time.monotonic() - arrival.due > max_age.total_seconds()
        ):
            self._tallies.late(frame)
            return
        self._take_up()
        self._tallies.looks(frame)
        analysis = self._analyser.analyse([frame])
        self._tallies.looked(frame, analysis)
        self._raise(analysis)

    def _leave(self, ended: Ended) -> None:
        """A camera gives no more: its last tracks are closed, its problem is kept."""
        if ended.problem:
            self._problems.append(ended.problem)
        analysis = self._analyser.finish(ended.camera)
        self._tallies.ended(ended, analysis)
        self._raise(analysis)

    def _raise(self, analysis: Analysis) -> None:
        """Raise the alerts."""
        for sighted in map(self._timed, analysis.sightings):
            self._desk.raise_alert(sighted)

    def _drop_live_tracks(self, why: LossReason) -> None:
        """Drop and count the tracks of a run that was paused, or ended before its sources were.

        At its end no checkpoint counts them: a resumed run sees them again from their beginning.
        """
        for camera in self._analyser.cameras:
            self._tallies.dropped(self._analyser.drop_camera(camera, why))

    def _timed(self, sighted: SightingWithEvidence) -> SightingWithEvidence:
        """The sighting, saying so where its time is assumed."""
        source = self._open.sources[sighted.sighting.camera]
        if source.start_origin is not StartOrigin.ASSUMED:
            return sighted
        return replace(sighted, sighting=replace(sighted.sighting, time_assumed=True))

    def _begin_with(self, index: ExactIndex) -> None:
        """Search in this index from the first frame on."""
        self._index = index

    def _take_up(self) -> None:
        """Search in a new index from this frame on, and count for its baseline."""
        if ready := self._baselines.take():
            index, ref = ready
            self._analyser.use_index(index)
            self._tallies.begin_baseline(ref)

    def _offer_index(self, index: ExactIndex) -> None:
        """Search in a new index from the next frame on; the keeper's thread calls it."""
        self._baselines.offer(index)
        self._index = index
        if len(index) and _NOBODY in self._problems:
            self._problems[self._problems.index(_NOBODY)] = _NOBODY_AT_FIRST

    def _save(self, frame: Frame) -> bool:
        """Keep a checkpoint, if the camera has no live track: a resumed run starts here."""
        if not self._analyser.is_quiet(frame.camera):
            return False
        self._tallies.record()
        counters = self._tallies.checkpoint(frame.camera)
        checkpoint = Checkpoint(frame.camera, frame.seq + 1, counters)
        self._open.records.runs.save(self._open.run.run_id, checkpoint)
        return True

    def _counts(self) -> tuple[CameraCounts, ...]:
        return tuple(
            replace(
                self._tallies.counts(name),
                alerts_opened=self._desk.raised[name, EventKind.OPENED],
                alerts_joined=self._desk.raised[name, EventKind.JOINED],
            )
            for name in self._settings.cameras
        )

    def _recorded_counts(self) -> tuple[CameraCounts, ...]:
        """The counts as the records have them; where they do not answer, as they were counted."""
        run, records = self._open.run, self._open.records
        try:
            self._tallies.close()
            found = counts_from_records(
                records.tallies,
                run.deployment,
                list(self._settings.cameras),
                records.alerts.events_of_run(run.deployment, run.epoch),
                epoch=run.epoch,
            )
        except Unavailable as error:
            self._problems.append(f"The counts could not be recorded: {error}")
            return self._counts()
        return tuple(map(self._tallies.sized, found.values()))

    def _figures(self) -> FiguresByBaseline:
        """The figures by baseline; none where the records do not answer."""
        run, records = self._open.run, self._open.records
        with suppress(Unavailable):  # then the counts have said it
            return figures_by_baseline(
                records.baselines,
                records.tallies,
                run.deployment,
                records.alerts.events_of_run(run.deployment, run.epoch),
                epoch=run.epoch,
            )
        return FiguresByBaseline()

    def _gather_problems(self) -> None:
        """What the sources could not read; of a live camera also when it did not answer."""
        for source in self._open.sources.values():
            self._problems.extend(p for p in source.problems if p not in self._problems)

    def _tell(self, ended: frozenset[str], elapsed: float) -> None:
        self._gather_problems()
        self._on_progress(
            Progress(
                cameras=self._counts(),
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
