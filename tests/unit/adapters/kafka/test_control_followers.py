"""States of a deployment in control.v1: order, replays, forgeries, tombstones."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from tests.deployments import configured, state_of

from openlfr.adapters.kafka.control_followers import StateFollower, WatchlistFollower
from openlfr.domain.control import DeploymentForgotten, EntryForgotten, ManifestChange
from openlfr.domain.deployment import DeploymentStatus
from openlfr.domain.errors import Unavailable
from openlfr.domain.watchlist import EntryStatus
from openlfr.in_force import DeploymentInForce, NotInForce

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MARKET = configured(NOON - timedelta(hours=1), NOON + timedelta(hours=1))
STARTED, PAUSED = DeploymentStatus.STARTED, DeploymentStatus.PAUSED


class Rig:
    def __init__(self):
        self.in_force = DeploymentInForce(MARKET)
        self.follower = StateFollower(self.in_force)

    def take(self, *messages):
        """Take them and put them in use; why frames are left out then."""
        for each in messages:
            self.follower.apply(each)
        with suppress(Unavailable):
            self.follower.put_in_use()
        return self.in_force.skip_reason(NOON, "gate")


@pytest.fixture
def rig():
    return Rig()


def state(version, status=STARTED, **more):
    return state_of(MARKET, version, status=status, **more)


def test_nothing_is_in_force_until_its_state_is_read(rig):
    with pytest.raises(Unavailable, match="records upgrade"):
        rig.follower.put_in_use()
    assert rig.take() is NotInForce.UNKNOWN
    assert "no state of it" in rig.in_force.status_message()
    assert rig.take(state(1)) is None
    assert rig.in_force.status_message() == ""


@pytest.mark.parametrize("status", [each for each in DeploymentStatus if each != STARTED])
def test_nobody_is_searched_in_any_status_except_started(rig, status):
    assert rig.take(state(1, status)) is NotInForce.PAUSED
    assert f"is {status} since 2026-11-23 08:00:00 UTC" in rig.in_force.status_message()
    assert rig.take(state(2)) is None


def test_an_older_state_never_wins_and_is_counted(rig):
    assert rig.take(state(2), state(4, PAUSED), state(3)) is NotInForce.PAUSED
    assert rig.take(state(2)) is NotInForce.PAUSED  # written again by somebody who had read it
    assert rig.follower.counts["older"] == 2
    assert rig.take(state(4, PAUSED)) is NotInForce.PAUSED  # the relay's own repetition
    assert (rig.follower.counts["older"], rig.follower.counts["deployments"]) == (2, 2)


def test_the_state_of_another_deployment_is_ignored(rig):
    rig.take(state(1))
    assert rig.take(state(2, PAUSED, deployment_id="Fair"), DeploymentForgotten("Fair")) is None
    assert rig.follower.counts["of_another_deployment"] == 2


def test_an_untrusted_state_changes_and_replaces_nothing(rig):
    """A forged record has the key of the true one: after compaction the true one may be gone."""
    rig.take(state(1, PAUSED))
    rig.follower.on_invalid("deployment/Market")
    assert rig.take() is NotInForce.PAUSED
    rig.follower.reset()  # read anew, and only the forged one is there
    rig.follower.on_invalid("deployment/Market")
    assert rig.take() is NotInForce.UNKNOWN


def test_a_restored_backup_is_published_first(rig):
    assert rig.take(state(9), DeploymentForgotten("Market")) is NotInForce.UNKNOWN
    assert rig.take(state(3)) is None


def test_hours_cameras_and_lists_of_a_revision_are_followed(rig):
    later = NOON + timedelta(hours=2)
    assert rig.take(state(1)) is None
    assert rig.in_force.watchlists == MARKET.watchlists
    revised = state(2, starts=NOON, ends=later, cameras=("gate",), watchlists=("fair",), revision=2)
    rig.take(revised)
    why = rig.in_force.skip_reason
    assert why(NOON + timedelta(minutes=90), "gate") is None
    assert why(NOON - timedelta(minutes=1), "gate") is NotInForce.OUTSIDE_HOURS
    assert why(later, "gate") is NotInForce.OUTSIDE_HOURS
    assert why(NOON, "yard") is NotInForce.OTHER_CAMERA
    assert rig.in_force.watchlists == ("fair",)


def test_without_a_trusted_state_nothing_is_in_force():
    staleness = ["Nothing came for 30 s."]
    in_force = DeploymentInForce(MARKET, find_staleness=lambda: staleness[0])
    in_force.update(state(1))
    assert in_force.skip_reason(NOON, "gate") is NotInForce.UNKNOWN
    assert in_force.status == "unknown"
    assert staleness[0] in in_force.status_message()
    staleness[0] = ""
    assert in_force.skip_reason(NOON, "gate") is None


def test_the_lists_of_a_revision_are_searched_from_then_on():
    given, lists = [], ["default"]
    follower = WatchlistFollower(lambda: lists, given.append)
    for name, watchlist in (("a", "default"), ("b", "fair")):
        follower.apply(ManifestChange(name, watchlist, "hash", NOON, EntryStatus.ACTIVE, 1, NOON))
    follower.put_in_use()
    follower.put_in_use()
    assert set(given[-1]) == {"a"}
    assert given[0] is given[1]  # the very same while nothing has changed
    lists[:] = ["fair"]
    follower.put_in_use()
    assert set(given[-1]) == {"b"}
    follower.apply(EntryForgotten("b"))
    follower.put_in_use()
    assert set(given[-1]) == set()
