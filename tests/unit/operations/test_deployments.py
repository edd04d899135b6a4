"""The acts of a deployment from its draft to its end, and refused changes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from openlfr.adapters.sql.records import Records
from openlfr.domain.deployment import Authorisation, Deployment, DeploymentStatus, deployment_id_of
from openlfr.domain.errors import BadInput
from openlfr.domain.principals import local_principal
from openlfr.domain.thresholds import Threshold, ThresholdOrigin
from openlfr.operations import deployments

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
BY = local_principal("root", "Ann Smith")
STARTED = DeploymentStatus.STARTED
SET = deployments.Start(Threshold(0.42, ThresholdOrigin.SET, 7), "c" * 64)
MOVES = {
    "pause": deployments.pause,
    "resume": deployments.resume,
    "stop": deployments.stop,
    "close": deployments.close,
}


def configured(*, name="Market", starts=NOON, ends=NOON + timedelta(hours=2), place="Square"):
    hours = Authorisation(name, "Find Ann", place, "Act 5", "Chief Jones", starts, ends)
    return Deployment(deployment_id_of(name, starts), hours, STARTED)


@pytest.fixture
def records(tmp_path):
    with Records.open(f"sqlite:///{tmp_path}/openlfr.db") as opened:
        yield opened


def start(records, deployment):
    return deployments.start(deployment, SET, records=records, by=BY, at=NOON)


def acts(records):
    return [(each.kind.partition(".")[2], each.by.name) for each in records.audit.all()]


def test_a_first_start_records_draft_authorisation_and_start(records):
    started = start(records, configured())
    assert acts(records) == [
        ("drafted", "Ann Smith"), ("authorised", "Chief Jones"), ("started", "Ann Smith"),
    ]  # fmt: skip
    _, authorised, begun = records.audit.all()
    assert authorised.detail | {"revision": 1} == {
        "name": "Market", "purpose": "Find Ann", "place": "Square", "legal_basis": "Act 5",
        "authorised_by": "Chief Jones", "starts": "2026-05-01T12:00:00+00:00",
        "ends": "2026-05-01T14:00:00+00:00", "revision": 1, "cameras": [], "watchlists": [],
    }  # fmt: skip
    assert not authorised.by.is_authenticated
    assert begun.detail == {
        "name": "Market", "revision": 1, "threshold": 0.42, "threshold_origin": "set",
        "threshold_list_size": 7, "config_hash": "c" * 64,
    }  # fmt: skip
    assert records.deployments.get(started.deployment_id) == started
    assert started.status is STARTED


def test_a_second_start_is_of_the_same_deployment_and_records_the_start_alone(records):
    assert start(records, configured()) == start(records, configured())
    assert [kind for kind, _ in acts(records)][3:] == ["started"]


def test_other_hours_or_another_place_are_a_revision_that_requires_a_new_authorisation(records):
    start(records, configured())
    longer = start(records, configured(ends=NOON + timedelta(hours=3), place="Station"))
    assert longer.revision == 2
    assert [kind for kind, _ in acts(records)][3:] == ["revised", "authorised", "started"]
    (revised,) = (each for each in records.audit.all() if each.kind == "deployment.revised")
    assert revised.detail["changes"] == {
        "place": ["Square", "Station"],
        "ends": ["2026-05-01 14:00:00+00:00", "2026-05-01 15:00:00+00:00"],
    }


def test_a_reused_name_merges_nothing_and_an_id_remains_under_any_name(records):
    first = start(records, configured())
    assert start(records, configured(starts=NOON - timedelta(days=7))) != first
    named = replace(configured(name="Fair"), deployment_id="op-7")
    renamed = replace(configured(name="Fair, day two"), deployment_id="op-7")
    start(records, named)
    assert start(records, renamed).revision == 2
    assert len(records.deployments.list()) == 3


@pytest.mark.parametrize(
    ("moves", "ends_as"),
    [
        (["pause"], DeploymentStatus.PAUSED),
        (["pause", "resume"], STARTED),
        (["pause", "stop"], DeploymentStatus.STOPPED),
        (["stop", "resume", "pause", "resume"], STARTED),
        (["stop", "close"], DeploymentStatus.CLOSED),
        (["close"], DeploymentStatus.CLOSED),
    ],
)
def test_permitted_changes_of_status_succeed(records, moves, ends_as):
    market = start(records, configured())
    for move in moves:
        moved = MOVES[move]("Market", f"{move} it", records=records, by=BY, at=NOON)
    assert moved == replace(market, status=ends_as)
    assert records.audit.all()[-1].detail["reason"] == f"{moves[-1]} it"
    assert not moved.covers(NOON) or ends_as is STARTED


@pytest.mark.parametrize(
    ("moves", "says"),
    [
        (["resume", "pause", "pause"], "is paused, so it cannot be paused"),
        (["stop", "pause"], "is stopped, so it cannot be paused"),
        (["close", "resume"], "is closed, so it cannot be started"),
        (["close", "close"], "is closed, so it cannot be closed"),
    ],
)
def test_a_forbidden_change_of_status_is_reported_and_changes_nothing(records, moves, says):
    market = start(records, configured())
    for move in moves[:-1]:
        market = MOVES[move]("Market", "", records=records, by=BY, at=NOON)
    before = records.audit.all()
    with pytest.raises(BadInput, match=says):
        MOVES[moves[-1]]("Market", "", records=records, by=BY, at=NOON)
    assert records.deployments.get(market.deployment_id) == market
    assert records.audit.all() == before


def test_one_that_was_closed_is_not_revised_either(records):
    start(records, configured())
    deployments.close("Market", "", records=records, by=BY, at=NOON)
    before = records.audit.all()
    longer = configured(ends=NOON + timedelta(hours=9))
    deployments.register(longer, records=records, by=BY, at=NOON)
    assert records.audit.all() == before


def test_one_that_was_closed_is_not_started_again(records):
    start(records, configured())
    deployments.close("Market", "", records=records, by=BY, at=NOON)
    with pytest.raises(BadInput, match="is closed, so it cannot be started"):
        start(records, configured())


def test_a_reinstalled_deployment_starts_once_and_revives_nothing(records):
    for _ in range(2):
        found = deployments.register_and_start(configured(), records=records, by=BY, at=NOON)
        assert found.status is STARTED
    assert [kind for kind, _ in acts(records)] == ["drafted", "authorised", "started"]
    deployments.pause("Market", "", records=records, by=BY, at=NOON)
    longer = configured(ends=NOON + timedelta(hours=5))
    again = deployments.register_and_start(longer, records=records, by=BY, at=NOON)
    assert (again.status, again.revision) == (DeploymentStatus.PAUSED, 2)


def test_hours_include_their_first_moment_but_not_their_last(records):
    market = start(records, configured())
    hours = market.authorisation
    inside = {
        moment: market.covers(moment)
        for moment in (hours.starts, hours.ends, hours.starts - timedelta(microseconds=1))
    }
    assert list(inside.values()) == [True, False, False]
