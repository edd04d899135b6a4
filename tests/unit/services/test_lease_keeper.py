"""A process's trust in its view of the others, and its leases after an outage."""

from __future__ import annotations

from datetime import timedelta

import pytest

from openlfr.adapters.redis.leases import HeartbeatResult
from openlfr.domain.errors import BadInput, Unavailable
from openlfr.domain.sharing import Cost
from openlfr.testing import ManualClock
from openlfr_ingest import leases, view_trust
from openlfr_ingest.leases import LeaseKeeper

TTL = 6.0


class Redis:
    """`CameraLeases` whose answers the test sets."""

    member_id, ttl = "us", timedelta(seconds=TTL)

    def __init__(self, clock):
        self.clock = clock
        self.joined, self.lost, self.takes_s, self.away = True, (), 0.0, False
        self.free, self.refused, self.given_back, self.asked = {}, {}, [], []

    def heartbeat(self, cameras, held, *, room, leaving):
        self.clock.now += self.takes_s
        if self.away:
            raise Unavailable("Redis is away")
        joined, self.joined = self.joined, False
        lost, self.lost = self.lost, ()
        return HeartbeatResult(joined, tuple(name for name in lost if name in held), 1000, None)

    def acquire(self, requests):
        self.asked.append([each.camera for each in requests])
        found = {}
        for each in requests:
            if each.camera in self.refused:
                found[each.camera] = BadInput("over")
            elif each.camera in self.free:
                found[each.camera] = each.epoch or self.free[each.camera]
        return found

    def next_epoch(self, camera):
        return 77

    def release(self, camera, *, is_finished=False):
        self.given_back.append((camera, is_finished))


@pytest.fixture
def clock(monkeypatch):
    made = ManualClock(1000.0)
    monkeypatch.setattr(leases, "monotonic", made)
    monkeypatch.setattr(view_trust, "monotonic", made)
    return made


@pytest.fixture
def keeper(clock):
    made = LeaseKeeper(Redis(clock), {"gate": Cost(80)}, room=9, on_lost=lambda c: lost.append(c))
    lost = made.told = []
    made._trust.begin()
    made._send_heartbeat()
    return made


def hold(keeper, camera, epoch=5):
    keeper._held[camera] = leases._HeldLease(epoch)


def test_a_process_that_is_only_slow_trusts_its_view(keeper, clock):
    clock.now += 5  # this process had no CPU for so long
    keeper._send_heartbeat()
    assert keeper.is_view_trusted


@pytest.mark.parametrize("how", ["joined", "slow", "away"])
def test_after_an_outage_the_view_is_not_trusted_for_the_lifetime_of_a_lease(keeper, clock, how):
    clock.now += 1
    redis = keeper._leases
    if how == "joined":
        redis.joined = True
    elif how == "slow":
        redis.takes_s = 4.0
    else:
        keeper._trust.is_failing = True
    keeper._send_heartbeat()
    keeper._trust.is_failing = False
    assert not keeper.is_view_trusted
    redis.takes_s = 0.0
    clock.now += TTL - 0.1
    assert not keeper.is_view_trusted
    clock.now += 0.2
    assert keeper.is_view_trusted


def test_while_redis_does_not_answer_the_last_view_is_not_trusted(keeper):
    assert keeper.is_view_trusted
    keeper._trust.is_failing = True
    assert not keeper.is_view_trusted


def test_a_redis_that_remains_slow_does_not_stop_sharing_for_ever(keeper, clock):
    keeper._leases.takes_s = 4.0
    trusted = []
    for _ in range(20):
        keeper._send_heartbeat()
        trusted.append(keeper.is_view_trusted)
    assert not trusted[0]
    assert any(trusted)


def test_free_leases_are_reclaimed_under_their_epoch_and_the_others_are_lost(keeper):
    for name in ("kept", "held", "over"):
        hold(keeper, name)
    redis = keeper._leases
    redis.lost, redis.free, redis.refused = ("kept", "held", "over"), {"kept": 9}, {"over": 1}
    keeper._send_heartbeat()
    assert keeper.held == {"kept"}
    assert sorted(keeper.told) == ["held", "over"]
    assert keeper.next_epoch("kept") == 5


def test_each_connection_has_its_own_epoch_and_a_lost_lease_has_none(keeper):
    hold(keeper, "gate")
    assert [keeper.next_epoch("gate") for _ in range(2)] == [5, 77]
    assert keeper.next_epoch("nobody") is None


def test_no_lease_is_acquired_before_the_view_is_trusted(keeper, clock):
    redis = keeper._leases
    redis.free = {"gate": 8}
    keeper._waiting["gate"] = waiting = leases._WaitingRequest(leases.LeaseRequest("gate"))
    keeper._trust.distrust(1)
    keeper._acquire_waiting()
    assert (redis.asked, keeper.held) == ([], frozenset())
    clock.now += 2
    keeper._acquire_waiting()
    assert waiting.done.is_set()
    assert keeper.held == {"gate"}


def test_a_lease_for_a_camera_that_was_stopped_is_released(keeper):
    redis = keeper._leases
    redis.free = {"gate": 8}
    keeper._waiting["gate"] = leases._WaitingRequest(leases.LeaseRequest("gate"))
    taken = redis.acquire

    def acquire(requests):
        keeper._waiting.pop("gate", None)
        return taken(requests)

    redis.acquire = acquire
    keeper._acquire_waiting()
    assert redis.given_back == [("gate", False)]
    assert keeper.held == frozenset()
