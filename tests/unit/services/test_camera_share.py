"""The cameras that a process starts and stops, by its view of the other processes."""

from __future__ import annotations

from collections import Counter

import pytest

from openlfr.adapters.redis.leases import FleetView
from openlfr.domain.sharing import Cost, Member
from openlfr.settings.cameras import Camera
from openlfr_ingest import camera_share
from openlfr_ingest.camera_share import MAX_MOVING, CameraShare
from openlfr_ingest.context import IngestContext


class Keeper:
    member_id, joined_at_ms, is_view_trusted, may_take_over = "us", 100, True, True

    def __init__(self):
        self.held, self.view, self.dropped = set(), FleetView((), {}, {}), []

    def withdraw(self, camera):
        self.dropped.append(camera)

    def sees(self, *members, holders=None, over=None):
        self.view = FleetView(tuple(members), holders or {}, over or {})


class Film:
    """A `CameraSupervisor` whose state a test sets."""

    def __init__(self, camera, entry, context, *, pinned):
        self.camera, self.pinned, self.counts = camera, pinned, Counter()
        self.stopped = self.over = self.ended = False
        self.problem, self.failure = "", None

    def start(self):
        pass

    def stop(self):
        self.stopped = True

    def is_over(self):
        return self.over


class Rig:
    def __init__(self, *cameras, url="rtsp://10.0.0.7/main", **keys):
        self.keeper = Keeper()
        entries = {name: Camera.model_validate({"url": url, **keys}) for name in cameras}
        self.costs = {name: Cost(80, movable=url.startswith("rtsp")) for name in cameras}
        self.sharing = CameraShare(entries, IngestContext(None, None, self.keeper))
        self.films = self.sharing._supervisors

    def member(self, name="us", room=100, **how):
        return Member(name, room, self.costs, **how)

    @property
    def going(self):
        return {name for name, film in self.films.items() if not film.stopped}


@pytest.fixture(autouse=True)
def _films(monkeypatch):
    monkeypatch.setattr(camera_share, "CameraSupervisor", Film)


FEW = [f"c{number}" for number in range(6)]
MANY = [f"c{number:02}" for number in range(60)]


def test_an_untrusted_view_changes_nothing():
    rig = Rig(*FEW)
    rig.keeper.sees(rig.member())
    rig.keeper.is_view_trusted = False
    rig.sharing.update()
    assert rig.going == set()
    rig.keeper.is_view_trusted = True
    rig.sharing.update()
    assert rig.going == set(FEW)
    rig.keeper.is_view_trusted = False
    rig.keeper.sees(rig.member("them"), rig.member())
    rig.sharing.update()
    assert rig.going == set(FEW)


def test_a_process_outside_the_view_retains_its_cameras():
    rig = Rig(*FEW)
    rig.keeper.sees(rig.member())
    rig.sharing.update()
    rig.keeper.sees(rig.member("them"))
    rig.sharing.update()
    assert rig.going == set(FEW)


def test_cameras_of_dead_members_move_at_once_if_they_were_seen_alive():
    rig = Rig("a", "b", "c")
    rig.keeper.may_take_over = False
    rig.keeper.sees(
        rig.member(), rig.member("them"), holders={"a": "them", "b": "long ago", "c": "them"}
    )
    rig.sharing.update()
    assert rig.going == set()
    rig.keeper.sees(rig.member(), holders={"a": "them", "b": "long ago", "c": "them"})
    rig.sharing.update()
    assert rig.going == {"a", "c"}
    rig.keeper.may_take_over = True
    rig.sharing.update()
    assert rig.going == {"a", "b", "c"}


def test_a_few_cameras_move_at_a_time():
    rig = Rig(*MANY)
    ours, theirs = rig.member(), rig.member("them")
    rig.keeper.sees(ours, holders=dict.fromkeys(MANY, "us"))
    rig.sharing.update()
    rig.keeper.held = set(MANY)
    holders = dict.fromkeys(MANY, "us")
    left = set()
    for _ in range(20):
        rig.keeper.sees(ours, theirs, holders=dict(holders))
        rig.sharing.update()
        rig.sharing.update()
        now = set(MANY) - rig.going - left
        assert len(now) <= MAX_MOVING
        for name in now:  # given back, and taken by the other
            rig.films[name].over = True
            rig.keeper.held.discard(name)
            holders[name] = "them"
        left |= now
    assert 28 <= len(rig.going) <= 32


def test_a_camera_that_waits_for_a_lease_stops_at_once():
    rig = Rig(*MANY)
    rig.keeper.sees(rig.member())
    rig.sharing.update()
    assert rig.going == set(MANY)  # none of them has its lease yet
    rig.keeper.sees(rig.member(), rig.member("them"), holders=dict.fromkeys(MANY[:40], "them"))
    rig.sharing.update()
    assert len(rig.going) <= 31


def test_a_file_that_another_process_has_finished_is_not_started():
    rig = Rig("film", url="/videos/a.mp4")
    rig.keeper.sees(rig.member(), rig.member("them"), over={"film": 101})
    rig.sharing.update()
    assert rig.films == {}
    assert rig.sharing.is_over()
    assert rig.keeper.dropped == ["film"]


def test_a_file_finished_before_the_start_of_this_process_is_played_again():
    rig = Rig("film", url="/videos/a.mp4")
    rig.keeper.sees(rig.member(), over={"film": 99})
    rig.sharing.update()
    assert rig.going == {"film"}
    rig.films["film"].over = rig.films["film"].ended = True
    rig.sharing.update()
    assert rig.sharing.is_over()


def test_a_pinned_epoch_is_used_only_for_the_first_connection():
    rig = Rig("gate")
    rig.keeper.sees(rig.member())
    rig.sharing.update()
    film = rig.films["gate"]
    assert film.pinned
    film.stop()
    film.over = True
    rig.sharing.update()
    rig.sharing.update()
    assert not rig.films["gate"].pinned


def test_a_camera_that_fails_here_is_withdrawn():
    rig = Rig("gate", "yard")
    rig.keeper.sees(rig.member())
    rig.sharing.update()
    film = rig.films["gate"]
    film.problem, film.over = "devices: Linux only", True
    rig.sharing.update()
    assert rig.keeper.dropped == ["gate"]
    assert rig.going == {"yard"}
    assert rig.sharing.problems == ("devices: Linux only",)
    assert rig.sharing.unfilmed == ["gate", "yard"]  # by the last answer of Redis


def test_cameras_beyond_all_room_are_reported_as_a_sentence():
    rig = Rig(*FEW)
    rig.keeper.sees(rig.member(room=2), rig.member("them", room=2), rig.member("x", leaving=True))
    rig.sharing.update()
    assert len(rig.sharing.beyond_room) == 2
    [note] = rig.sharing.notes()
    assert note.startswith("2 of 6 cameras are filmed by nobody (c")
    assert "have room for 4" in note
    rig.keeper.sees(rig.member(room=2), rig.member("them", room=4))
    rig.sharing.update()
    assert rig.sharing.notes() == []
