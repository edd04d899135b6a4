"""Deployments that somebody changed directly in the database: nobody is searched."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from openlfr.adapters.sql import tables
from openlfr.domain.control import DeploymentState
from openlfr.domain.deployment import Authorisation, Deployment, DeploymentStatus, deployment_id_of
from openlfr.domain.errors import BadInput
from openlfr.domain.principals import local_principal
from openlfr.operations import deployments

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
BY = local_principal("root", "Ann Smith")
STATUS = DeploymentStatus
HOURS = Authorisation(
    "Market", "Find Ann", "Square", "Act 5", "Chief Jones", NOON, NOON + timedelta(hours=2)
)
CONFIGURED = Deployment(
    deployment_id_of("Market", NOON), HOURS, STATUS.STARTED, ("gate",), ("default",)
)
START = deployments.Start()


@pytest.fixture
def market(records):
    deployments.start(CONFIGURED, START, records=records, by=BY, at=NOON)
    return CONFIGURED.deployment_id


def change(records, **values):
    """Change the database as a person with access to it would."""
    with records._engine.begin() as connection:
        connection.execute(sa.update(tables.deployments).values(values))


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"ends": datetime(2090, 1, 1, tzinfo=UTC)}, "ends differs from its acts"),
        ({"starts": datetime(2020, 1, 1, tzinfo=UTC)}, "starts differs from its acts"),
        ({"authorised_by": ""}, "authorised_by differs from its acts"),
        ({"legal_basis": "Act 6", "place": "All"}, "place and legal_basis differ from its acts"),
        ({"cameras": ["gate", "school"]}, "cameras differs from its acts"),
        ({"watchlists": ["default", "debtors"]}, "watchlists differs from its acts"),
        ({"revision": 9}, "revision differs from its acts"),
    ],
)
def test_nobody_is_searchable_under_an_unauthorised_change(records, market, values, what):
    assert records.deployments.get(market).covers(NOON)
    change(records, **values)
    found = records.deployments.get(market)
    assert found.alteration == what
    assert not found.covers(NOON)
    assert [each.alteration for each in records.deployments.list()] == [what]
    assert records.deployments.find("Market").alteration == what
    # The relay publishes the state on control.v1 again, though no version was increased.
    assert records.control.altered_deployments() == {market: what}
    [state] = [
        each for each in records.control.changes_after(0) if isinstance(each, DeploymentState)
    ]
    assert state.status is STATUS.PAUSED


@pytest.mark.parametrize("move", ["pause", "stop", "close"])
def test_an_ended_deployment_stays_ended_whatever_its_row_contains(records, market, move):
    moved = getattr(deployments, move)("Market", "", records=records, by=BY, at=NOON)
    change(records, status="started")
    found = records.deployments.get(market)
    assert (found.status, found.alteration) == (moved.status, "status differs from its acts")
    assert not found.covers(NOON)


def test_a_deployment_without_an_authorisation_does_not_exist(records, market):
    with records._engine.begin() as connection:
        row = connection.execute(sa.select(tables.deployments)).one()._mapping
        other = dict(row) | {"deployment_id": "made-up", "name": "Fair"}
        connection.execute(sa.insert(tables.deployments).values(other))
    assert records.deployments.get("made-up").alteration == "no authorisation of it was recorded"
    assert not records.deployments.get("made-up").covers(NOON)
    assert records.deployments.get(market).covers(NOON)


def test_a_start_records_the_configuration_s_authorisation_again(records, market):
    change(records, ends=datetime(2090, 1, 1, tzinfo=UTC), authorised_by="")
    deployments.start(CONFIGURED, START, records=records, by=BY, at=NOON)
    found = records.deployments.get(market)
    assert (found.alteration, found.authorisation) == ("", HOURS)
    kinds = [each.kind.partition(".")[2] for each in records.audit.all()]
    assert kinds[-3:] == ["revised", "authorised", "started"]
    change(records, revision=7)
    deployments.start(CONFIGURED, START, records=records, by=BY, at=NOON)
    assert records.deployments.get(market).alteration == ""


def test_a_closed_deployment_is_not_started_by_a_changed_row(records, market):
    deployments.close("Market", "", records=records, by=BY, at=NOON)
    change(records, status="started", ends=datetime(2090, 1, 1, tzinfo=UTC))
    with pytest.raises(BadInput, match="closed"):
        deployments.start(CONFIGURED, START, records=records, by=BY, at=NOON)


def test_an_act_after_the_change_does_not_legitimise_the_change(records, market):
    change(records, ends=datetime(2090, 1, 1, tzinfo=UTC))
    deployments.pause("Market", "", records=records, by=BY, at=NOON)
    deployments.resume("Market", "", records=records, by=BY, at=NOON)
    assert not records.deployments.get(market).covers(NOON)
