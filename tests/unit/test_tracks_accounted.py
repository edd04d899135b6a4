"""Every track that begins is searched, not searched for a reason, or lost for one: none vanishes.

The real Analyser over random runs: epochs, ends, batches of any size, failures in any call, and
cameras that are dropped, as a run that is ended or a worker that loses a camera drops them.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.deployments import deployment

from openlfr.adapters.capture.jpeg import encode_jpeg
from openlfr.adapters.faust.agents import Message
from openlfr.adapters.memory.vault import MemoryVault
from openlfr.domain.counts import LossReason, add_up
from openlfr.domain.faces import Box, Detection
from openlfr.domain.frames import EncodedFrame, Frame
from openlfr.domain.ids import Ids
from openlfr.domain.tally_collector import TallyCollector
from openlfr.domain.templates import GalleryFacts, StoredTemplate, hash_template
from openlfr.domain.watchlist import ManifestEntry
from openlfr.operations.camera_counts import counts_of
from openlfr.pipeline import Analyser
from openlfr.stages.search import ExactIndex
from openlfr.wire import codec
from openlfr_analysis.frame_batches import FrameBatchProcessor

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CAMERAS = ("gate", "yard")
PLACES = ((4, 6), (44, 6), (84, 6))
MARKS = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])
PICTURE = np.random.default_rng(0).integers(0, 255, (54, 128, 3)).astype(np.uint8)


class Models:
    """A detector that finds a face at each place in the frame, and can fail."""

    facts = GalleryFacts("drawn", "0" * 64, 2, "arcface-112", 0.5)

    def __init__(self) -> None:
        self.shown: list[tuple[int, ...]] = []
        self.fails = ""

    def detect(self, images, input_size):
        now, self.shown = self.shown[: len(images)], self.shown[len(images) :]
        if self.fails == "detect":
            raise ValueError("poison")
        return [[self._face(place) for place in places] for places in now]

    def detect_again(self, images):
        return [[] for _ in images]

    def embed(self, faces):
        if self.fails == "embed":
            raise ValueError("poison")
        return np.tile(np.float32([1, 0]), (len(faces), 1))

    @staticmethod
    def _face(place):
        x, y = PLACES[place]
        box = Box(x, y, 30, 36)
        return Detection(box, (MARKS * (30, 36) + (x, y)).astype(np.float32), 0.9)


def analyser_of(models):
    vector = np.float32([0.8, 0.6])
    listed = [StoredTemplate("r", "default", "ann", hash_template(vector), vector)]
    (ann,) = listed
    entry = ManifestEntry("default", "wanted", ann.template_hash, ann.entry_hash, NOON + 9 * HOUR)
    index = ExactIndex({"r": entry}, listed)
    return Analyser(
        ids=Ids("Market", bytes(32)), detector=models, embedder=models, index=index, threshold=0.5,
    )  # fmt: skip


frames = st.lists(
    st.tuples(
        st.sampled_from(CAMERAS),
        st.sets(st.integers(0, len(PLACES) - 1)).map(tuple),
        st.sampled_from([0.1, 0.4, 0.8, 1.0]),
    ),
    min_size=1,
    max_size=6,
)
camera = st.sampled_from(CAMERAS)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("look"), frames, st.sampled_from(["", "", "", "detect", "embed"])),
        st.tuples(st.just("epoch"), camera),
        st.tuples(st.just("finish"), camera, st.sampled_from(["", "", "embed"])),
        st.tuples(st.just("forget"), camera, st.sampled_from(LossReason)),
    ),
    max_size=14,
)
quick = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@quick
@given(steps)
def test_no_track_vanishes_from_a_run(steps):
    models = Models()
    analyser = analyser_of(models)
    tallying, done = TallyCollector("Market"), []
    epochs, seqs, at = Counter(), Counter(), NOON
    take = tallying.record_results

    for what, *words in steps:
        if what == "look":
            batch, models.fails = words
            given_frames, models.shown = [], []
            for name, places, later in batch:
                at += timedelta(seconds=later)
                seqs[name] += 1
                given_frames.append(Frame(name, epochs[name], seqs[name], at, PICTURE))
                tallying.record_arrival(given_frames[-1])
                models.shown.append(places)
            try:
                take(analyser.analyse(given_frames))
            except ValueError:
                assert models.fails
            models.fails = ""
        elif what == "epoch":
            epochs[words[0]] += 1
        elif what == "finish":
            name, models.fails = words
            try:
                take(analyser.close_camera(name))
            except ValueError:
                take(analyser.drop_camera(name, LossReason.FAILED))
            models.fails = ""
        else:
            take(analyser.drop_camera(*words))
    for name in CAMERAS:
        live = len(analyser._cameras[name].tracks) if name in analyser.cameras else 0
        take(analyser.drop_camera(name, LossReason.INTERRUPTED))
        tallying.close_stretch(name)
        done += tallying.take()
        counts = add_up(tuple(counts_of(each) for each in done if each.camera == name), name)
        assert counts.tracks_lost.get(LossReason.INTERRUPTED, 0) <= live or "forget" in str(steps)
        not_searched, lost = counts.tracks_not_searched, counts.tracks_lost
        assert counts.tracks_begun == (
            counts.tracks_searched + sum(not_searched.values()) + sum(lost.values())
        )
        assert counts.tracks_live == 0
        assert counts.tracks_matched <= counts.tracks_searched
        assert counts.tracks_matched <= counts.sightings


def message(name, epoch, seq, at, partition):
    frame = EncodedFrame("Market", name, epoch, seq, seq, at, 128, 54, JPEG)
    record = codec.encode_frame(frame)
    return Message(
        "frames.v1", partition, seq, record.value, record.headers, datetime.now(UTC).timestamp(),
        None,
    )  # fmt: skip


JPEG = encode_jpeg(PICTURE)
city_steps = st.lists(
    st.one_of(
        st.tuples(st.just("look"), frames, st.sampled_from(["", "", "detect", "embed"])),
        st.tuples(st.just("epoch"), camera),
        st.tuples(st.just("keep"), st.sets(st.integers(0, 1))),
    ),
    max_size=10,
)


@quick
@given(city_steps)
def test_no_track_vanishes_from_the_tallies_of_a_worker(steps):
    hours = deployment(NOON - HOUR, NOON + HOUR)
    models = Models()
    processor = FrameBatchProcessor(
        analyser_of(models), MemoryVault(), hours, max_age=HOUR, recorded=CAMERAS
    )
    tallies, epochs, seqs, at = [], Counter(dict.fromkeys(CAMERAS, 1)), Counter(), NOON

    def take(records):
        for topic, record in records:
            if topic == "tallies.v1":
                tallies.append(codec.decode_tally(record.value))

    ours = {0, 1}
    for what, *words in steps:
        if what == "look":
            batch, models.fails = words
            decoded, models.shown = [], []
            for name, places, later in batch:
                at += timedelta(seconds=later)
                seqs[name] += 1
                partition = CAMERAS.index(name)
                decoded.append(
                    processor.decode(message(name, epochs[name], seqs[name], at, partition))
                )
                if partition in ours:
                    models.shown.append(places)
            # A batch that fails is looked at again, frame by frame.
            models.shown += models.shown * 2
            take(processor.process(decoded))
            models.fails = ""
        elif what == "epoch":
            epochs[words[0]] += 1
        else:
            ours = words[0]
            take(processor.assign_partitions(ours))
    take(processor.leave())
    for name in CAMERAS:
        own = [each for each in tallies if each.camera == name]
        begun = sum(each.tracks_begun for each in own)
        lost = sum(sum(each.tracks_lost.values()) for each in own)
        not_searched = sum(sum(each.tracks_not_searched.values()) for each in own)
        assert begun == sum(each.tracks_searched for each in own) + not_searched + lost
        assert begun == sum(each.tracks_closed for each in own)


@pytest.mark.parametrize(
    ("give_up", "why"),
    [
        (lambda processor: processor.leave(), LossReason.INTERRUPTED),
        (lambda processor: processor.assign_partitions([]), LossReason.MOVED),
    ],
)
def test_a_track_dropped_unsearched_is_counted_with_its_reason(give_up, why):
    hours = deployment(NOON - HOUR, NOON + HOUR)
    models = Models()
    processor = FrameBatchProcessor(
        analyser_of(models), MemoryVault(), hours, max_age=HOUR, recorded=CAMERAS
    )
    models.shown = [(0, 2)]
    processor.process([processor.decode(message("gate", 1, 0, NOON, 0))])
    [(topic, record)] = give_up(processor)
    tally = codec.decode_tally(record.value)
    assert (topic, tally.tracks_begun, tally.tracks_closed) == ("tallies.v1", 2, 2)
    assert tally.tracks_searched + tally.tracks_lost.get(why, 0) == 2
