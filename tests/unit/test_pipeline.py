"""The results of the Analyser with drawn people, and the data that it retains."""

from __future__ import annotations

import gc
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pytest

from openlfr.domain.analysis import LostTrack, SearchedTrack, UnsearchedTrack
from openlfr.domain.counts import LossReason, NotSearchedReason
from openlfr.domain.faces import Box
from openlfr.domain.ids import Ids
from openlfr.pipeline import Analyser
from openlfr.stages.detect import input_size_for
from openlfr.stages.obscure import FACE_CELLS
from openlfr.stages.search import ExactIndex
from openlfr.testing import (
    DrawnDetector,
    DrawnStreet,
    PatternEmbedder,
    drawn_templates,
    standing_at,
)
from openlfr.testing.street import FPS, NEVER, START

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from openlfr.domain.analysis import ClosedTrack
    from openlfr.domain.frames import Frame

Walk = "Callable[[int], Box | None]"  # the face's box in frame n


@dataclass
class ListeningIndex:
    """An index that records its queries."""

    index: ExactIndex
    asked: list[tuple[bytes, datetime]] = field(default_factory=list)

    def search(self, templates, at, *, limit=5):
        self.asked += [(row.tobytes(), moment) for row, moment in zip(templates, at, strict=True)]
        return self.index.search(templates, at, limit=limit)

    def __len__(self) -> int:
        return len(self.index)


def listing(
    *people: str,
    expires: datetime = NEVER,
    subject: str = "",
    control: Collection[str] = (),
    watchlist: str = "default",
) -> ListeningIndex:
    """A list of these people; all under one name where a subject is given."""
    return ListeningIndex(
        ExactIndex(
            *drawn_templates(
                *people, expires=expires, subject=subject, control=control, watchlist=watchlist
            )
        )
    )


def analyser_for(*streets: DrawnStreet, index: ListeningIndex, threshold: float = 0.5) -> Analyser:
    return Analyser(
        ids=Ids("market", bytes(32)),
        detector=DrawnDetector(*streets),
        embedder=PatternEmbedder(),
        index=index,
        threshold=threshold,
    )


def reason_of(track: ClosedTrack) -> NotSearchedReason | None:
    """Why it was compared with nobody; None where it was."""
    return track.reason if isinstance(track, UnsearchedTrack) else None


def watch(analyser: Analyser, frames: Sequence[Frame], *, batch: int = 1, finish: bool = True):
    """Everything that frames gave: (Sighteds, ClosedTracks)."""
    sightings, closed = [], []
    for start in range(0, len(frames), batch):
        analysis = analyser.analyse(frames[start : start + batch])
        sightings += analysis.sightings
        closed += analysis.closed_tracks
    for camera in dict.fromkeys(frame.camera for frame in frames) if finish else ():
        analysis = analyser.close_camera(camera)
        sightings += analysis.sightings
        closed += analysis.closed_tracks
    return sightings, closed


def approaching(x: float, *, growth: float = 3.0, until: int = 10**6) -> Walk:
    """Comes nearer, so that each face is better than the one before."""
    return lambda n: (
        Box(x - growth * n / 2, 80, 24 + growth * n, (24 + growth * n) * 1.2) if n < until else None
    )


def passing(start: float, speed: float, *, y: float = 100, size: float = 50) -> Walk:
    return lambda n: Box(start + speed * n, y, size, size * 1.2)


def names(sightings):
    return [one.sighting.subject for one in sightings]


def test_a_listed_person_is_sighted_once_however_often_the_track_is_searched():
    street, index = DrawnStreet("gate", ann=approaching(300)), listing("ann", "bob")
    sightings, closed = watch(analyser_for(street, index=index), street.frames(40))
    assert len(index.asked) > 2
    assert names(sightings) == ["ann"]
    seen = sightings[0].sighting
    assert (seen.deployment, seen.camera, seen.epoch) == ("market", "gate", 1)
    assert (seen.watchlist, seen.reference_id, seen.threshold) == ("default", "ann", 0.5)
    assert seen.box == street.boxes(seen.seq)["ann"]
    assert seen.captured_at == START + timedelta(seconds=seen.seq / FPS)
    assert [(track.camera, reason_of(track)) for track in closed] == [("gate", None)]
    assert closed[0].score >= seen.score > 0.5


def test_the_evidence_is_the_face_in_clear_in_an_opaque_scene():
    street = DrawnStreet("gate", ann=standing_at(100), zoe=standing_at(400))
    (sighted,), _ = watch(analyser_for(street, index=listing("ann")), street.frames(5))
    box = sighted.evidence.box
    assert box == Box(100 - 15, 100 - 18, 90, 108)  # a quarter more on each side
    image = street.frame(sighted.sighting.seq).image
    shown = image[int(box.y) : int(box.y + box.h), int(box.x) : int(box.x + box.w)]
    assert np.array_equal(sighted.evidence.face, shown)
    assert 72 / sighted.evidence.scene.cell <= FACE_CELLS


def test_the_least_overlapped_of_the_retained_faces_is_displayed():
    """Zoe stands close by in the first frames, and walks away; nothing is sure before."""
    away = 3
    street = DrawnStreet(
        "gate", ann=standing_at(100, 80), zoe=lambda n: Box(185 + 90 * (n > away), 100, 80, 96)
    )
    analyser = analyser_for(street, index=listing("ann"), threshold=0.84)
    (sighted,), _ = watch(analyser, street.frames(12))
    others = [box for name, box in street.boxes(sighted.sighting.seq).items() if name == "zoe"]
    assert sighted.sighting.seq > away
    assert others[0].x > 200
    assert sighted.evidence is not None


def test_a_face_covered_in_every_frame_is_sighted_without_a_picture():
    street = DrawnStreet("gate", zoe=standing_at(140, 80), ann=standing_at(100, 80))
    sightings, _ = watch(analyser_for(street, index=listing("ann")), street.frames(5))
    assert [sighted.evidence for sighted in sightings] == [None]


def test_a_frame_that_gives_no_sighting_is_never_searched_again():
    street = DrawnStreet("gate", ann=standing_at(100))
    analyser = analyser_for(street, index=listing("bob"))
    watch(analyser, street.frames(9))
    assert "mask" not in {timing.stage for timing in analyser.timings.results()}


def test_each_pass_is_a_new_track_with_a_new_sighting():
    street = DrawnStreet("gate", ann=lambda n: None if 10 <= n < 25 else Box(100, 100, 60, 72))
    sightings, closed = watch(analyser_for(street, index=listing("ann")), street.frames(35))
    assert names(sightings) == ["ann", "ann"]
    assert len(closed) == 2
    assert len({one.sighting.sighting_id for one in sightings}) == 2


def test_two_people_side_by_side_are_two_sightings():
    walks = {"ann": passing(20, 6, y=40), "bob": passing(560, -6), "zoe": standing_at(300, y=220)}
    street = DrawnStreet("gate", **walks)
    sightings, closed = watch(analyser_for(street, index=listing("ann", "bob")), street.frames(90))
    assert sorted(names(sightings)) == ["ann", "bob"]
    assert len(closed) == 3
    for one in sightings:
        assert one.sighting.box == street.boxes(one.sighting.seq)[one.sighting.subject]


HERE = Box(100, 100, 60, 72)
THERE = Box(400, 100, 60, 72)


@pytest.mark.parametrize("batch", [1, 7, 60])
@pytest.mark.parametrize(
    ("ann", "twin", "flags"),
    [
        pytest.param(range(60), range(60), [False, True], id="side by side"),
        pytest.param(range(40), range(20, 60), [False, True], id="one comes later"),
        pytest.param(range(60), range(20, 26), [False, True], id="for a moment"),
        pytest.param(range(20), range(20, 60), [False, False], id="one after the other"),
        pytest.param(range(10), range(40, 60), [False, False], id="long after"),
    ],
)
def test_the_second_match_of_a_subject_in_one_frame_is_marked(ann, twin, flags, batch):
    street = DrawnStreet(
        "gate",
        ann=lambda n: HERE if n in ann else None,
        twin=lambda n: THERE if n in twin else None,
        zoe=standing_at(250, y=220),
    )
    analyser = analyser_for(street, index=listing("ann", "twin", subject="ann"))
    sightings, _ = watch(analyser, street.frames(60), batch=batch)
    assert names(sightings) == ["ann", "ann"]
    assert [one.sighting.conflicts_in_frame for one in sightings] == flags
    # An id is made of camera, frame and subject: the second shows another frame than the first.
    assert len({one.sighting.sighting_id for one in sightings}) == 2
    alone, _ = watch(
        analyser_for(street, index=listing("ann", "twin", subject="ann")), street.frames(60)
    )
    assert analysed_frames_of((alone, []), "gate") == analysed_frames_of((sightings, []), "gate")


def test_a_track_retains_no_data_of_people_beside_it():
    walks = {f"zoe{n}": lambda f, n=n: HERE if n * 20 <= f < n * 20 + 5 else None for n in range(4)}
    street = DrawnStreet("gate", ann=lambda _: THERE, **walks)
    analyser = analyser_for(street, index=listing("ann"))
    watch(analyser, street.frames(100), finish=False)
    watched = analyser._cameras["gate"]
    (ann,) = watched.tracks
    assert watched.encounters.neighbours(ann) == {ann}
    assert watched.encounters.is_sighted(ann, "ann")


def test_the_searches_do_not_look_at_the_threshold():
    street = DrawnStreet("gate", ann=approaching(200), zoe=approaching(450, growth=2))
    asked = []
    for threshold in (0.1, 0.9):
        index = listing("ann")
        watch(analyser_for(street, index=index, threshold=threshold), street.frames(30))
        asked.append(index.asked)
    assert len(asked[0]) > 4
    assert asked[0] == asked[1]


def test_a_clearly_better_face_is_searched_again_and_a_like_one_is_not():
    index = listing("ann")
    same = DrawnStreet("gate", ann=standing_at(100))
    watch(analyser_for(same, index=index), same.frames(60), finish=False)
    for_standing = len(index.asked)
    better = DrawnStreet("gate", ann=approaching(300))
    watch(analyser_for(better, index=index), better.frames(60), finish=False)
    assert for_standing <= 5  # until its few faces are held, once when they settle, never after
    assert len(index.asked) - for_standing > for_standing


@pytest.mark.parametrize(
    ("threshold", "after", "score"),
    [
        (0.50, 1, 0.86 - 0.07 - 0.05),
        (0.78, 3, 0.86 - 0.05),  # a good probe
        (0.84, 7, 0.86),  # searched for 0.6 s
    ],
)
def test_the_nearer_to_the_threshold_the_longer_a_track_is_looked_at(threshold, after, score):
    """Each face of ann scores 0.86."""
    street = DrawnStreet("gate", ann=standing_at(100))
    analyser = analyser_for(street, index=listing("ann"), threshold=threshold)
    given = [analyser.analyse([frame]).sightings for frame in street.frames(40)]
    assert [n for n, sightings in enumerate(given, 1) if sightings] == [after]
    assert given[after - 1][0].sighting.score == pytest.approx(score, abs=0.01)


def test_a_track_is_judged_by_its_final_state():
    street = DrawnStreet("gate", ann=standing_at(100, until=5))
    analyser = analyser_for(street, index=listing("ann"), threshold=0.82)
    assert watch(analyser, street.frames(5), finish=False)[0] == []
    ended = analyser.close_camera("gate")
    assert [one.sighting.score for one in ended.sightings] == [pytest.approx(0.86, abs=0.01)]
    assert [track.score for track in ended.closed_tracks] == [ended.sightings[0].sighting.score]


def arrays_held_by(analyser: Analyser) -> list[np.ndarray]:
    """Every array that can be reached from an analyser, but not through what it was given."""
    searcher = analyser._searcher
    given = {id(analyser._detector), id(searcher._embedder), id(searcher._index)}
    found, seen, left = [], set(), [analyser]
    while left:
        thing = left.pop()
        if (
            id(thing) in seen
            or id(thing) in given
            or isinstance(thing, ModuleType | type | FunctionType)
        ):
            continue
        seen.add(id(thing))
        if isinstance(thing, np.ndarray):
            found.append(thing)
        left += gc.get_referents(thing)
    return found


def test_a_stranger_gives_no_sighting_and_leaves_no_data():
    street = DrawnStreet("gate", zoe=approaching(300, until=20))
    analyser = analyser_for(street, index=listing("ann"))
    frames = street.frames(40)
    sightings, closed = watch(analyser, frames[:15], finish=False)
    held = arrays_held_by(analyser)
    assert any(array.shape == (112, 112, 3) for array in held)  # while it lives
    assert any(array.shape == (192,) for array in held)
    del held
    more = watch(analyser, frames[15:], finish=False)
    assert sightings + more[0] == []
    assert [reason_of(track) for track in closed + more[1]] == [None]
    assert arrays_held_by(analyser) == []


def test_a_closed_track_has_its_score_and_probe_quality():
    street = DrawnStreet("gate", zoe=standing_at(300, until=5))
    _, (track,) = watch(analyser_for(street, index=listing("ann")), street.frames(5))
    assert track == SearchedTrack(
        camera="gate", face=track.face, score=track.score, quality=track.quality
    )
    assert track.score < 0.5
    assert 0 < track.quality <= 100


def test_a_control_subject_is_marked_above_and_below_the_threshold():
    """Below it nobody knows whose track it was: each side has a score of its own."""
    for threshold, matched in ((0.5, True), (1.1, False)):
        street = DrawnStreet("gate", bob=standing_at(300, until=20))
        analyser = analyser_for(
            street, index=listing("ann", "bob", control=("bob",)), threshold=threshold
        )
        sightings, (track,) = watch(analyser, street.frames(30))
        assert bool(sightings) == track.is_matched == track.is_control == matched
        assert track.control_score > 0.5 > track.score


def test_a_stranger_s_score_ignores_control_subjects():
    street = DrawnStreet("gate", zoe=standing_at(300, until=20))
    scores = []
    for index in (listing("ann"), listing("ann", "bob", "zoe", control=("bob", "zoe"))):
        analyser = analyser_for(street, index=index, threshold=1.1)
        scores += [track.score for track in watch(analyser, street.frames(30))[1]]
    assert scores[0] == pytest.approx(scores[1], abs=1e-6)


def test_a_pass_before_an_empty_watchlist_is_compared_with_nobody():
    street = DrawnStreet("gate", zoe=standing_at(300, until=20))
    analyser = analyser_for(street, index=listing())
    _, (track,) = watch(analyser, street.frames(30))
    assert reason_of(track) is NotSearchedReason.NOBODY_LISTED
    assert track.face.eye_distance > 0
    _, closed = watch(analyser, street.frames(10, epoch=2), finish=False)
    (dropped,) = analyser.drop_camera("gate", LossReason.MOVED).closed_tracks
    assert isinstance(dropped, UnsearchedTrack | LostTrack)
    assert closed == []
    street = DrawnStreet("gate", zoe=standing_at(300, until=20))
    analyser = analyser_for(street, index=listing("bob", control=("bob",)))
    _, (alone,) = watch(analyser, street.frames(30))
    assert (alone.score, alone.is_control) == (None, False)
    assert alone.control_score is not None


@pytest.mark.parametrize(
    ("walk", "blur", "reason"),
    [
        (standing_at(300, until=1), 6, NotSearchedReason.TOO_SHORT),
        (standing_at(300, size=14, until=5), 0, NotSearchedReason.TOO_SMALL),
        (standing_at(300, until=5), 30, NotSearchedReason.TOO_POOR),
        (standing_at(300, until=5), 0, None),
        (standing_at(300, until=1), 0, None),  # a doubtful probe
        (standing_at(300, until=2), 6, NotSearchedReason.TOO_SHORT),
        (standing_at(300, size=150, until=1), 0, None),  # one glance, but a good one
    ],
)
def test_an_unsearched_track_has_a_reason(walk, blur, reason):
    street, index = DrawnStreet("gate", blur=blur, ann=walk), listing("ann")
    sightings, closed = watch(analyser_for(street, index=index), street.frames(20))
    assert [reason_of(track) for track in closed] == [reason]
    assert isinstance(closed[0], SearchedTrack) == (reason is None)
    assert bool(index.asked) == bool(sightings) == (reason is None)


def test_a_face_with_its_centre_outside_the_picture_is_not_counted():
    street = DrawnStreet("gate", ann=lambda n: Box(-59, 100, 60, 72), bob=standing_at(300))
    analysis = analyser_for(street, index=listing("ann", "bob")).analyse([street.frame(0)])
    assert analysis.faces == (1,)


def test_a_frame_of_a_lower_epoch_is_discarded_and_a_higher_one_ends_the_tracks():
    street, index = DrawnStreet("gate", ann=standing_at(100)), listing("ann")
    analyser = analyser_for(street, index=index)
    watch(analyser, street.frames(5, epoch=2), finish=False)
    late = analyser.analyse([street.frame(5, epoch=1)])
    assert (late.faces, late.sightings, late.closed_tracks) == ((None,), (), ())
    newer = analyser.analyse([street.frame(0, epoch=3)])
    assert newer.faces == (1,)
    assert [reason_of(track) for track in newer.closed_tracks] == [None]
    sightings, closed = watch(analyser, street.frames(5, epoch=3)[1:])
    assert [one.sighting.epoch for one in (*newer.sightings, *sightings)] == [3]
    assert len(closed) == 1
    assert analyser.analyse([street.frame(9, epoch=2)]).faces == (None,)  # its end forgets no epoch


def test_the_end_of_a_source_triggers_a_last_search_of_an_improved_track():
    # Faces that are better, but not clearly better, than what was searched: left to the end.
    street = DrawnStreet("gate", ann=approaching(300))
    index = listing("ann")
    analyser = analyser_for(street, index=index, threshold=0.5)
    watch(analyser, street.frames(27), finish=False)
    before = len(index.asked)
    ended = analyser.close_camera("gate")
    assert len(index.asked) == before + 1
    assert len(ended.closed_tracks) == 1
    assert analyser.is_quiet("gate")
    assert analyser.close_camera("gate").closed_tracks == ()
    assert analyser.close_camera("never seen").closed_tracks == ()


def analysed_frames_of(result, camera):
    """Sightings and closed tracks of a camera; a product of matrices may round differently."""
    sightings, closed = result
    seen = [one.sighting for one in sightings if one.sighting.camera == camera]
    ended = [track for track in closed if track.camera == camera]
    return (
        [(s.sighting_id, s.box, pytest.approx(s.score, abs=1e-5)) for s in seen],
        [(reason_of(t), pytest.approx(getattr(t, "score", None), abs=1e-5)) for t in ended],
    )


@pytest.mark.parametrize("batch", [2, 7, 100])
def test_results_of_a_frame_do_not_depend_on_its_batch(batch):
    gate = DrawnStreet(
        "gate", ann=passing(10, 7), zoe=approaching(300), bob=passing(600, -7, y=140)
    )
    door = DrawnStreet("door", bob=approaching(200), cem=standing_at(400, until=20))
    frames = {s.camera: s.frames(25) + s.frames(25, epoch=2) for s in (gate, door)}
    alone = {}
    for camera, mine in frames.items():
        analyser = analyser_for(gate, door, index=listing("ann", "bob"))
        alone[camera] = watch(analyser, mine)
        assert len(alone[camera][0]) >= 2
        assert len(alone[camera][1]) >= 4
    mixed = [frame for pair in zip(*frames.values(), strict=True) for frame in pair]
    together = watch(analyser_for(gate, door, index=listing("ann", "bob")), mixed, batch=batch)
    for camera, result in alone.items():
        assert analysed_frames_of(together, camera) == analysed_frames_of(result, camera)


def test_a_batch_with_a_new_epoch_gives_the_same_results_as_its_single_frames():
    street = DrawnStreet("gate", ann=standing_at(100))
    frames = [*street.frames(4, epoch=1), *street.frames(4, epoch=2), street.frame(4, epoch=1)]
    one_by_one = watch(analyser_for(street, index=listing("ann")), frames)
    at_once = watch(analyser_for(street, index=listing("ann")), frames, batch=len(frames))
    assert [one.sighting.epoch for one in one_by_one[0]] == [1, 2]
    assert len(one_by_one[1]) == 2
    assert analysed_frames_of(at_once, "gate") == analysed_frames_of(one_by_one, "gate")


def test_an_entry_that_had_expired_when_the_face_was_captured_does_not_match():
    street = DrawnStreet("gate", ann=lambda n: None if 10 <= n < 25 else Box(100, 100, 60, 72))
    index = listing("ann", expires=START + timedelta(seconds=1.5))
    sightings, closed = watch(analyser_for(street, index=index), street.frames(40))
    assert [one.sighting.seq < 10 for one in sightings] == [True]
    assert len(closed) == 2


def test_another_index_is_searched_from_the_next_search_on():
    street = DrawnStreet("gate", ann=lambda n: None if 10 <= n < 25 else Box(100, 100, 60, 72))
    analyser = analyser_for(street, index=listing())
    frames = street.frames(40)
    before, _ = watch(analyser, frames[:20], finish=False)
    analyser.use_index(listing("ann", watchlist="second"))
    after, _ = watch(analyser, frames[20:])
    assert before == []
    assert [one.sighting.watchlist for one in after] == ["second"]


def test_an_empty_batch_gives_an_empty_result():
    analyser = analyser_for(index=listing())
    analysis = analyser.analyse([])
    assert (analysis.sightings, analysis.closed_tracks, analysis.faces) == ((), (), ())
    assert analyser.is_quiet("gate")


@pytest.mark.parametrize(
    ("width", "height", "box", "size"),
    [
        (1280, 720, None, (960, 544)),
        (1920, 1080, None, (960, 544)),
        (640, 360, None, (640, 384)),
        (160, 120, None, (320, 256)),
        (720, 1280, None, (544, 960)),
        (1920, 1080, (640, 640), (640, 384)),
        (1280, 720, (1280, 736), (1280, 736)),
        (1080, 1920, (1280, 1280), (736, 1280)),
        (10_000, 10, None, (960, 32)),
    ],
)
def test_the_detector_input_fits_the_picture(width, height, box, size):
    assert input_size_for(width, height, box) == size


def test_each_camera_has_its_own_input_size():
    gate, door = DrawnStreet("gate"), DrawnStreet("door")
    detector = DrawnDetector(gate, door)
    analyser = Analyser(
        ids=Ids("market", bytes(32)), detector=detector, embedder=PatternEmbedder(),
        index=listing(), threshold=0.5, input_sizes={"gate": (320, 320), "door": None},
    )  # fmt: skip
    analyser.analyse([gate.frame(0), door.frame(0), gate.frame(1)])
    assert detector.sizes == [(320, 192), (640, 384)]


def test_an_observer_reads_each_search_with_its_faces_and_its_best_score():
    street = DrawnStreet("gate", ann=approaching(300), zoe=standing_at(60))
    seen = []

    def observe(query):
        boxes = [street.boxes(face.seq) for face in query.faces]
        people = {
            name
            for face, names in zip(query.faces, boxes, strict=True)
            for name, box in names.items()
            if box == face.box
        }
        seen.append((people, query.track.number, query.track.score.score))

    index = listing("ann", "bob")
    analyser = Analyser(
        ids=Ids("market", bytes(32)), detector=DrawnDetector(street), embedder=PatternEmbedder(),
        index=index, threshold=2.0, on_search=observe,
    )  # fmt: skip
    sightings, closed = watch(analyser, street.frames(40))
    assert not sightings  # no score reaches the threshold, and every search is observed
    best = {}
    for people, _, score in seen:
        (name,) = people
        best[name] = max(best.get(name, -1.0), score)
    assert best.keys() == {"ann", "zoe"}
    assert sorted(best.values()) == sorted(track.score for track in closed)
    assert best["ann"] > 0.5 > best["zoe"]
