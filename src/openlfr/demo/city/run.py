"""Runs the demonstration from the first film to the report; kills a worker in the middle."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from openlfr import bootstrap, settings
from openlfr.adapters.kafka.topics import FRAMES
from openlfr.demo.city import outcome, reconciliation, street
from openlfr.demo.city.alerts import AlertFollower
from openlfr.demo.city.monitor import CityMonitor, Workers
from openlfr.demo.city.processes import Supervisor
from openlfr.demo.city.totals import CityTotals
from openlfr.demo.city.truth import compare_live, read_numbers
from openlfr.demo.city.view import live_view
from openlfr.demo.steps import step
from openlfr.domain.errors import Unavailable
from openlfr.operations.report import write_report
from openlfr.settings import require_authorisation
from openlfr.simulate.sent_log import SentLog
from openlfr.terminal import say
from openlfr.wire import codec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from openlfr.demo.city.outcome import Outcome
    from openlfr.demo.city.street import City
    from openlfr.demo.city.view import View
    from openlfr.settings import Settings

START_TIMEOUT_S = 300.0
"""Time to wait for services to become ready, on a busy machine."""
REST_TIMEOUT_S = 300.0
"""Time to wait, after the films, for the analysis and recording of all filmed frames."""
KILLED_WORKER = "analysis-0"
KILL_AT = 0.45  # share of the films' duration
POLL_S = 0.1
TOPICS_READ = {
    "analysis": ("frames.v1",),
    "alerting": ("sightings.v1", "alerts.v1", "tallies.v1"),
}


def run(
    folder: Path,
    *,
    seconds: int,
    servers: Callable[[], Mapping[str, str]],
    progress: street.Progress,
) -> tuple[Outcome, View]:
    """Run the demonstration.

    Args:
        folder: Existing empty folder for films, CONFIG.yaml, logs, alerts.jsonl and the report.
        seconds: Duration of the films.
        servers: Waits for the servers, and returns the addresses of kafka, redis, milvus and sql.
        progress: Shows the progress of the simulation; see `street.make_city`.

    Raises:
        Unavailable: A server, a camera or a service does not become ready.
    """
    with step("Streets"):
        city = street.make_city(folder, seconds=seconds, progress=progress)
        _print_films(city)
    with step("Servers"):
        urls = servers()
        for name, url in urls.items():
            say(f"  {name}: {url}")
    with ExitStack() as stack:
        supervisor = stack.enter_context(Supervisor(folder / "logs"))
        with step("Services"):
            workers = _start(city, supervisor, urls)
        loaded = settings.load(city.config)
        follower = AlertFollower(bootstrap.require_kafka(loaded), folder / "alerts.jsonl")
        stack.callback(follower.close)
        totals = CityTotals(loaded, require_authorisation(loaded).deployment_id)
        stack.callback(totals.close)
        started_at = datetime.now(UTC)
        with step("Watch"), live_view() as view:
            monitor = CityMonitor(city, workers, supervisor, totals, follower, view)
            _film(monitor, workers, supervisor, city)
        with step("Remaining frames"):
            rest_s = _await_rest(monitor, supervisor, loaded)
        with step("Evaluation"):
            result = _evaluate(city, loaded, totals, monitor, rest_s, started_at)
        return result, view


def _film(monitor: CityMonitor, workers: Workers, supervisor: Supervisor, city: City) -> None:
    """Start ingest; monitor until the films have ended and the killed worker is ready again."""
    for number in range(2):
        workers.start("ingest", number)
    deadline = time.monotonic() + START_TIMEOUT_S + 3 * city.seconds
    while not (monitor.have_films_ended() and monitor.is_worker_back()):
        supervisor.restart_dead()
        monitor.refresh()
        if monitor.outage is None and monitor.elapsed >= KILL_AT * city.seconds:
            monitor.kill(KILLED_WORKER)
        if time.monotonic() > deadline:
            if not monitor.have_films_ended():
                monitor.problems.append("The cameras did not send their whole films in time.")
            break
        time.sleep(POLL_S)
    monitor.end()


def _start(city: City, supervisor: Supervisor, urls: Mapping[str, str]) -> Workers:
    """Start cameras, topics, schema, watchlist, alerting and analysis; `_film` starts ingest."""
    videos = [f"{name}={folder / 'video.mp4'}" for name, folder in city.films.items()]
    cameras = supervisor.start_openlfr(
        "cameras", "simulate", "cameras", *videos, "--port", 0, "--log", city.sent
    )
    _await(
        supervisor, "the cameras",
        lambda: len(street.parse_addresses(cameras.log.read_text("utf-8"))) == len(videos),
    )  # fmt: skip
    city.configure(cameras.log.read_text("utf-8"), urls)
    with ThreadPoolExecutor(1) as executor:
        topics = executor.submit(_run_openlfr, city, "topics", "apply", "--wait", "60")
        _run_openlfr(city, "records", "upgrade")
        _run_openlfr(city, "watchlist", "import", "manifest.csv")
        topics.result()
    workers = Workers(supervisor, city.config)
    workers.start("alerting", 0)
    for number in range(2):
        workers.start("analysis", number)
    for name in ("alerting", "analysis-0", "analysis-1"):
        _await(supervisor, name, partial(workers.is_ready, name))
        say(f"  {name}: ready, process {supervisor.processes[name].pid}")
    return workers


def _await_rest(monitor: CityMonitor, supervisor: Supervisor, loaded: Settings) -> float:
    """Switch the cameras off, and wait until all frames are analysed and all events recorded.

    Switching a camera off ends its epoch, so that analysis does not wait for further frames.

    Returns:
        Seconds until analysis had analysed every frame; after a timeout, the seconds waited.
    """
    started_at = time.monotonic()
    analysed_s = float("inf")
    access = bootstrap.require_kafka(loaded)

    def is_done(service: str) -> bool:
        topics = TOPICS_READ[service]
        return reconciliation.has_acknowledged_all(access, f"openlfr-{service}", topics)

    supervisor.stop("cameras")
    try:
        what = "analysis to analyse every frame"
        _await(supervisor, what, lambda: is_done("analysis"), REST_TIMEOUT_S)
        analysed_s = time.monotonic() - started_at
        supervisor.stop("ingest-0", "ingest-1")
        supervisor.stop("analysis-0", "analysis-1")  # at their end they publish the last tallies
        what = "alerting to record all events"
        _await(supervisor, what, lambda: is_done("alerting"), REST_TIMEOUT_S)
    except Unavailable as error:
        monitor.problems.append(str(error))
    supervisor.close()
    return min(analysed_s, time.monotonic() - started_at)


def _evaluate(
    city: City,
    loaded: Settings,
    totals: CityTotals,
    monitor: CityMonitor,
    rest_s: float,
    started_at: datetime,
) -> Outcome:
    """Compute the outcome, and write figures and report."""
    totals.refresh()
    events = outcome.list_events(totals.records, require_authorisation(loaded).deployment_id)
    sent = SentLog(city.sent)
    access = bootstrap.require_kafka(loaded)
    records = reconciliation.read_topic(access, FRAMES.name)
    frames = (codec.decode_frame(each.value) for each in records)
    truth = compare_live(city.films, [each.event for each in events], read_numbers(frames))
    undisturbed = outcome.select_undisturbed(events, monitor.outage)
    result = outcome.Outcome(
        truth=truth,
        sightings=reconciliation.reconcile_topics(access, events),
        frames=tuple(
            reconciliation.count_frames(
                camera, len(sent.frames(camera)), totals.cameras.get(camera)
            )
            for camera in city.films
        ),
        latency=outcome.measure_latency(events),
        latency_undisturbed=outcome.measure_latency(undisturbed),
        outage=monitor.outage,
        waited=monitor.waited,
        rest_s=rest_s,
        seconds=city.seconds,
        problems=tuple(monitor.problems),
    )
    summary = outcome.summarise(
        loaded, totals.records, result, events=events, started_at=started_at, size=street.SIZE
    )
    write_report(summary, city.folder / "report")
    outcome.write_figures(result, city.folder / "city.json")
    return result


def _await(
    supervisor: Supervisor,
    what: str,
    condition: Callable[[], bool],
    timeout_s: float = START_TIMEOUT_S,
) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        supervisor.restart_dead()
        if time.monotonic() > deadline:
            raise Unavailable(f"Timed out after {timeout_s:.0f} s: {what}; see the logs.")
        time.sleep(POLL_S)


def _run_openlfr(city: City, *words: object) -> None:
    """Run an `openlfr` command to its end."""
    command = " ".join(map(str, words))
    say(f"  openlfr {command}")
    process = subprocess.run(
        [sys.executable, "-m", "openlfr", *map(str, words)],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, cwd=city.folder,
    )  # fmt: skip
    if process.returncode:
        raise Unavailable(f"openlfr {command}: {(process.stderr or process.stdout).strip()}")


def _print_films(city: City) -> None:
    for camera in city.street.cameras:
        say(
            f"  {camera.camera}: {camera.frames} frames, {camera.passes} passes,"
            f" {camera.listed_passes} of them by listed people"
        )
        for problem in camera.problems:
            say(f"  {problem}", err=True)
