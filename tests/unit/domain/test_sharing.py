"""Cameras are shared evenly, each process alone comes to the same, and little moves."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from openlfr.domain.sharing import Cost, Member, assign

ALIKE = {f"camera {number}": Cost(80) for number in range(180)}


def members(*names, cameras=ALIKE, room=1000):
    return [Member(name, room, cameras) for name in names]


def loads(assigned, cameras=ALIKE):
    found = Counter()
    for camera, member in assigned.items():
        found[member] += cameras[camera].millicores
    return found


def moved(before, after):
    return {camera for camera in before if before[camera] != after.get(camera)}


@pytest.mark.parametrize("number", [1, 2, 3, 7, 17, 51])
def test_a_first_share_is_even_and_whole(number):
    assigned = assign(members(*map(str, range(number))), {})
    assert assigned.keys() == ALIKE.keys()
    found = Counter(assigned.values())
    assert len(found) == number
    assert max(found.values()) - min(found.values()) <= max(1, len(ALIKE) // number // 20)


def test_the_shares_do_not_depend_on_the_order():
    several = members("a", "b", "c")
    holders = dict.fromkeys(list(ALIKE)[:100], "b")
    one = assign(several, holders)
    backwards = dict(reversed(ALIKE.items()))
    other = assign(members("c", "a", "b", cameras=backwards), dict(reversed(holders.items())))
    assert one == other


def test_only_the_cameras_of_a_dead_process_move():
    before = assign(members("a", "b", "c"), {})
    after = assign(members("a", "b"), before)
    assert moved(before, after) == {camera for camera, who in before.items() if who == "c"}
    assert set(Counter(after.values()).values()) == {90}


def test_a_joining_process_gets_its_share_and_no_other_camera_moves():
    before = assign(members("a", "b", "c"), {})
    after = assign(members("a", "b", "c", "d"), before)
    assert all(after[camera] == "d" for camera in moved(before, after))
    assert 43 <= Counter(after.values())["d"] <= 45


def test_nearly_even_shares_do_not_change():
    before = assign(members("a", "b", "c"), {})
    assert assign(members("a", "b", "c"), before) == before
    del before["camera 7"]
    after = assign(members("a", "b", "c"), before)
    assert moved(before, after) == set()
    assert "camera 7" in after


def test_the_shares_are_stable_while_cameras_move():
    """Each camera that was given back goes where it was meant to go; nothing is moved twice."""
    several = members("a", "b", "c", "d")
    holders = assign(several[:3], {})
    goal = assign(several, holders)
    for camera in sorted(moved(holders, goal)):
        del holders[camera]
        assert assign(several, holders)[camera] == "d"
        holders[camera] = "d"
    assert assign(several, holders) == holders


def test_different_cameras_are_shared_by_their_cost():
    chance = random.Random(7)
    cameras = {f"{n}": Cost(chance.choice((10, 50, 80, 300, 900))) for n in range(90)}
    assigned = assign(members("a", "b", "c", cameras=cameras), {})
    found = loads(assigned, cameras)
    assert max(found.values()) <= 1.1 * min(found.values())
    again = assign(members("a", "b", "c", "d", cameras=cameras), assigned)
    found = loads(again, cameras)
    assert len(found) == 4
    assert max(found.values()) <= 1.1 * min(found.values())


def test_no_process_exceeds_its_room_and_the_other_cameras_are_unassigned():
    assigned = assign(members("a", "b", room=50), {})
    assert Counter(assigned.values()) == {"a": 50, "b": 50}
    unlike = [Member("a", 10, ALIKE), Member("b", 1000, ALIKE)]
    assert Counter(assign(unlike, {}).values()) == {"a": 10, "b": 170}
    shrunk = assign(members("a", room=5), dict.fromkeys(ALIKE, "a"))
    assert len(shrunk) == 5


def test_a_leaving_process_gets_no_camera_and_loses_its_own():
    before = assign(members("a", "b", "c"), {})
    leaving = [Member("c", 1000, ALIKE, leaving=True), *members("a", "b")]
    assert set(assign(leaving, before).values()) == {"a", "b"}
    assert assign([Member("a", 9, ALIKE, leaving=True)], {}) == {}
    assert assign([], {}) == {}


def test_a_file_remains_with_the_process_that_plays_it():
    files = {name: Cost(80, movable=False) for name in ALIKE}
    before = dict.fromkeys(files, "a")
    assert assign(members("a", "b", cameras=files), before) == before


def test_cameras_are_filmed_only_by_processes_that_have_them_configured():
    """As while a new configuration is rolled out."""
    old = {name: ALIKE[name] for name in list(ALIKE)[:100]}
    new = {name: ALIKE[name] for name in list(ALIKE)[20:]}
    both = [Member("old", 1000, old), Member("new", 1000, new)]
    assigned = assign(both, dict.fromkeys(old, "old"))
    assert assigned.keys() == ALIKE.keys()
    assert all(assigned[name] == "old" for name in list(ALIKE)[:20])
    assert all(assigned[name] == "new" for name in list(ALIKE)[100:])
    assert min(Counter(assigned.values()).values()) >= 88
