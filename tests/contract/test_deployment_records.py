"""Deployments in the records: their current state, found by id or by name."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from openlfr.domain.deployment import Authorisation, Deployment, DeploymentStatus, deployment_id_of
from openlfr.domain.errors import BadInput
from openlfr.domain.principals import local_principal
from openlfr.operations.deployments import register

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def records(every_records):
    return every_records


def drafted(name="Market", starts=NOON):
    hours = Authorisation(
        name, "Find Ann", "Square", "Act 5", "Chief X", starts, starts + timedelta(hours=2)
    )
    return Deployment(deployment_id_of(name, starts), hours, DeploymentStatus.DRAFT)


def put(records, *deployments):
    for each in deployments:
        with records.unit_of_work() as work:
            work.deployments.put(each, NOON)


def test_a_deployment_is_read_as_stored_and_as_changed(records):
    market = drafted()
    assert records.deployments.get(market.deployment_id) is None
    put(records, market)
    assert records.deployments.get(market.deployment_id) == market
    changed = replace(market, cameras=("gate",), revision=2)
    put(records, changed)
    assert records.deployments.list() == [changed]


def test_a_change_increases_the_watchlist_version(records):
    before = records.watchlist.version()
    put(records, drafted())
    assert records.watchlist.version() > before


def test_a_reused_name_is_another_deployment(records):
    first, again = drafted(), drafted(starts=NOON + timedelta(days=7))
    put(records, first, again)
    assert records.deployments.list() == [again, first]
    with pytest.raises(BadInput, match=rf"Several .* by its id: {first.deployment_id} "):
        records.deployments.find("Market")
    assert records.deployments.find(first.deployment_id[:9]) == first


def test_closed_deployments_and_longer_ids_do_not_match_a_name(records):
    """After an upgrade, older deployments are recorded as closed, with their name as id."""
    market = drafted()
    over = replace(market, deployment_id="Market before", status=DeploymentStatus.CLOSED)
    put(records, market, over)
    assert records.deployments.find("Market") == market
    assert records.deployments.find("Market before") == over
    one, two = (replace(market, deployment_id=each) for each in ("Op", "Op-2"))
    put(records, one, two)
    assert records.deployments.find("Op") == one


def test_a_text_that_is_one_deployment_s_id_and_another_s_name_is_refused(records):
    one, two = replace(drafted("Harbour"), deployment_id="Market"), drafted()
    put(records, one, two)
    with pytest.raises(BadInput, match=r"Several deployments are 'Market'") as refused:
        records.deployments.find("Market")
    for each in (one, two):
        assert f"{each.deployment_id} ({each.name})" in str(refused.value)
    assert records.deployments.find("Harbour") == one
    assert records.deployments.find(two.deployment_id) == two


@pytest.mark.parametrize(
    ("deployment_id", "name"), [("MARKET-1", "Fair"), ("market", "Fair"), ("fair", "Market-1")]
)
def test_a_new_deployment_that_can_be_taken_for_another_is_refused(records, deployment_id, name):
    by = local_principal("root")
    first = replace(drafted(), deployment_id="market-1", status=DeploymentStatus.AUTHORISED)
    register(first, records=records, by=by, at=NOON)
    other = replace(drafted(name), deployment_id=deployment_id)
    before = records.audit.all()
    with pytest.raises(BadInput, match=r"market-1 \(Market\).*deployment\."):
        register(other, records=records, by=by, at=NOON)
    assert (len(records.deployments.list()), records.audit.all()) == (1, before)
    register(first, records=records, by=by, at=NOON)  # the same id again is the same deployment


@pytest.mark.parametrize("named", ["", " ", "Fair", "%"])
def test_a_name_without_a_deployment_is_reported(records, named):
    put(records, drafted())
    with pytest.raises(BadInput, match="There is no deployment"):
        records.deployments.find(named)
    assert records.deployments.find(" Market ").name == "Market"
