"""One live process films a camera, and each next one has a higher epoch."""

from __future__ import annotations

from datetime import timedelta

import pytest

from awaiting import await_that
from openlfr.adapters.redis.leases import CameraLeases, LeaseRequest
from openlfr.adapters.redis.lite import start_server
from openlfr.domain.errors import BadInput
from openlfr.domain.sharing import Cost

CAMERAS = {"gate": Cost(80), "yard": Cost(40, movable=False)}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    started = start_server(tmp_path_factory.mktemp("leases"))
    yield started
    started.close()


@pytest.fixture
def join(server):
    """Return a function that makes live members."""
    server.client.flushdb()

    def make(ttl=60.0, deployment="Market", **facts):
        leases = CameraLeases(server.client, deployment, ttl=timedelta(seconds=ttl))
        leases.heartbeat(CAMERAS, [], **{"room": 10, **facts})
        return leases

    return make


@pytest.fixture
def ours(join):
    return join()


def take(leases, camera, epoch=None):
    """Return the epoch of a new lease, or None if another process has the lease."""
    found = leases.acquire([LeaseRequest(camera, epoch)]).get(camera)
    if isinstance(found, BadInput):
        raise found
    return found


def wait_a_millisecond(server, epoch):
    """Wait until the server's clock is past an epoch; a real failover takes longer."""
    while (now := server.client.time())[0] * 1000 + now[1] // 1000 <= epoch:
        pass


def test_a_lease_lasts_until_its_release_and_the_epoch_increases(ours, join):
    theirs = join()
    first = take(ours, "gate")
    assert take(theirs, "gate") is None
    assert take(theirs, "yard") is not None
    assert ours.heartbeat(CAMERAS, ["gate"], room=10).lost == ()
    ours.release("gate")
    second = take(theirs, "gate")
    assert second > first
    assert ours.heartbeat(CAMERAS, ["gate"], room=10).lost == ("gate",)
    ours.release("gate")  # another process's lease remains
    assert theirs.heartbeat(CAMERAS, ["gate", "yard"], room=10).lost == ()


def test_a_pinned_epoch_is_used_and_the_next_epoch_is_higher(ours):
    assert take(ours, "gate", 7) == 7
    ours.release("gate")
    assert take(ours, "gate") > 7
    assert take(ours, "yard", 10**13) == 10**13
    ours.release("yard")
    assert take(ours, "yard") == 10**13 + 1


def test_an_outdated_pinned_epoch_is_refused_and_the_camera_stays_free(ours, join):
    theirs = join()
    for _ in range(2):  # the same frames again
        take(ours, "gate", 7)
        ours.release("gate")
    with pytest.raises(
        BadInput, match=r"gate: epoch 6 is over, since epoch 7 has begun.* or none\.$"
    ):
        take(ours, "gate", 6)
    first = take(theirs, "gate")
    with pytest.raises(BadInput, match=f"since epoch {first} has begun"):
        take(ours, "gate", 7)  # a refusal comes at once
    assert theirs.heartbeat(CAMERAS, ["gate"], room=10).lost == ()


def test_each_connection_of_a_lease_has_its_own_epoch(ours, join):
    theirs = join()
    assert take(ours, "gate", 7) == 7
    second = ours.next_epoch("gate")
    assert second > 7
    ours.release("gate")
    third = take(theirs, "gate")
    assert third > second
    assert ours.next_epoch("gate") is None  # another process has the lease by now
    assert theirs.next_epoch("gate") > third


@pytest.mark.parametrize("pinned", [None, 41])
def test_a_redis_without_its_data_repeats_no_epoch(ours, server, pinned):
    """Otherwise analysis would discard every frame of the camera as one of an old epoch."""
    take(ours, "gate", pinned)
    before = ours.next_epoch("gate")
    server.client.flushdb()
    wait_a_millisecond(server, before)
    assert take(ours, "gate") is None  # an unknown member gets no lease
    result = ours.heartbeat(CAMERAS, ["gate"], room=10)
    assert (result.joined, result.lost) == (True, ("gate",))
    assert take(ours, "gate", before) == before  # nobody else had the lease since then
    assert ours.next_epoch("gate") > before


def test_a_camera_that_another_process_had_since_is_not_reclaimed_with_the_old_epoch(ours, join):
    first = take(ours, "gate")
    ours.leave()  # as if this process had been frozen for long
    theirs = join()
    take(theirs, "gate")
    theirs.release("gate")
    ours.heartbeat(CAMERAS, ["gate"], room=10)
    with pytest.raises(BadInput):
        take(ours, "gate", first)


def test_a_redis_without_its_last_writes_repeats_no_epoch(ours, server):
    """A failover to a lagging replica has this effect."""
    take(ours, "gate")
    [key] = server.client.keys("*:epoch:*")
    server.client.set(key, 1_700_000_000)
    lost = ours.next_epoch("gate")
    server.client.set(key, 1_700_000_000)
    wait_a_millisecond(server, lost)
    assert ours.next_epoch("gate") > lost


def test_the_cameras_of_a_process_without_heartbeats_become_free(join):
    dead, theirs = join(ttl=0.3), join()
    first = take(dead, "gate")
    await_that("free camera", lambda: take(theirs, "gate") is not None)
    assert theirs.next_epoch("gate") > first
    assert [each.member_id for each in theirs.heartbeat({}, [], room=1).view.members] == [
        theirs.member_id
    ]


def test_the_next_heartbeat_returns_only_the_changes(ours, join):
    theirs = join(room=3)
    view = ours.heartbeat(CAMERAS, [], room=10).view
    assert {(each.max_cameras, each.leaving) for each in view.members} == {(10, False), (3, False)}
    assert [dict(each.cameras) for each in view.members] == [CAMERAS, CAMERAS]
    assert ours.heartbeat(CAMERAS, [], room=10).view is None
    epoch = take(theirs, "yard")
    assert ours.heartbeat(CAMERAS, [], room=10).view.live_holders == {"yard": theirs.member_id}
    theirs.release("yard", is_finished=True)
    view = ours.heartbeat(CAMERAS, [], room=10).view
    assert view.live_holders == {}
    assert epoch <= view.finished_files["yard"] + 1
    theirs.heartbeat({"gate": Cost(5)}, [], room=3, leaving=True)
    changed = {m.member_id: m for m in ours.heartbeat(CAMERAS, [], room=10).view.members}
    assert changed[theirs.member_id].leaving
    assert dict(changed[theirs.member_id].cameras) == {"gate": Cost(5)}


def test_a_leaving_process_releases_all_its_leases_at_once(ours, join):
    theirs = join()
    take(ours, "gate")
    ours.leave()
    assert take(theirs, "gate") is not None


def test_deployments_share_nothing(ours, join):
    other = join(deployment="Station")
    assert take(ours, "gate") is not None
    assert take(other, "gate") is not None
    assert len(other.heartbeat(CAMERAS, ["gate"], room=10).view.members) == 1


def test_one_command_renews_a_thousand_leases(join, server):
    names = [f"camera {number}" for number in range(2500)]
    cameras = dict.fromkeys(names, Cost(80))
    ours = join(room=5000)
    ours.heartbeat(cameras, [], room=5000)
    taken = ours.acquire([LeaseRequest(name) for name in names])
    assert len(taken) == len(names)
    assert ours.heartbeat(cameras, names, room=5000).lost == ()

    def asked():
        return server.client.info("commandstats")["cmdstat_evalsha"]["calls"]

    before = asked()
    ours.heartbeat(cameras, names, room=5000)
    assert asked() == before + 1
    [gone] = [name for name in names if name.endswith(" 1789")]
    ours.release(gone)
    assert ours.heartbeat(cameras, names, room=5000).lost == (gone,)
