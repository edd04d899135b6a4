"""No content of a message stops the processor; unusable messages become dead letters."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import structlog
from tests.deployments import deployment
from tests.sightings import sighting_of

from openlfr.adapters.capture.jpeg import encode_jpeg
from openlfr.adapters.faust.agents import Message
from openlfr.adapters.memory.vault import MemoryVault
from openlfr.domain.analysis import Analysis, LostTrack, SearchedTrack, SightingWithEvidence
from openlfr.domain.counts import LossReason
from openlfr.domain.deployment import DeploymentStatus
from openlfr.domain.errors import Unavailable
from openlfr.domain.evidence import Evidence, Scene
from openlfr.domain.faces import Box
from openlfr.domain.frames import EncodedFrame
from openlfr.domain.watching import UnwatchedReason
from openlfr.wire import codec
from openlfr_analysis.acknowledgement_queue import FrameId
from openlfr_analysis.frame_batches import FrameBatchProcessor
from openlfr_analysis.unanalysed_messages import MAX_LATE_IN_A_ROW

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR, SHORT = timedelta(hours=1), timedelta(seconds=2)
DEPLOYMENT = deployment(NOON - HOUR, NOON + HOUR)
FRAME = EncodedFrame(
    "Market", "gate", 1, 0, 0, NOON, 8, 8, encode_jpeg(np.zeros((8, 8, 3), np.uint8))
)


class FakeAnalyser:
    """An analyser that finds nobody, fails on frame 13, and ends a track with each `finish`."""

    def __init__(self, error=ValueError):
        self.seen, self.error, self.busy = [], error, set()

    def analyse(self, frames):
        if any(frame.seq == 13 for frame in frames):
            raise self.error("frame 13")
        self.seen += [frame.seq for frame in frames]
        return Analysis(faces=(2,) * len(frames))

    def close_camera(self, camera):
        self.seen.append(f"end of {camera}")
        return Analysis(closed_tracks=(SearchedTrack(camera=camera, score=0.3, quality=55.0),))

    def drop_camera(self, camera, why):
        self.seen.append(f"{camera} forgotten")
        return Analysis(closed_tracks=(LostTrack(camera=camera, reason=why),) * self.live)

    cameras = ()
    live = 0

    def is_quiet(self, camera):
        return camera not in self.busy


def message(frame=FRAME, *, age=0.0, value=None, headers=None, partition=3, offset=None):
    record = codec.encode_frame(frame)
    written = datetime.now(UTC).timestamp() - age
    return Message(
        "frames.v1", partition, 17 + frame.seq if offset is None else offset,
        record.value if value is None else value,
        record.headers if headers is None else headers, written, None,
    )  # fmt: skip


def end_at(seq, **more):
    return replace(FRAME, seq=seq, jpeg=b"", ended=True, **more)


def processor_of(analyser=None, **more):
    more = {"max_age": None} | more
    return FrameBatchProcessor(analyser or FakeAnalyser(), MemoryVault(), DEPLOYMENT, **more)


def tallies_of(processor, *messages):
    """The tallies of processed messages."""
    records = processor.process([processor.decode(each) for each in messages])
    return [codec.decode_tally(r.value) for topic, r in records if topic == "tallies.v1"]


def process(*messages, analyser=None, **more):
    processor = processor_of(analyser, **more)
    records = processor.process([processor.decode(each) for each in messages])
    return processor, [(topic, codec.decode_dead_letter(record.value)) for topic, record in records]


@pytest.mark.parametrize(
    ("poison", "reason"),
    [
        (message(value=b"\x0a"), "Frame"),
        (message(headers=[("schema", b"openlfr.wire.v1.Alert")]), "Alert"),
        (message(replace(FRAME, jpeg=b"no picture")), "picture cannot be decoded"),
        (message(replace(FRAME, seq=13)), "cannot be analysed: ValueError"),
    ],
)
def test_an_unusable_message_is_a_dead_letter_with_its_place_and_no_picture(poison, reason):
    analyser = FakeAnalyser()
    _, letters = process(poison, message(replace(FRAME, seq=14)), analyser=analyser)
    assert 14 in analyser.seen
    [(topic, letter)] = letters
    assert topic == "dead-letters.v1"
    assert (letter.topic, letter.partition, letter.offset) == ("frames.v1", 3, poison.offset)
    assert reason in letter.reason
    assert letter.value_bytes == len(poison.value)


def test_another_deployments_frames_are_skipped_and_logged_once():
    other = replace(FRAME, deployment="Other")
    with structlog.testing.capture_logs() as logs:
        processor, letters = process(*(message(replace(other, seq=seq)) for seq in range(3)))
    assert letters == []
    assert processor.counts == {"of_another_deployment": 3}
    assert [line["deployment"] for line in logs] == ["Other"]


def test_tracks_whose_search_fails_are_dropped_and_counted():
    class Poisoned(FakeAnalyser):
        def close_camera(self, camera):
            raise ValueError("a face that the models cannot bear")

    analyser = Poisoned()
    processor = processor_of(analyser)
    [(topic, _)] = processor.process(
        [processor.decode(each) for each in (message(), message(end_at(1)))]
    )
    assert topic == "tallies.v1"
    assert analyser.seen == [0, "gate forgotten"]
    assert (processor.counts["tracks_failed"], processor.counts["ended"]) == (1, 1)


@pytest.mark.parametrize(("side", "has_picture", "counted"), [(60, True, 0), (1700, False, 1)])
def test_a_sighting_whose_picture_is_too_large_is_published_without_it(side, has_picture, counted):
    noise = np.random.default_rng(3).integers(0, 255, (side, side, 3), np.uint8)
    box = Box(0, 0, side, side)
    scene = Scene(np.zeros((9, 16, 3), np.uint8), 240, 3840, 2160)
    sighting = sighting_of(
        deployment="Market", camera="gate", epoch=1, seq=0, subject="ann", watchlist="default",
        reference_id="r", captured_at=NOON, box=box, score=0.5, threshold=0.4, quality=50.0,
    )  # fmt: skip

    class Finds(FakeAnalyser):
        def analyse(self, frames):
            return Analysis(
                (SightingWithEvidence(sighting, Evidence(scene, noise, box)),), faces=(1,)
            )

    processor = processor_of(Finds())
    [(topic, record)] = processor.process([processor.decode(message())])
    assert topic == "sightings.v1"
    found, carried = codec.decode_sighting(record.value)
    assert (found, carried is not None) == (sighting, has_picture)
    assert processor.counts["evidence_too_large"] == counted


def test_a_sighting_of_a_covered_face_is_published_without_its_picture():
    sighting = sighting_of(
        deployment="Market", camera="gate", epoch=1, seq=0, subject="ann", watchlist="default",
        reference_id="r", captured_at=NOON, box=Box(0, 0, 9, 9), score=0.5, threshold=0.4,
        quality=50.0,
    )  # fmt: skip

    class Finds(FakeAnalyser):
        def analyse(self, frames):
            return Analysis((SightingWithEvidence(sighting, None),), faces=(1,))

    processor = processor_of(Finds())
    [(_, record)] = processor.process([processor.decode(message())])
    assert codec.decode_sighting(record.value) == (sighting, None)
    assert processor.counts["evidence_covered"] == 1


def test_a_camera_whose_frames_are_all_late_is_logged_once():
    now = datetime.now(UTC)
    at_work = deployment(now - HOUR, now + HOUR)
    processor = FrameBatchProcessor(FakeAnalyser(), MemoryVault(), at_work, max_age=SHORT)
    late = replace(FRAME, captured_at=now - timedelta(seconds=60))
    with structlog.testing.capture_logs() as logs:
        for seq in range(2 * MAX_LATE_IN_A_ROW):
            processor.process([processor.decode(message(replace(late, seq=seq)))])
    [line] = logs
    assert (line["event"], line["camera"]) == ("every_frame_is_late", "gate")
    assert "clock" in line["do"]


@pytest.mark.parametrize(("late", "ended"), [((), ["gate", "yard"]), ({3}, ["yard"]), ({3, 4}, [])])
def test_silence_ends_tracks_unless_frames_of_the_partition_wait(late, ended, monkeypatch):
    analyser = FakeAnalyser()
    processor = processor_of(analyser)
    yard = message(replace(FRAME, camera="yard"), partition=4)
    processor.process([processor.decode(each) for each in (message(), yard)])
    monkeypatch.setattr("openlfr_analysis.frame_batches.SILENCE_LOSSLESS_S", -1.0)
    processor.end_silent_cameras(late)
    assert analyser.seen[2:] == [f"end of {camera}" for camera in ended]


def test_an_outage_makes_no_dead_letter():
    with pytest.raises(Unavailable):
        process(message(replace(FRAME, seq=13)), analyser=FakeAnalyser(Unavailable))


@pytest.mark.parametrize(
    ("captured", "kept", "more", "counted"),
    [  # how many seconds ago it was captured, and Kafka took it
        (60, 60, {}, "analysed"),
        (60, 0, {"max_age": SHORT}, "dropped_late"),
        (0, 0, {"max_age": SHORT}, "analysed"),
        (-5, 0, {"max_age": SHORT}, "analysed"),  # a clock that is ahead
        (3000, 0, {"max_age": SHORT, "recorded": ["gate"]}, "analysed"),
        (3000, 60, {"max_age": SHORT, "recorded": ["gate"]}, "dropped_late"),
    ],
)
def test_late_frames_are_skipped_and_counted(captured, kept, more, counted):
    now = datetime.now(UTC)
    frame = replace(FRAME, captured_at=now - timedelta(seconds=captured))
    at_work = deployment(now - HOUR, now + HOUR)
    processor = FrameBatchProcessor(
        FakeAnalyser(), MemoryVault(), at_work, **({"max_age": None} | more)
    )
    assert processor.process([processor.decode(message(frame, age=kept))]) == []
    assert {what: n for what, n in processor.counts.items() if n} == {counted: 1}


def test_frames_outside_the_hours_are_skipped_and_counted():
    processor, letters = process(message(replace(FRAME, captured_at=NOON + HOUR)))
    assert letters == []
    assert {what: n for what, n in processor.counts.items() if n} == {"outside_hours": 1}


@pytest.mark.parametrize(
    ("status", "reason"),
    [(DeploymentStatus.PAUSED, "paused"), (DeploymentStatus.CLOSED, "paused"), (None, "unknown")],
)
def test_a_pause_stops_the_search_at_once_and_a_resume_begins_it_again(status, reason):
    """Who was in sight is not searched any more, and frames that had been decoded are left out."""
    analyser, in_force = FakeAnalyser(), deployment(NOON - HOUR, NOON + HOUR)
    started = in_force.state
    processor = FrameBatchProcessor(analyser, MemoryVault(), in_force, max_age=None)
    records = processor.process([processor.decode(message())])
    decoded = processor.decode(message(replace(FRAME, seq=1)))
    analyser.cameras, analyser.live = ("gate",), 1
    in_force.update(status and replace(started, status=status, version=2))
    records += processor.process([decoded, processor.decode(message(replace(FRAME, seq=2)))])
    records += processor.end_silent_cameras()
    records += processor.process([processor.decode(message(end_at(3)))])
    assert analyser.seen == [0, "gate forgotten", "gate forgotten"]
    assert processor.counts[reason] == 2
    assert processor.counts["tracks_lost_paused"] == 2
    analyser.cameras = ()
    in_force.update(replace(started, version=3))
    later = replace(FRAME, seq=4, captured_at=FRAME.captured_at + timedelta(seconds=30))
    records += processor.process([processor.decode(message(later))])
    assert analyser.seen[-1] == 4
    records += processor.process([processor.decode(message(end_at(5)))])
    counted = [codec.decode_tally(record.value) for _, record in records]
    assert sum(each.frames_paused for each in counted) == 2
    assert sum(each.frames_outside_hours for each in counted) == 0
    assert [each.tracks_lost for each in counted if each.tracks_lost] == [{LossReason.PAUSED: 2}]
    assert [each.unwatched_us for each in counted if each.unwatched_us] == [
        {UnwatchedReason.PAUSED: 30_000_000}
    ]


def test_a_frame_of_a_camera_that_a_revision_removed_is_skipped():
    in_force = deployment(NOON - HOUR, NOON + HOUR)
    in_force.update(replace(in_force.state, cameras=("yard",), version=2))
    processor = FrameBatchProcessor(FakeAnalyser(), MemoryVault(), in_force, max_age=None)
    processor.process(
        [processor.decode(message()), processor.decode(message(replace(FRAME, camera="yard")))]
    )
    assert (processor.counts["other_camera"], processor.counts["analysed"]) == (1, 1)


def test_repeated_frames_and_frames_of_a_previous_epoch_are_not_analysed():
    analyser = FakeAnalyser()
    again = [replace(FRAME, seq=seq) for seq in (0, 1, 2, 1, 2, 3)]
    newer, older = replace(FRAME, epoch=2, seq=0), replace(FRAME, epoch=1, seq=4)
    processor = processor_of(analyser)
    tallies_of(processor, *map(message, [*again, newer, older]))
    assert analyser.seen == [0, 1, 2, 3, "end of gate", 0]
    assert (processor.counts["repeated"], processor.counts["discarded"]) == (2, 1)


def test_the_end_of_a_file_ends_its_tracks_at_once_and_in_order():
    analyser = FakeAnalyser()
    first, second = FRAME, replace(FRAME, camera="yard", seq=5)
    processor = processor_of(analyser)
    (tally,) = tallies_of(processor, message(first), message(second), message(end_at(1)))
    assert analyser.seen == [0, 5, "end of gate"]
    assert (tally.camera, tally.first_seq, tally.last_seq) == ("gate", 0, 0)
    assert (tally.frames_analysed, tally.faces_detected, tally.tracks_searched) == (1, 2, 1)
    assert list(tally.scores) == [2]  # the quality band of 55
    assert tallies_of(processor, message(end_at(1))) == []


def test_a_tally_counts_each_frame_once_with_any_outcome():
    frames = [replace(FRAME, seq=seq) for seq in range(0, 260, 5)]
    frames[1] = replace(frames[1], jpeg=b"no picture")
    frames[2] = replace(frames[2], captured_at=NOON + HOUR)
    processor = processor_of()
    (tally,) = tallies_of(processor, *map(message, frames))
    assert (tally.first_seq, tally.last_seq) == (0, 249)
    assert (tally.frames_analysed, tally.frames_unreadable, tally.frames_outside_hours) == (
        48,
        1,
        1,
    )
    (rest,) = tallies_of(processor, message(end_at(256)))
    assert (rest.first_seq, rest.last_seq, rest.frames_analysed) == (250, 255, 2)


@pytest.mark.parametrize("cut", [0, 7, 251])
def test_frames_that_are_counted_again_by_another_worker_give_the_same_tally(cut):
    """What was acknowledged up to `cut` does not come again."""
    frames = [*(replace(FRAME, seq=seq) for seq in range(255)), end_at(255)]
    whole = tallies_of(processor_of(), *map(message, frames))
    again = tallies_of(processor_of(), *map(message, frames[cut:]))
    assert {each.tally_id for each in again} <= {each.tally_id for each in whole}
    assert again[-1] == whole[-1] or cut > 250


def test_a_camera_without_tracks_is_quiet_and_a_frame_is_tallied_with_its_stretch():
    analyser = FakeAnalyser()
    processor = processor_of(analyser)
    tallies_of(processor, message(FRAME))
    assert not processor.is_tallied(FrameId("gate", 1, 0))
    tallies_of(processor, message(end_at(1)))
    assert processor.is_tallied(FrameId("gate", 1, 0))
    assert processor.is_quiet("gate")
    analyser.busy.add("gate")
    assert not processor.is_quiet("gate")


def test_cameras_of_revoked_partitions_are_dropped_and_the_others_continue():
    analyser = FakeAnalyser()
    processor = processor_of(analyser)
    yard = replace(FRAME, camera="yard", seq=5)
    tallies_of(processor, message(FRAME), message(yard, partition=4, offset=20))
    # The next owner of yard's partition counts yard's frames.
    assert processor.assign_partitions({3}) == []
    assert analyser.seen == [0, 5, "yard forgotten"]
    tallies_of(processor, message(FRAME), message(yard, partition=4, offset=20))
    assert (processor.counts["repeated"], processor.counts["elsewhere"]) == (1, 1)
    tallies_of(processor, message(replace(FRAME, seq=1)))
    assert analyser.seen[3:] == [1]


def test_a_partition_that_another_worker_has_processed_starts_without_tracks():
    analyser = FakeAnalyser()
    processor = processor_of(analyser)
    tallies_of(processor, message(FRAME, offset=17))
    processor.assign_partitions({3})
    tallies_of(processor, message(replace(FRAME, seq=9), offset=26))  # who looked at 18 to 25?
    assert analyser.seen == [0, "gate forgotten", 9]
    tallies_of(processor, message(replace(FRAME, seq=11), offset=28))  # later gaps are Kafka's own
    assert analyser.seen[3:] == [11]


@pytest.mark.parametrize("max_age", [None, timedelta(days=9)])
def test_a_leaving_worker_tallies_only_acknowledged_frames(max_age):
    now = datetime.now(UTC)
    at_work = deployment(now - HOUR, now + HOUR)
    processor = FrameBatchProcessor(FakeAnalyser(), MemoryVault(), at_work, max_age=max_age)
    assert tallies_of(processor, message(replace(FRAME, seq=300, captured_at=now))) == []
    left = [codec.decode_tally(record.value) for _, record in processor.leave()]
    assert [(t.first_seq, t.last_seq) for t in left] == ([(250, 300)] if max_age else [])


def test_a_frame_that_became_too_old_during_the_previous_batch_is_skipped():
    now = datetime.now(UTC)
    at_work = deployment(now - HOUR, now + HOUR)
    processor = FrameBatchProcessor(FakeAnalyser(), MemoryVault(), at_work, max_age=SHORT)
    decoded = processor.decode(message(replace(FRAME, captured_at=now)))
    old = replace(decoded, encoded=replace(FRAME, captured_at=now - timedelta(minutes=1)))
    processor.process([old])
    assert decoded.frame is not None
    assert processor.counts == {"dropped_late": 1}
