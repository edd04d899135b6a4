"""When a process trusts its view of the others, and which leases it keeps after an outage."""

from __future__ import annotations

from datetime import timedelta

import pytest

from openlfr.adapters.redis.leases import HeartbeatResult
from openlfr.domain.errors import BadInput, Unavailable
from openlfr.domain.sharing import Cost
from openlfr.testing import ManualClock
from openlfr_ingest import leases
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
    return made


@pytest.fixture
def keeper(clock):
    made = LeaseKeeper(Redis(clock), {"gate": Cost(80)}, room=9, on_lost=lambda c: lost.append(c))
    lost = made.told = []
    made._last_heartbeat_s = made._joined_s = clock.now
    made._send_heartbeat()
    return made


def hold(keeper, camera, epoch=5):
    keeper._held[camera] = leases._HeldLease(epoch)


def test_who_is_merely_slow_trusts_what_it_sees(keeper, clock):
    clock.now += 5  # this process had no CPU for so long
    keeper._send_heartbeat()
    assert keeper.is_settled


@pytest.mark.parametrize("how", ["joined", "slow", "away"])
def test_after_an_outage_the_others_are_waited_for(keeper, clock, how):
    clock.now += 1
    redis = keeper._leases
    if how == "joined":
        redis.joined = True
    elif how == "slow":
        redis.takes_s = 4.0
    else:
        keeper._is_failing = True
    keeper._send_heartbeat()
    keeper._is_failing = False
    assert not keeper.is_settled
    redis.takes_s = 0.0
    clock.now += TTL - 0.1
    assert not keeper.is_settled
    clock.now += 0.2
    assert keeper.is_settled


def test_while_redis_is_away_what_was_seen_last_counts_for_nothing(keeper):
    assert keeper.is_settled
    keeper._is_failing = True
    assert not keeper.is_settled


def test_a_redis_that_stays_slow_does_not_stop_sharing_for_good(keeper, clock):
    keeper._leases.takes_s = 4.0
    settled = []
    for _ in range(20):
        keeper._send_heartbeat()
        settled.append(keeper.is_settled)
    assert not settled[0]
    assert any(settled)


def test_what_nobody_had_meanwhile_is_kept_under_its_epoch_and_the_rest_is_lost(keeper):
    for name in ("kept", "held", "over"):
        hold(keeper, name)
    redis = keeper._leases
    redis.lost, redis.free, redis.refused = ("kept", "held", "over"), {"kept": 9}, {"over": 1}
    keeper._send_heartbeat()
    assert keeper.held == {"kept"}
    assert sorted(keeper.told) == ["held", "over"]
    assert keeper.next_epoch("kept") == 5


def test_each_connection_has_an_epoch_of_its_own_and_a_lost_lease_none(keeper):
    hold(keeper, "gate")
    assert [keeper.next_epoch("gate") for _ in range(2)] == [5, 77]
    assert keeper.next_epoch("nobody") is None


def test_nothing_is_taken_before_it_is_known_who_lives(keeper, clock):
    redis = keeper._leases
    redis.free = {"gate": 8}
    keeper._waiting["gate"] = waiting = leases._WaitingRequest(leases.LeaseRequest("gate"))
    keeper._settled_from_s = clock.now + 1
    keeper._acquire_waiting()
    assert (redis.asked, keeper.held) == ([], frozenset())
    clock.now += 2
    keeper._acquire_waiting()
    assert waiting.done.is_set()
    assert keeper.held == {"gate"}


def test_what_was_taken_for_somebody_who_has_gone_is_given_back(keeper):
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
