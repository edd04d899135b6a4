"""The deployments of alerting: from the records, and the configured one during an outage."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.deployments import configured

from openlfr.domain.deployment import DeploymentStatus
from openlfr.domain.errors import Unavailable
from openlfr.testing import ManualClock
from openlfr_alerting.deployment_cache import REREAD_S, DeploymentCache

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
OURS = replace(configured(NOON, NOON + timedelta(hours=2)), cameras=("gate", "yard"))
THEIRS = replace(OURS, deployment_id="Fair", cameras=("wheel",))


class Records:
    def __init__(self, *known):
        self.known = {each.deployment_id: each for each in known}
        self.away = False
        self.asked = 0

    def get(self, deployment_id):
        self.asked += 1
        if self.away:
            raise Unavailable("gone")
        return self.known.get(deployment_id)


@pytest.fixture
def clock():
    return ManualClock(100.0)


def test_recorded_deployments_are_read_again_after_a_while(clock):
    records = Records(THEIRS)
    known = DeploymentCache(records, OURS, clock=clock)
    assert known.get("Fair") == known.get("Fair") == THEIRS
    assert (known.get("Nobody's"), records.asked) == (None, 2)
    records.known["Fair"] = longer = replace(THEIRS, revision=2)
    clock.now += REREAD_S
    assert known.get("Fair") == longer


def test_the_recorded_deployment_has_priority_over_the_configured_one(clock):
    revised = replace(OURS, cameras=("gate",), status=DeploymentStatus.PAUSED, revision=2)
    assert DeploymentCache(Records(revised), OURS, clock=clock).get("Market") == revised
    assert DeploymentCache(Records(), OURS, clock=clock).get("Market") == OURS


def test_without_recorded_cameras_the_configured_cameras_count(clock):
    """Another's are not known, and a sighting of an unknown camera is refused."""
    known = DeploymentCache(Records(replace(OURS, cameras=()), replace(THEIRS, cameras=())), OURS)
    assert known.get("Market") == OURS
    assert known.get("Fair") is None


def test_no_sighting_waits_for_records_that_do_not_answer(clock):
    records = Records(THEIRS)
    known = DeploymentCache(records, OURS, clock=clock)
    assert known.get("Fair") == THEIRS
    records.away, clock.now = True, clock.now + REREAD_S
    for _ in range(3):
        assert (known.get("Fair"), known.get("Market")) == (THEIRS, OURS)
    assert (records.asked, known.unanswered) == (3, 2)  # not again for a while
    with pytest.raises(Unavailable):
        known.get("Unheard of")
