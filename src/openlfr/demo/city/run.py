"""The demonstration from the first film to the report; a worker is killed in the middle."""

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
from openlfr.demo.city import accounts, outcome, street
from openlfr.demo.city.alerts import AlertFollower
from openlfr.demo.city.measures import Counted
from openlfr.demo.city.processes import Supervisor
from openlfr.demo.city.truth import compare_live, read_numbers
from openlfr.demo.city.view import live_view
from openlfr.demo.city.watching import Watching, Workers
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

START_S = 300.0
"""How long services may take to be at work, on a busy machine."""
REST_S = 300.0
"""How long it may take until everything that was filmed is looked at and recorded."""
KILLED = "analysis-0"
KILL_AT = 0.45  # of the films
LOOK_S = 0.1
READS = {
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
    """Show the city at work.

    Args:
        folder: Is there and empty; gets films, CONFIG.yaml, logs, alerts.jsonl and the report.
        seconds: Length of the films.
        servers: Waits until they answer, and gives the addresses of kafka, redis, milvus and sql.
        progress: See `street.make_city`.

    Raises:
        Unavailable: A server, a camera or a service does not come up.
    """
    with step("Streets"):
        city = street.make_city(folder, seconds=seconds, progress=progress)
        _say_films(city)
    with step("Servers"):
        urls = servers()
        for name, url in urls.items():
            say(f"  {name}: {url}")
    with ExitStack() as closing:
        supervisor = closing.enter_context(Supervisor(folder / "logs"))
        with step("Services"):
            workers = _start(city, supervisor, urls)
        loaded = settings.load(city.config)
        follower = AlertFollower(bootstrap.kafka_brokers(loaded), folder / "alerts.jsonl")
        closing.callback(follower.close)
        counted = Counted(loaded, require_authorisation(loaded).deployment_id)
        closing.callback(counted.close)
        started_at = datetime.now(UTC)
        with step("Watch"), live_view() as view:
            watching = Watching(city, workers, supervisor, counted, follower, view)
            _film(watching, workers, supervisor, city)
        with step("Come to rest"):
            rested_s = _rest(watching, supervisor, loaded)
        with step("Accounts"):
            found = _account(city, loaded, counted, watching, rested_s, started_at)
        return found, view


def _film(watching: Watching, workers: Workers, supervisor: Supervisor, city: City) -> None:
    """From the first frame to the last one of the films."""
    for number in range(2):
        workers.start("ingest", number)
    deadline = time.monotonic() + START_S + 3 * city.seconds
    while not (watching.films_ended() and watching.worker_is_back()):
        supervisor.look()
        watching.look()
        if watching.outage is None and watching.elapsed >= KILL_AT * city.seconds:
            watching.kill(KILLED)
        if time.monotonic() > deadline:
            if not watching.films_ended():
                watching.problems.append("The cameras did not send their films to the end.")
            break
        time.sleep(LOOK_S)
    watching.end()


def _start(city: City, supervisor: Supervisor, urls: Mapping[str, str]) -> Workers:
    """Cameras, topics, schema, watchlist, alerting and analysis; ingest comes last."""
    videos = [f"{name}={folder / 'video.mp4'}" for name, folder in city.films.items()]
    cameras = supervisor.openlfr(
        "cameras", "simulate", "cameras", *videos, "--port", 0, "--log", city.sent
    )
    _await(
        supervisor, "the cameras",
        lambda: len(street.addresses(cameras.log.read_text("utf-8"))) == len(videos),
    )  # fmt: skip
    city.configure(cameras.log.read_text("utf-8"), urls)
    with ThreadPoolExecutor(1) as beside:
        topics = beside.submit(_openlfr, city, "topics", "apply", "--wait", "60")
        _openlfr(city, "records", "upgrade")
        _openlfr(city, "watchlist", "import", "manifest.csv")
        topics.result()
    workers = Workers(supervisor, city.config)
    workers.start("alerting", 0)
    for number in range(2):
        workers.start("analysis", number)
    for name in ("alerting", "analysis-0", "analysis-1"):
        _await(supervisor, name, partial(workers.is_ready, name))
        say(f"  {name}: at work, process {supervisor.kept[name].pid}")
    return workers


def _rest(watching: Watching, supervisor: Supervisor, loaded: Settings) -> float:
    """Switch the cameras off and wait until all that was filmed has been looked at and recorded.

    A camera that is gone ends its epoch, so that analysis waits for no further frame of it.

    Returns:
        Seconds until analysis had looked at every frame.
    """
    begun = time.monotonic()
    looked = float("inf")
    access = bootstrap.kafka_brokers(loaded)

    def done(service: str) -> bool:
        return accounts.is_done(access, f"openlfr-{service}", READS[service])

    supervisor.stop("cameras")
    try:
        _await(supervisor, "analysis to look at every frame", lambda: done("analysis"), REST_S)
        looked = time.monotonic() - begun
        supervisor.stop("ingest-0", "ingest-1")
        supervisor.stop("analysis-0", "analysis-1")  # their last tallies
        _await(supervisor, "alerting to record everything", lambda: done("alerting"), REST_S)
    except Unavailable as error:
        watching.problems.append(str(error))
    supervisor.close()
    return min(looked, time.monotonic() - begun)


def _account(
    city: City,
    loaded: Settings,
    counted: Counted,
    watching: Watching,
    rest_s: float,
    started_at: datetime,
) -> Outcome:
    """Count everything, write figures and report."""
    counted.look()
    events = outcome.all_events(counted.records, require_authorisation(loaded).deployment_id)
    sent = SentLog(city.sent)
    access = bootstrap.kafka_brokers(loaded)
    frames = (codec.decode_frame(each.value) for each in accounts.read_all(access, FRAMES.name))
    truth = compare_live(city.films, [each.event for each in events], read_numbers(frames))
    calm = outcome.undisturbed(events, watching.outage)
    found = outcome.Outcome(
        truth=truth,
        sightings=accounts.count_sightings(access, events),
        frames=tuple(
            accounts.frames_of(camera, len(sent.of(camera)), counted.totals.get(camera))
            for camera in city.films
        ),
        latency=outcome.latency_of(events),
        latency_undisturbed=outcome.latency_of(calm),
        outage=watching.outage,
        waited=watching.waited,
        rest_s=rest_s,
        seconds=city.seconds,
        problems=tuple(watching.problems),
    )
    summary = outcome.summarise(
        loaded, counted.records, found, events=events, started_at=started_at, size=street.SIZE
    )
    write_report(summary, city.folder / "report")
    outcome.write_figures(found, city.folder / "city.json")
    return found


def _await(
    supervisor: Supervisor, what: str, condition: Callable[[], bool], patience: float = START_S
) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        supervisor.look()
        if time.monotonic() > deadline:
            raise Unavailable(f"Waited {patience:.0f} s in vain for {what}; see the logs.")
        time.sleep(LOOK_S)


def _openlfr(city: City, *words: object) -> None:
    """Run a command as its user would, to its end."""
    shown = " ".join(map(str, words))
    say(f"  openlfr {shown}")
    done = subprocess.run(
        [sys.executable, "-m", "openlfr", *map(str, words)],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, cwd=city.folder,
    )  # fmt: skip
    if done.returncode:
        raise Unavailable(f"openlfr {shown}: {(done.stderr or done.stdout).strip()}")


def _say_films(city: City) -> None:
    for camera in city.street.cameras:
        say(
            f"  {camera.camera}: {camera.frames} frames, {camera.passes} passes,"
            f" {camera.listed_passes} of them by listed people"
        )
        for problem in camera.problems:
            say(f"  {problem}", err=True)
