"""One trace from capture to alert: the same id through ingest, analysis and alerting."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import structlog
from tests.deployments import configured, deployment
from tests.sightings import sighting_of

from book_alone import BOOK_ALONE
from openlfr.adapters.capture.counters import SourceCounters
from openlfr.adapters.faust.agents import Message
from openlfr.adapters.memory.alert_book import MemoryAlertBook
from openlfr.adapters.memory.vault import MemoryVault
from openlfr.adapters.telemetry import tracing
from openlfr.bootstrap import make_ids
from openlfr.domain.analysis import Analysis, SightingWithEvidence
from openlfr.domain.evidence import Evidence, Scene
from openlfr.domain.faces import Box
from openlfr.domain.frames import Frame
from openlfr.domain.impossible import Movement
from openlfr.wire.headers import read_headers
from openlfr_alerting.folding import SightingProcessor
from openlfr_analysis.frame_batches import FrameBatchProcessor
from openlfr_ingest.filming import FilmingSession, Senders

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DEPLOYMENT = deployment(NOON - HOUR, NOON + HOUR)
BEST = 1  # the frame that shows the face best


class Source:
    is_live, fps, frame_count, counters = False, 10.0, None, SourceCounters()

    def frames(self):
        for seq in range(4):
            at = NOON + timedelta(seconds=seq / 10)
            yield Frame("gate", 1, seq, at, np.zeros((360, 640, 3), np.uint8))

    def close(self):
        pass


class Kafka:
    """A sender that records its messages."""

    def __init__(self):
        self.records = []

    def send(self, record, *, wait, stop, on_done=lambda _: None):
        self.records.append(record)
        on_done(True)
        return True

    def flush(self, timeout):
        pass


class FindsOne:
    """An analyser that tells at the third frame whom an earlier one shows."""

    def analyse(self, frames):
        found = tuple(sighted(BEST) for frame in frames if frame.seq == 2)
        return Analysis(found, faces=(1,) * len(frames))

    def close_camera(self, camera):
        return Analysis()

    def is_quiet(self, camera):
        return True


VAULT = MemoryVault()


def sighted(seq):
    box = Box(10, 20, 30, 40)
    scene = Scene(np.full((3, 6, 3), 50, np.uint8), 120, 640, 360)
    return SightingWithEvidence(
        sighting_of(
            ids=make_ids("Market", VAULT),
            deployment="Market", camera="gate", epoch=1, seq=seq, subject="ann",
            watchlist="default", reference_id="r", captured_at=NOON, box=box, score=0.5,
            threshold=0.4, quality=50.0,
        ),
        Evidence(scene, np.full((40, 30, 3), 90, np.uint8), box),
    )  # fmt: skip


def delivered(topic, records):
    now = datetime.now(UTC).timestamp()
    return [
        Message(topic, 0, n, each.value, each.headers, now, None, each.key)
        for n, each in enumerate(records)
    ]


def traceparent(record):
    return read_headers(record.headers).traceparent


def test_an_alert_is_in_the_trace_of_the_frame_that_shows_the_face():
    kafka, tallies, vault = Kafka(), Kafka(), VAULT
    film = FilmingSession(
        "gate", Source(), Senders(kafka, tallies), DEPLOYMENT, loop=False, paced=False,
        lossless=True, traceparent=tracing.begin_trace,
    )  # fmt: skip
    film.run(threading.Event())
    frames = kafka.records[:4]
    assert len({tracing.trace_id(traceparent(each)) for each in frames}) == 4

    processor = FrameBatchProcessor(FindsOne(), vault, DEPLOYMENT, max_age=None)
    with structlog.testing.capture_logs() as logs:
        given = processor.process(
            [processor.decode(each) for each in delivered("frames.v1", frames)]
        )
        [sighting] = [record for topic, record in given if topic == "sightings.v1"]
        folding = SightingProcessor(
            MemoryAlertBook(), vault, deployments=lambda _: configured(NOON - HOUR, NOON + HOUR),
            window=timedelta(seconds=30),
            movement=Movement({}, 36.0), directory=BOOK_ALONE,
        )  # fmt: skip
        [(topic, alert)] = folding.fold(delivered("sightings.v1", [sighting]))
    assert topic == "alerts.v1"
    steps = [traceparent(each) for each in (frames[BEST], sighting, alert)]
    assert len({tracing.trace_id(each) for each in steps}) == 1
    assert len(set(steps)) == 3  # each step has a span of its own
    traces = {line["event"]: line["trace"] for line in logs if "trace" in line}
    assert traces == dict.fromkeys(("sighting", "alert"), tracing.trace_id(steps[0]))
