"""The city-wide mode on real servers: the same alerts as one process, despite killed services.

The services run once for all tests here; each test films a camera of its own, at a time of its
own, so that no alert of one is joined by another's.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from running_city import ANALYSIS, PATIENCE_S, City, Process, seen
from small_street import FILMED, Place, camera

from openlfr import bootstrap, settings
from openlfr.adapters.capture.jpeg import encode_jpeg
from openlfr.cli import main
from openlfr.operations.baseline_figures import figures_by_baseline
from openlfr.operations.evidence import decode, evidence_name
from openlfr.stages.probe import ProbeRules
from openlfr.wire import codec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from openlfr.adapters.sql.records import Records
    from openlfr.domain.baseline_figures import FiguresByBaseline

pytestmark = [pytest.mark.service, pytest.mark.timeout(900)]

ROUNDS, PAUSE = 2, 12  # of the long film; frames of darkness between, in which every track ends
HALF_HOUR = timedelta(minutes=30)  # more than the window of an alert
IN_FORCE = timedelta(seconds=2 + 28)
"""A removal is in force after 2 s; no bar of a machine that lets each process wait for its turn."""
PASS = timedelta(seconds=6)  # the time in which each person of the street passes once


@pytest.fixture(scope="module")
def film(street) -> list[bytes]:
    """The street's frames as JPEG files."""
    with av.open(str(street.video)) as video:
        return [encode_jpeg(frame.to_ndarray(format="bgr24")) for frame in video.decode(video=0)]


@pytest.fixture(scope="module")
def cameras(tmp_path_factory, street, film) -> dict[str, str]:
    """The cameras of the city; `yard` shows the street several times over.

    The key decides the partition: yard and stairs share one.
    """
    dark = [encode_jpeg(np.zeros((540, 960, 3), np.uint8))] * PAUSE
    folders = {}
    for name, frames in (("short", film), ("long", [*film, *dark] * ROUNDS)):
        folders[name] = tmp_path_factory.mktemp(name)
        for number, content in enumerate(frames):
            (folders[name] / f"{number:04d}.jpg").write_bytes(content)
    jpegs = ", fps: 10"
    return {
        "gate": camera(folders["short"], extra=jpegs),
        "yard": camera(folders["long"], start=FILMED + HALF_HOUR, extra=jpegs),
        "stairs": camera(folders["short"], start=FILMED + 4 * HALF_HOUR, extra=jpegs),
        "lane": camera(street.video, start=FILMED + 2 * HALF_HOUR),
        "pier": camera(folders["short"], start=FILMED + 3 * HALF_HOUR, extra=jpegs),
        "square": camera(folders["short"], start=None, extra=jpegs + ", loop: true"),
        "plaza": camera(folders["short"], start=None, extra=jpegs + ", loop: true"),
    }


@pytest.fixture(scope="module")
def one_process(tmp_path_factory, street, enrolled, model_store, cameras) -> Place:
    """The place of one process that analysed the same cameras."""
    place = Place(tmp_path_factory.mktemp("embedded"), model_store.folder, street.video)
    shutil.copytree(enrolled, place.data)
    place.configure(
        **{name: set_up for name, set_up in cameras.items() if name not in ("plaza", "square")}
    )
    words = ["run", str(place.config), "--quiet", "--as-fast-as-possible"]
    assert main([*words, "--alerts", str(place.folder / "alerts.jsonl")]) == 0
    return place


@pytest.fixture(scope="module")
def city(tmp_path_factory, street, enrolled, model_store, cameras, servers) -> Iterator[City]:
    """The running services with a watchlist and the one process's key; nothing is filmed yet."""
    place = Place(tmp_path_factory.mktemp("city"), model_store.folder, street.video)
    place.data.mkdir()
    shutil.copy2(enrolled / "vault.key", place.data)  # the key of the ids
    urls = {name: servers.url(name) for name in ("kafka", "redis", "milvus", "sql")}
    place.configure(
        "services:\n"
        + "".join(f"  {name}: {url}\n" for name, url in urls.items())
        # Frames are retained for a killed worker as long as a slow machine needs.
        + "topics: {replication: 1, frames_retention: 30m, frames_transit: 1h}\n",
        **cameras,
    )
    words = ["--config", str(place.config)]
    assert main(["topics", "apply", *words, "--wait", "240"]) == 0
    assert main(["records", "upgrade", *words]) == 0
    assert main(["watchlist", "import", str(street.manifest), *words]) == 0
    running = City(place, urls["kafka"].removeprefix("kafka://"))
    try:
        yield running
        running.end("analysis")
        running.end("alerting")
    finally:
        running.close()


def of(place: Place, *names: str) -> list[dict[str, Any]]:
    """The alert lines that one process gave of these cameras."""
    lines = [line for line in place.lines() if line["camera"] in names]
    assert {(line["camera"], line["event"]) for line in lines} >= {(n, "opened") for n in names}
    return lines


def scores(records: Records, *names: str) -> dict[str, float]:
    """Return the unrounded scores of these cameras' events."""
    alerts = records.alerts.list(deployment="Market")
    events = [each.event for alert in alerts for each in records.alerts.events(alert.alert_id)]
    return {each.event_id: each.sighting.score for each in events if each.sighting.camera in names}


def test_the_same_jpegs_yield_the_alerts_of_one_process(city: City, one_process: Place) -> None:
    expected = of(one_process, "gate")
    assert city.filmed(city.film("gate")) == ["gate: 60 sent"]
    assert seen(city.wait_for_alerts(len(expected), "gate")) == seen(expected)
    with (
        closing(bootstrap.open_records(settings.load(city.place.config))) as records,
        closing(bootstrap.open_records(settings.load(one_process.config))) as theirs,
    ):
        city.wait_for("records", lambda: len(scores(records, "gate")) >= len(expected))
        assert scores(records, "gate") == pytest.approx(scores(theirs, "gate"), abs=1e-4)


def counted(config: Path, camera: str) -> tuple[Any, Any]:
    """Return a camera's counts in the records of a place; None before there are any."""
    with closing(bootstrap.open_records(settings.load(config))) as records:
        totals = {each.camera: each for each in records.tallies.totals("Market")}
        return totals.get(camera), records.tallies.histograms("Market", camera)


def assert_same_scores(found: Mapping[int, int], expected: Mapping[int, int]) -> None:
    """Check that scores agree except for rounding, which may move a score to the next bin."""
    one, other = (sorted(Counter(each).elements()) for each in (found, expected))
    assert all(abs(a - b) <= 1 for a, b in zip(one, other, strict=True)), (found, expected)


def test_the_same_jpegs_are_counted_as_by_one_process(city: City, one_process: Place) -> None:
    if not city.alerts("gate"):
        city.film("gate")
    totals, histograms = counted(one_process.config, "gate")
    city.wait_for(
        "all frames",
        lambda: (t := counted(city.place.config, "gate")[0]) and t.frames_analysed >= 60,
    )
    city.rest("analysis", "alerting")
    theirs, their_histograms = counted(city.place.config, "gate")
    assert theirs == totals
    assert totals.watched_us == 5_900_000
    assert totals.tracks_searched >= 6
    assert their_histograms.measures == histograms.measures
    assert_same_scores(their_histograms.fine_scores, histograms.fine_scores)
    assert_same_scores(their_histograms.control_scores, histograms.control_scores)
    assert sum(map(sum, histograms.scores.values())) == sum(histograms.fine_scores.values())


def test_the_fate_of_every_frame_is_in_the_records(
    city: City, one_process: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    if not city.alerts("gate"):
        city.film("gate")
    with closing(bootstrap.open_records(settings.load(city.place.config))) as records:

        def totals() -> Any:
            return next((t for t in records.tallies.totals("Market") if t.camera == "gate"), None)

        city.wait_for("all frames", lambda: totals() and totals().frames_analysed >= 60)
        city.rest("analysis", "alerting")
        gate = totals()
        assert gate.frames_analysed == 60
        assert gate.tracks_closed == gate.tracks_searched + sum(gate.tracks_not_searched.values())
        assert sum(map(sum, records.tallies.histograms("Market", "gate").scores.values())) >= 2
        folded = len(scores(records, "gate"))
    capsys.readouterr()
    words = ["--config", str(city.place.config), "--camera", "gate", "--json"]
    assert main(["counts", *words]) == 0
    counted = json.loads(capsys.readouterr().out)["total"]
    assert (counted["frames"], counted["tracks"]) == (60, gate.tracks_begun)
    assert counted["sightings"] == counted["events"] == gate.sightings == folded
    assert counted["alerts"] == len([e for e in city.alerts("gate") if e["event"] == "opened"])


def figures(place: Place) -> FiguresByBaseline:
    """Return the counts of each baseline in the records of a place."""
    with closing(bootstrap.open_records(settings.load(place.config))) as records:
        events = records.alerts.events_of_run("Market", None)
        return figures_by_baseline(records.baselines, records.tallies, "Market", events)


def openings(place: Place) -> list[int]:
    """Return the number of listed people in each baseline of a place."""
    with closing(bootstrap.open_records(settings.load(place.config))) as records:
        return [each.baseline.listed.references for each in records.baselines.openings_of("Market")]


def assert_they_make_the_whole(place: Place, given: FiguresByBaseline) -> None:
    """Check that every frame and track is in one baseline."""
    with closing(bootstrap.open_records(settings.load(place.config))) as records:
        totals = records.tallies.totals("Market")
    for name in ("frames_analysed", "faces_detected", "tracks_begun", "tracks_closed", "sightings"):
        whole = sum(getattr(each, name) for each in totals)
        assert sum(getattr(each.counts, name) for each in given.baselines) == whole


def test_a_city_s_baseline_equals_that_of_one_process(city: City, one_process: Place) -> None:
    if not city.alerts("gate"):
        city.film("gate")
    city.wait_for(
        "all frames",
        lambda: (t := counted(city.place.config, "gate")[0]) and t.frames_analysed >= 60,
    )
    city.rest("analysis", "alerting")
    found = [
        [each for each in figures(p).baselines if each.opening] for p in (city.place, one_process)
    ]
    for baselines in found:
        assert [each.number for each in baselines] == [1]
    here, there = (each[0].opening.baseline for each in found if each[0].opening)
    assert here.listed.parts == there.listed.parts  # each place has its own ids of entries
    assert here.pool == there.pool
    assert here.threshold == there.threshold
    assert_they_make_the_whole(city.place, figures(city.place))
    assert figures(city.place).baselines[-1].counts.alerts_opened >= 1


def test_no_pass_is_lost_or_opened_twice_though_services_are_killed_and_redis_is_restarted(
    city: City, one_process: Place, servers: Any
) -> None:
    both = "yard", "stairs"
    expected = of(one_process, *both)
    # As they were filmed, so that frames are still to come when the first have given an alert.
    filming = city.film(*both, as_filmed=True)
    city.start("alerting-1")  # remains for the other tests, as one of two relays
    city.wait_for_alerts(1, *both)
    city.kill("analysis")
    city.wait_for_alerts(len(expected) // 3, *both)
    city.kill("alerting")
    servers.kill("redis", signal.SIGTERM)()
    city.wait_for_alerts(len(expected) // 2, *both)
    city.kill("alerting-1", "analysis")
    assert city.filmed(filming) == ["stairs: 60 sent", f"yard: {ROUNDS * (60 + PAUSE)} sent"]
    given = city.wait_for_alerts(len(expected), *both)
    city.rest("analysis", "alerting")  # so that nothing more may come
    assert seen(city.alerts(*both)) == seen(given) == seen(expected)
    loaded = settings.load(city.place.config)
    with closing(bootstrap.open_records(loaded)) as records:
        assert scores(records, *both).keys() == {line["event_id"] for line in expected}
    with closing(bootstrap.open_alert_book(loaded)) as book:
        events = [each for each in book.events("Market") if each.sighting.camera in both]
    assert {event.event_id for event in events} == {line["event_id"] for line in expected}
    vault = bootstrap.open_vault(loaded)
    for event in events:
        assert decode(vault.get(evidence_name(event.sighting.sighting_id))).face.size


def test_the_same_video_yields_the_same_passes(city: City, one_process: Place, street) -> None:
    """Ingest makes JPEGs of the video, so that boxes and scores may differ slightly.

    Where a quality lies at a limit a line's probe is doubted, or not yet settled, on one side
    alone: its score is then another by one of these steps, and its faces are not quite the same.
    """
    rules = ProbeRules()
    steps = [rules.doubt, rules.unsettled, rules.doubt + rules.unsettled]

    def best(lines: list[dict[str, Any]]) -> dict[tuple[str, str | None], float]:
        found: dict[tuple[str, str | None], float] = {}
        for line in lines:
            walk = line["subject"], street.person_at(line)
            found[walk] = max(found.get(walk, -1.0), line["score"])
        return found

    expected = of(one_process, "lane")
    assert city.filmed(city.film("lane")) == ["lane: 60 sent"]
    given = city.wait_for_alerts(len(expected), "lane")
    assert best(given).keys() == best(expected).keys()
    for walk, score in best(expected).items():
        apart = abs(best(given)[walk] - score)
        stepped = min(abs(apart - step) for step in steps)
        assert apart <= 0.02 or stepped <= 0.03, (walk, given, expected)
    assert {subject == person for subject, person in best(given)} == {True}


def test_a_search_on_the_milvus_server_yields_the_same_alerts(
    city: City, one_process: Place
) -> None:
    expected = of(one_process, "pier")
    city.rest("analysis")
    city.search("milvus")
    assert city.filmed(city.film("pier")) == ["pier: 60 sent"]
    assert seen(city.wait_for_alerts(len(expected), "pier")) == seen(expected)
    with (
        closing(bootstrap.open_records(settings.load(city.place.config))) as records,
        closing(bootstrap.open_records(settings.load(one_process.config))) as theirs,
    ):
        city.rest("alerting")
        assert scores(records, "pier") == pytest.approx(scores(theirs, "pier"), abs=1e-4)
    city.rest("analysis")


def test_a_pause_stops_ingest_and_analysis_and_a_resume_brings_alerts_again(city: City) -> None:
    def deployment(act: str) -> datetime:
        """Run the command, and return the time of its act."""
        words = ["deployment", act, "Market", "--by", "Otto", "--config", str(city.place.config)]
        done = subprocess.run(
            [sys.executable, "-m", "openlfr", *words], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done
        assert "within 2 seconds" in done.stdout
        with closing(bootstrap.open_records(settings.load(city.place.config))) as records:
            *_, last = records.audit.all(object_kind="deployment")
        return last.at

    def paused(name: str) -> bool:
        return '"not_in_force"' in city.running[name].read_output()

    filming = city.film("square", as_filmed=True)
    city.running["ingest"] = filming
    city.wait_for_alerts(1, "square")
    with closing(KafkaConsumer(bootstrap_servers=city.broker, group_id=None)) as consumer:
        topics = "frames.v1", "sightings.v1"
        parts = [TopicPartition(t, n) for t in topics for n in consumer.partitions_for_topic(t)]
        consumer.assign(parts)
        consumer.seek_to_end()
        before = {each: consumer.position(each) for each in parts}

        at = deployment("pause")
        city.wait_for("pause", lambda: paused("ingest") and paused("analysis"))
        city.kill("analysis")  # a worker started during the pause stays paused
        city.wait_for("pause of a new worker", lambda: paused("analysis"))
        ends = consumer.end_offsets(parts)
        assert sum(ends.values()) > sum(before.values())

        written: dict[str, list[datetime]] = {"frames.v1": [], "sightings.v1": []}
        frames = []
        while any(consumer.position(each) < ends[each] for each in parts):
            for records in consumer.poll(timeout_ms=500).values():
                for record in records:
                    moment = datetime.fromtimestamp(record.timestamp / 1000, UTC)
                    written[record.topic].append(moment)
                    frames += [record] if record.topic == "frames.v1" else []
        latest = {topic: (max(moments) - at).total_seconds() for topic, moments in written.items()
                  if moments}  # fmt: skip
        assert max(latest.values()) <= IN_FORCE.total_seconds(), latest

        # A frame sent despite the pause is counted and not analysed.
        last = replace(codec.decode_frame(frames[-1].value), camera="smuggled", seq=0)
        with closing(KafkaProducer(bootstrap_servers=city.broker)) as producer:
            for each in (last, replace(last, seq=1, jpeg=b"", ended=True)):
                record = codec.encode_frame(each)
                producer.send(
                    "frames.v1", key=record.key, value=record.value, headers=record.headers,
                    partition=frames[-1].partition,
                ).get(PATIENCE_S)  # fmt: skip
        city.wait_for(
            "count",
            lambda: (t := counted(city.place.config, "smuggled")[0]) and t.frames_paused,
        )
        assert counted(city.place.config, "smuggled")[0].frames_analysed == 0
        given = len(city.alerts("square"))

        deployment("resume")
        city.wait_for_alerts(given + 1, "square")
    filming.popen.terminate()
    assert filming.popen.wait(PATIENCE_S) == 130, filming.read_output()
    del city.running["ingest"]


def test_another_deployment_on_the_same_city_has_its_own_cameras_list_and_pauses(
    city: City, one_process: Place, street
) -> None:
    """One alerting, one gallery, one frames topic; a camera of the same name, filmed by each."""
    listed = sorted(street.listed)[0]
    manifest = street.manifest.with_name("fair.csv")
    head, *rows = street.manifest.read_text().splitlines()
    mine = [row for row in rows if row.startswith(f"{listed},")]
    manifest.write_text("\n".join((head, *mine)) + "\n")
    config = city.place.config.with_name("fair.yaml")
    gate = next(
        line for line in city.place.config.read_text().splitlines() if line.startswith("  gate:")
    )
    text = city.place.config.read_text().replace("Market", "Fair")
    others = re.compile(r"(?<=^cameras:\n)(?:  .*\n)+", re.MULTILINE)
    config.write_text(others.sub(lambda _: gate + "\n", text) + "watchlists: [fair]\n")
    words = ["--config", str(config)]
    assert main(["records", "upgrade", *words]) == 0
    assert main(["watchlist", "import", str(manifest), "--watchlist", "fair", *words]) == 0

    analysis = Process(
        city.place.folder, "analysis-fair", "-c", ANALYSIS, "service", "analysis", *words,
        OPENLFR_GROUP=f"analysis-fair-{city.place.folder.name}",
    )  # fmt: skip
    ingest = Process(
        city.place.folder, "ingest-fair", "-m", "openlfr", "service", "ingest", *words,
        "--epoch", 1, "--as-fast-as-possible",
    )  # fmt: skip

    def given() -> list[tuple[Any, ...]]:
        with closing(bootstrap.open_records(settings.load(config))) as records:
            alerts = records.alerts.list(deployment="Fair")
            events = [each.event for a in alerts for each in records.alerts.events(a.alert_id)]
        seen = [each.sighting for each in events]
        return sorted((each.subject, each.camera, each.seq) for each in seen)

    def analysed() -> list[tuple[str, int]]:
        with closing(bootstrap.open_records(settings.load(config))) as records:
            return [(each.camera, each.frames_analysed) for each in records.tallies.totals("Fair")]

    def others_know() -> bool:
        return '"other_deployment"' in city.running["analysis"].read_output()

    expected = sorted(
        (line["subject"], line["camera"], line["frame_index"])
        for line in of(one_process, "gate")
        if line["subject"] == listed
    )
    try:
        assert ingest.popen.wait(PATIENCE_S) == 0, ingest.read_output()
        city.wait_for("alerts of Fair", lambda: given() == expected)
        city.wait_for("frames of Fair left to Fair", others_know)
        city.wait_for("all frames", lambda: analysed() == [("gate", 60)])
        paused_before = city.running["analysis"].read_output().count('"not_in_force"')
        assert main(["deployment", "pause", "Fair", "--by", "Otto", *words]) == 0
        city.wait_for("pause", lambda: '"not_in_force"' in analysis.read_output())
        city.rest("analysis", "alerting")
        assert given() == expected
        assert city.running["analysis"].read_output().count('"not_in_force"') == paused_before
        with closing(bootstrap.open_records(settings.load(config))) as records:
            statuses = {each.name: each.status for each in records.deployments.list()}
        assert (statuses["Market"], statuses["Fair"]) == ("started", "paused")
    finally:
        for each in (analysis, ingest):
            each.popen.kill()
            each.popen.wait()


def test_nobody_is_sighted_who_was_captured_after_being_removed(city: City, street) -> None:
    """The last one: it leaves the city without its subjects, whichever way they are searched."""

    def captured(subject: str) -> list[datetime]:
        lines = (line for line in city.alerts("plaza") if line["subject"] == subject)
        return [datetime.fromisoformat(line["captured_at"]) for line in lines]

    def remove(subject: str) -> datetime:
        """Remove a person in sight; return the time after which no capture may be reported."""
        begun = datetime.now(UTC)
        city.wait_for(subject, lambda: max(captured(subject), default=begun) > begun)
        words = ["--by", "Otto", "--config", str(city.place.config)]
        assert main(["watchlist", "remove", subject, *words]) == 0
        with closing(bootstrap.open_records(settings.load(city.place.config))) as records:
            *_, removed = (each for each in records.audit.all() if each.kind == "reference.removed")
        return removed.at + IN_FORCE

    first, second = sorted(street.listed)
    city.search("milvus")
    filming = city.film("plaza", as_filmed=True)  # without end: both people pass repeatedly
    limits = {first: remove(first)}
    gone = 1.5 * PASS  # so long nobody is away who is still sighted
    city.wait_for("the other", lambda: max(captured(second)) > max(captured(first)) + gone)
    city.search("snapshot")
    limits[second] = remove(second)
    city.wait_for("another pass", lambda: datetime.now(UTC) > max(captured(second)) + gone)
    # What is looked at and in no whole tally yet comes again where a worker ends: wait for one.
    city.wait_for("the third baseline", lambda: openings(city.place)[-1] == 0)
    filming.popen.terminate()
    assert filming.popen.wait(PATIENCE_S) == 130, filming.read_output()
    city.rest("analysis", "alerting")
    for subject, limit in limits.items():
        assert max(captured(subject)) <= limit
    assert openings(city.place) == [2, 1, 0]
    assert_they_make_the_whole(city.place, figures(city.place))
