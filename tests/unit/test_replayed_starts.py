"""The same film gives the same alerts whenever it starts, however its frames are batched.

What the models would say of a film is stored here as numbers (boxes, landmarks, scores, looks,
qualities, templates; drawn from seeds, of nobody), and replayed through the real Analyser. The
film holds what is decided by time at its borders: somebody gone for exactly `patience`, and
somebody near the threshold who is searched again exactly `settles_after` later.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pytest

from book_alone import BOOK_ALONE
from openlfr.adapters.memory.alert_book import MemoryAlertBook
from openlfr.domain.alerts import EventKind
from openlfr.domain.faces import Box, Detection, Quality
from openlfr.domain.frames import Frame
from openlfr.domain.ids import Ids
from openlfr.domain.impossible import Movement, Place
from openlfr.domain.templates import GalleryFacts, StoredTemplate, hash_template
from openlfr.domain.watchlist import ManifestEntry
from openlfr.operations.fold_sighting import fold_sighting
from openlfr.pipeline import Analyser
from openlfr.stages.search import ExactIndex
from openlfr.stages.track import LOOKS

STARTS = 34  # for each of the spacings: 204 in all
SECONDS = 2.4
WIDTH, HEIGHT = 160, 90
DIMENSION = 16
BATCHES = (1, 2, 3, 7, 16, 64)
SPACINGS = {
    "10": 10.0, "12.5": 12.5, "25": 25.0, "29.97": 30000 / 1001, "30": 30.0, "variable": 0.0
}  # fmt: skip
NEVER = datetime(2099, 1, 1, tzinfo=UTC)


def unit(rng, size, near=None, share=0.0):
    """A direction, alike to another one by `share`."""
    drawn = rng.normal(size=size)
    if near is not None:
        drawn -= near * (drawn @ near)
        drawn = share * near + np.sqrt(1 - share**2) * drawn / np.linalg.norm(drawn)
    return (drawn / np.linalg.norm(drawn)).astype(np.float32)


@dataclass(frozen=True)
class Face:
    detection: Detection
    quality: Quality
    looks: np.ndarray
    template: np.ndarray


@dataclass(frozen=True)
class Film:
    """When its frames were taken, microseconds from its start, and the faces in each."""

    times: tuple[int, ...]
    faces: tuple[tuple[Face, ...], ...]
    listed: dict[str, np.ndarray]


@cache
def film(spacing: str) -> Film:
    rng = np.random.default_rng(list(spacing.encode()))
    fps = SPACINGS[spacing]
    if fps:
        count = int(SECONDS * fps)
        times = [round(n / fps * 1e6) for n in range(count)]
    else:  # motion-triggered: bursts, and gaps of exactly the two limits
        steps = rng.choice([40_000, 66_667, 100_000, 200_000, 600_000, 800_000], 36)
        times = np.cumsum([0, *steps]).tolist()
    people = [unit(rng, DIMENSION) for _ in range(5)]
    coats = [unit(rng, LOOKS) for _ in people]
    shown: list[list[Face]] = [[] for _ in times]
    for person, (who, coat) in enumerate(zip(people, coats, strict=True)):
        row, left = divmod(person, 3)
        # Listed people are near the threshold: whether they are settled decides.
        share = rng.uniform(0.5, 0.75)
        last = -(10**9)
        for number, at in enumerate(times):
            gap = 600_000 if person % 2 else 800_000
            since = at - last
            # Of what is seen after one face, nothing is shown until exactly the gap is over.
            if number % 5 == person % 5 and since < gap - 2_000:
                continue
            if person % 3 == 0 and since < gap - 2_000 and (number // 6) % 2:
                continue
            last = at
            x = 8 + left * 48 + 10 * np.sin(at / 2e6 + person)
            box = Box(float(x), 4.0 + row * 28, 18.0, 22.0)
            marks = np.array([[5, 8], [13, 8], [9, 13], [6, 17], [12, 17]], np.float32)
            shown[number].append(
                Face(
                    Detection(box, marks + np.float32([box.x, box.y]), 0.9),
                    Quality(float(rng.uniform(16, 60)), 9.0, 0.5, 0.9, 1.0),
                    unit(rng, LOOKS, coat, 0.9),
                    unit(rng, DIMENSION, who, float(share)),
                )
            )
    listed = {f"person-{n}": people[n] for n in range(3)}
    return Film(tuple(times), tuple(map(tuple, shown)), listed)


class Replay:
    """Says of each frame what is stored of it; a picture carries no more than its number."""

    facts = GalleryFacts("stored", "0" * 64, DIMENSION, "arcface-112", 0.5)

    def __init__(self, shown: Film) -> None:
        self._faces = shown.faces

    def frames(self, start: datetime, camera: str, times):
        for number, at in enumerate(times):
            image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
            image[0, 0] = (*divmod(number, 256), 0)
            yield Frame(camera, 1, number, start + timedelta(microseconds=at), image)

    def detect(self, images, input_size):
        return [[face.detection for face in self._faces[_number(image)]] for image in images]

    def detect_again(self, images):
        return [[] for _ in images]  # before a picture is kept: nobody was overlooked

    def align(self, image, landmarks):
        aligned = np.zeros((len(landmarks), 112, 112, 3), np.uint8)
        for place, each in enumerate(aligned):
            each[0, 0], each[0, 1] = image[0, 0], place
        return aligned

    def looks(self, aligned):
        rows = [self._face(each).looks for each in aligned]
        return np.array(rows, np.float32).reshape(len(aligned), LOOKS)

    def assess(self, detections, aligned):
        return [self._face(each).quality for each in aligned]

    def embed(self, aligned):
        return np.stack([self._face(each).template for each in aligned])

    def _face(self, aligned) -> Face:
        return self._faces[_number(aligned)][int(aligned[0, 1, 0])]


def _number(image) -> int:
    return int(image[0, 0, 0]) * 256 + int(image[0, 0, 1])


def index_of(shown: Film) -> ExactIndex:
    stored = [
        StoredTemplate(name, "default", name, hash_template(vector), vector)
        for name, vector in shown.listed.items()
    ]
    listed = {
        t.reference_id: ManifestEntry("default", "wanted", t.template_hash, t.entry_hash, NEVER)
        for t in stored
    }
    return ExactIndex(listed, stored)


MOVEMENT = Movement({"north": Place(52.0, 13.0), "south": Place(52.001, 13.0)}, 10.0)


def alerts_of(spacing, start, batch, monkeypatch):
    """What a run of two cameras that show the film gives out, as the alert lines say it."""
    monkeypatch.setattr("time.thread_time", time.monotonic)  # it is slow, and not looked at here
    shown = film(spacing)
    stored = Replay(shown)
    for name in ("align", "looks", "assess"):
        monkeypatch.setattr(f"openlfr.pipeline.{name}", getattr(stored, name))
    index = index_of(shown)
    analyser = Analyser(
        ids=Ids("market", bytes(32)), detector=stored, embedder=stored, index=index, threshold=0.42,
    )  # fmt: skip
    # The second camera shows it a bit later, so that the frames of both alternate.
    late = timedelta(milliseconds=23)
    frames = [*stored.frames(start, "north", shown.times)]
    frames += stored.frames(start + late, "south", shown.times[: len(shown.times) // 2])
    frames.sort(key=lambda frame: frame.captured_at)
    found, closed = [], []
    for first in range(0, len(frames), batch):
        analysis = analyser.analyse(frames[first : first + batch])
        found += analysis.sightings
        closed += analysis.closed_tracks
    for camera in ("north", "south"):
        analysis = analyser.close_camera(camera)
        found += analysis.sightings
        closed += analysis.closed_tracks
    book, lines = MemoryAlertBook(), []
    for each in found:
        event = fold_sighting(
            book,
            each.sighting,
            window=timedelta(seconds=1),
            movement=MOVEMENT,
            directory=BOOK_ALONE,
        )
        assert event is not None
        seen = event.sighting
        why = event.impossible and str(event.impossible)
        lines.append(
            (str(event.event), seen.camera, seen.seq, seen.subject, seen.box, why, seen.score)
        )
    return lines, [(type(track), track.camera) for track in closed]


def assert_same(found, expected):
    (lines, tracks), (expected_lines, expected_tracks) = found, expected
    assert [line[:-1] for line in lines] == [line[:-1] for line in expected_lines]
    assert [line[-1] for line in lines] == pytest.approx(
        [line[-1] for line in expected_lines], abs=1e-4
    )
    assert tracks == expected_tracks


@pytest.mark.parametrize("spacing", SPACINGS)
def test_neither_the_start_nor_the_batch_changes_the_sightings(spacing, monkeypatch):
    rng = np.random.default_rng(8)
    whole = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    expected = alerts_of(spacing, whole, 1, monkeypatch)
    assert {line[0] for line in expected[0]} == set(EventKind), "the film must open and join"
    for turn, fraction in enumerate(rng.integers(0, 1_000_000, STARTS).tolist()):
        start = whole + timedelta(days=turn * 97, microseconds=fraction)
        found = alerts_of(spacing, start, BATCHES[turn % len(BATCHES)], monkeypatch)
        assert_same(found, expected)
