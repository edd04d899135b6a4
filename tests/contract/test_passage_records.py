"""Passages of control subjects in every adapter of the records."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from tests.passages import MINUTE, NOON, SECOND, SUE, enrol, entry_of, log, plan, see, start

from openlfr.adapters.memory.alert_book import MemoryAlertBook
from openlfr.adapters.memory.vault import MemoryVault
from openlfr.adapters.sql import tables
from openlfr.domain.adjudication import DecisionTimes, Judgement
from openlfr.domain.alerts import Adjudication, Outcome
from openlfr.domain.errors import BadInput, Conflict, NotAllowed
from openlfr.domain.passages import commit
from openlfr.domain.principals import Principal, Role, local_principal
from openlfr.domain.watchlist import EntryStatus
from openlfr.operations import deployments
from openlfr.operations.adjudicate import AlertVersion, OutcomeReport, decide, record_outcome
from openlfr.operations.entries import Entries, remove, suspend
from openlfr.operations.erasure import erase_alert
from openlfr.operations.passage_results import passage_result
from openlfr.operations.purge import erase_names, forget_entries


@pytest.fixture
def market(every_records):
    start(every_records)
    enrol(every_records, "Ann")
    return every_records


def whole(records):
    (group,) = passage_result("Market", records=records).groups
    return group.whole.found, group.whole.missed, group.whole.unknown


def erase(records, alert_id, at):
    erase_alert(
        records.alerts.find(alert_id),
        records=records,
        vault=MemoryVault(),
        book=MemoryAlertBook(),
        at=at,
        reason="retention",
    )


def test_a_plan_and_its_log_are_read_as_they_were_recorded_with_their_acts(market):
    planned = plan(market, "Ann", cameras=("yard", "gate", "yard"))
    (passage,) = market.passages.of_deployment("Market")
    assert (passage.plan, passage.log, passage.findings) == (planned, None, frozenset())
    assert planned.cameras == ("gate", "yard")
    assert planned.commitment == commit(
        entry_of("Ann"), "Market", ("gate", "yard"), planned.salt, NOON
    )
    log(market, planned, NOON + MINUTE, cameras=("yard",))
    passage = market.passages.find(planned.plan_id[:8])
    assert (passage.log.begins, passage.log.ends) == (NOON + MINUTE, NOON + MINUTE + 10 * SECOND)
    assert passage.log.cameras == ("yard",)
    acts = market.audit.all(object_kind="passage", object_id=planned.plan_id)
    assert [(act.kind, act.by.name) for act in acts] == [
        ("passage.planned", "Sue"), ("passage.logged", "Ola"),
    ]  # fmt: skip
    assert acts[0].detail["commitment"] == planned.commitment
    assert "Ann" not in str([acts, passage])
    assert passage_result("Market", records=market).altered == {}


def test_no_plan_no_passage(market):
    result = passage_result("Market", records=market)
    assert (result.planned, len(result.not_logged), result.groups) == (0, 0, ())
    plan(market, "Ann")
    result = passage_result("Market", records=market)
    assert (result.planned, len(result.not_logged), result.groups) == (1, 1, ())
    for text in ("", "nobody", "%"):
        with pytest.raises(BadInput, match="There is no planned passage"):
            market.passages.find(text)


@pytest.mark.parametrize(
    ("subject", "camera", "second", "found"),
    [
        ("Ann", "gate", 5, True),
        ("Ann", "gate", -5, True),
        ("Ann", "gate", 15, True),
        ("Ann", "gate", -5.001, False),
        ("Ann", "gate", 15.001, False),
        ("Ann", "yard", 5, False),
        ("Bea", "gate", 5, False),
    ],
)
def test_a_passage_is_found_by_a_sighting_of_its_subject_camera_and_time(
    market, subject, camera, second, found
):
    begins = NOON + MINUTE
    planned = plan(market, "Ann")
    see(market, subject, begins + second * SECOND, camera=camera)
    log(market, planned, begins)
    assert whole(market) == (int(found), int(not found), 0)


def test_each_camera_has_its_own_rate(market):
    planned = plan(market, "Ann", cameras=("gate", "yard"))
    see(market, "Ann", NOON + MINUTE, camera="yard")
    log(market, planned, NOON + MINUTE)
    (group,) = passage_result("Market", records=market).groups
    found = {name: (rate.found, rate.missed) for name, rate in group.by_camera.items()}
    assert found == {"gate": (0, 1), "yard": (1, 0)}
    assert (group.whole.found, group.whole.missed) == (1, 0)


def judge(records, alert_id, adjudication, by=SUE, at=NOON + 2 * MINUTE):
    decide(
        AlertVersion(alert_id),
        Judgement(adjudication),
        records=records,
        by=by,
        at=at,
        times=DecisionTimes(),
    )


def test_a_refuted_alert_showed_somebody_else_and_a_decision_is_no_truth(market):
    log(market, plan(market, "Ann"), NOON + MINUTE)
    judge(market, see(market, "Ann", NOON + MINUTE), Adjudication.DO_NOT_ENGAGE)
    assert whole(market) == (1, 0, 0)
    log(market, plan(market, "Ann"), NOON + 3 * MINUTE)
    alert_id = see(market, "Ann", NOON + 3 * MINUTE)
    judge(market, alert_id, Adjudication.ENGAGE, at=NOON + 4 * MINUTE)
    assert whole(market) == (2, 0, 0)
    record_outcome(
        AlertVersion(alert_id),
        OutcomeReport(Outcome.REFUTED),
        records=market,
        by=SUE,
        at=NOON + 4 * MINUTE,
        times=DecisionTimes(),
    )
    assert whole(market) == (1, 1, 0)
    erase(market, alert_id, NOON + 5 * MINUTE)
    assert whole(market) == (1, 1, 0)


def test_a_passage_stays_found_when_its_alert_and_the_name_are_erased(market):
    first, second, third = (plan(market, "Ann") for _ in range(3))
    alert_id = see(market, "Ann", NOON + MINUTE)
    log(market, first, NOON + MINUTE)
    log(market, second, NOON + 3 * MINUTE)
    erase(market, alert_id, NOON + 5 * MINUTE)
    assert market.alerts.find(alert_id).subject == ""
    assert whole(market) == (1, 1, 0)
    see(market, "Ann", NOON + 6 * MINUTE)
    log(market, third, NOON + 6 * MINUTE)
    remove(Entries("Ann"), records=market, by=SUE, at=NOON + 8 * MINUTE)
    with market.unit_of_work() as work:
        work.watchlist.mark_erased([entry_of("Ann")], NOON + 8 * MINUTE)
    assert forget_entries(market, NOON + 9 * MINUTE, now=NOON + 9 * MINUTE) == 1
    assert whole(market) == (2, 1, 0)
    assert "Ann" not in str(market.passages.of_deployment("Market"))


def test_what_was_erased_before_the_log_is_unknown(market):
    planned = plan(market, "Ann")
    alert_id = see(market, "Ann", NOON + MINUTE)
    erase(market, alert_id, NOON + 2 * MINUTE)
    log(market, planned, NOON + MINUTE, at=NOON + 3 * MINUTE)
    assert whole(market) == (0, 0, 1)


def test_an_alert_of_somebody_else_erased_after_the_log_leaves_no_doubt(market):
    log(market, plan(market, "Ann"), NOON + MINUTE)
    erase(market, see(market, "Bea", NOON + MINUTE), NOON + 5 * MINUTE)
    assert whole(market) == (0, 1, 0)


def test_names_of_those_who_planned_and_logged_can_be_erased(market):
    planned = plan(market, "Ann")
    log(market, planned, NOON + MINUTE)
    erase_names(market, NOON + 9 * MINUTE, by=SUE, at=NOON + 9 * MINUTE)
    acts = market.audit.all(object_kind="passage")
    assert [(act.kind, act.by.name) for act in acts] == [
        ("passage.planned", ""), ("passage.logged", ""),
    ]  # fmt: skip
    assert (passage_result("Market", records=market).altered, whole(market)) == ({}, (0, 1, 0))


@pytest.mark.parametrize(
    ("paused", "resumed", "is_refused"),
    [(50, 65, True), (65, 66, True), (65, None, True), (10, 60, False), (70, 80, False)],
)
def test_a_walk_during_a_pause_is_not_logged(market, paused, resumed, is_refused):
    """The walk is from second 60 to 70."""
    planned = plan(market, "Ann")
    by = {"records": market, "by": SUE}
    deployments.pause("Market", "", **by, at=NOON + paused * SECOND)
    if resumed:
        deployments.resume("Market", "", **by, at=NOON + resumed * SECOND)
    if is_refused:
        with pytest.raises(BadInput, match="was paused or stopped during the walk, at 2026-05-01"):
            log(market, planned, NOON + MINUTE)
    else:
        log(market, planned, NOON + MINUTE)


def test_passages_of_one_subject_count_together_under_each_photo(market):
    first = plan(market, "Ann")
    enrol(market, "Ann", reference_id="a better photo", template_hash="b2" * 32)
    assert plan(market, "Ann").subject_id == first.subject_id == entry_of("Ann")


REFUSED = [
    ("Bea", {}, "There is no entry of 'Bea' that this deployment searches"),
    ("Ann", {"cameras": ("roof",)}, "no camera 'roof' in the deployment 'Market': its cameras are"),
    ("Ann", {"at": NOON + timedelta(hours=8)}, "'Market' .* is over"),
    ("Ann", {"deployment": "Fair"}, "There is no deployment 'Fair'"),
]


@pytest.mark.parametrize(("subject", "how", "says"), REFUSED)
def test_a_plan_is_refused(market, subject, how, says):
    with pytest.raises(BadInput, match=says):
        plan(market, subject, **how)
    assert market.passages.of_deployment("Market") == []


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"category": "wanted"}, "listed as wanted, and not as a control subject"),
        ({"watchlist": "other"}, "There is no entry"),
        ({"expires": NOON - SECOND}, "No entry of the control subject 'Cleo' is searched"),
    ],
)
def test_only_a_searched_control_subject_is_planned(market, entry, says):
    enrol(market, "Cleo", **entry)
    with pytest.raises(BadInput, match=says):
        plan(market, "Cleo")


def test_a_suspended_subject_and_a_closed_deployment_are_refused(market):
    suspend(Entries("Ann"), records=market, by=SUE, at=NOON)
    with pytest.raises(BadInput, match="No entry of the control subject 'Ann' is searched"):
        plan(market, "Ann")
    deployments.close("Market", "", records=market, by=SUE, at=NOON)
    with pytest.raises(BadInput, match="is over"):
        plan(market, "Ann")


@pytest.mark.parametrize(
    ("begins", "how", "says"),
    [
        (-SECOND, {}, "begins before it was planned"),
        (MINUTE, {"at": NOON + MINUTE + 9 * SECOND}, "in the future"),
        (MINUTE, {"ends": NOON + MINUTE}, "ends before it begins"),
        (MINUTE, {"ends": NOON + 32 * MINUTE}, "longer than 30 minutes"),
        (480 * MINUTE - 5 * SECOND, {}, "outside the hours of 'Market'"),
        (MINUTE, {"cameras": ("yard",)}, "no camera 'yard' in the plan: its cameras are gate"),
    ],
)
def test_a_log_is_refused(market, begins, how, says):
    planned = plan(market, "Ann")
    with pytest.raises(BadInput, match=says):
        log(market, planned, NOON + begins, **how)
    assert market.passages.find(planned.plan_id).log is None


def test_a_walk_is_logged_once_and_apart_from_the_subjects_others(market):
    first, second = plan(market, "Ann"), plan(market, "Ann")
    log(market, first, NOON + MINUTE)
    with pytest.raises(Conflict, match="already logged"):
        log(market, first, NOON + 5 * MINUTE)
    with pytest.raises(BadInput, match="nearly the same time"):
        log(market, second, NOON + MINUTE + 20 * SECOND)
    log(market, second, NOON + MINUTE + 21 * SECOND)
    enrol(market, "Bea")
    log(market, plan(market, "Bea"), NOON + MINUTE)


def test_who_acted_on_an_alert_of_the_deployment_does_not_log(market):
    planned = plan(market, "Ann")
    alert_id = see(market, "Bea", NOON)
    judge(market, alert_id, Adjudication.ENGAGE, by=local_principal("root", "Dr. Ola"))
    with pytest.raises(NotAllowed, match=r"since they have acted on .* \(alert.decided_late\)"):
        log(market, planned, NOON + MINUTE)
    log(market, planned, NOON + MINUTE, by=local_principal("root", "Max"))


@pytest.mark.parametrize("role", Role)
def test_who_sees_alerts_by_a_role_does_not_log(market, role):
    planned = plan(market, "Ann")
    roles = frozenset({Role.PASSAGE_OBSERVER, role})
    by = Principal("https://people.example", "x", "Xenia", roles)
    if role in (Role.AUTHORISER, Role.ADMINISTRATOR, Role.PASSAGE_OBSERVER):
        assert log(market, planned, NOON + MINUTE, by=by).log is not None
    else:
        with pytest.raises(NotAllowed, match="another role of theirs shows alerts"):
            log(market, planned, NOON + MINUTE, by=by)


def test_control_subjects_expire_when_their_deployment_closes(market):
    enrol(market, "Wanda", category="wanted", reference_id="w")
    start(market, "Fair")
    deployments.close("Market", "", records=market, by=SUE, at=NOON + MINUTE)
    statuses = {each.subject: each.status for each in market.watchlist.references()}
    assert set(statuses.values()) == {EntryStatus.ACTIVE}  # the fair searches the same list
    deployments.close("Fair", "", records=market, by=SUE, at=NOON + MINUTE)
    statuses = {each.subject: each.status for each in market.watchlist.references()}
    assert statuses == {"Ann": EntryStatus.REMOVED, "Wanda": EntryStatus.ACTIVE}
    act = market.audit.all(object_kind="reference", object_id=entry_of("Ann"))[-1]
    assert (act.kind, act.by.name) == ("reference.expired", "system")


@pytest.mark.parametrize("table", ["passage_plans", "passage_logs", "passage_findings"])
@pytest.mark.parametrize(
    "change", ["DELETE FROM {}", "UPDATE {} SET plan_id = 'x'", "REPLACE INTO {} SELECT * FROM {}"]
)
def test_the_database_refuses_to_change_a_passage(records, table, change):
    if "REPLACE" in change and records._engine.dialect.name == "postgresql":
        return  # it has no such statement
    start(records)
    enrol(records, "Ann")
    planned = plan(records, "Ann")
    log(records, planned, NOON + MINUTE)
    with records.unit_of_work() as work:
        work.passages.add_findings(planned.plan_id, {"gate"}, NOON)
    with (
        pytest.raises(sa.exc.DatabaseError, match=f"{table} are append-only"),
        records._engine.begin() as connection,
    ):
        connection.execute(sa.text(change.format(table, table)))


ALTERATIONS = [
    ("passage_plans", {"cameras": ["yard"]}, "its commitment is not the hash of its plan"),
    ("passage_plans", {"subject_id": "other"}, "its commitment is not the hash of its plan"),
    ("passage_logs", {"begins": NOON}, "its log differs from its act"),
    ("passage_logs", {"cameras": []}, "its log differs from its act"),
    ("passage_logs", None, "its log was deleted"),
]


@pytest.mark.parametrize(("table", "values", "says"), ALTERATIONS)
def test_an_altered_passage_is_in_no_figure_and_named(records, table, values, says):
    start(records)
    enrol(records, "Ann")
    planned = plan(records, "Ann")
    log(records, planned, NOON + MINUTE)
    known = tables.metadata.tables[table]
    with records._engine.begin() as connection:
        if records._engine.dialect.name == "postgresql":
            connection.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        else:
            for verb in ("UPDATE", "DELETE"):
                connection.execute(sa.text(f"DROP TRIGGER {table}_refuse_{verb}"))
        connection.execute(sa.delete(known) if values is None else sa.update(known).values(values))
    result = passage_result("Market", records=records)
    assert result.altered == {planned.plan_id: says}
    assert (result.planned, len(result.not_logged), result.groups) == (1, 0, ())


def test_a_deleted_plan_still_counts_as_planned(records):
    start(records)
    enrol(records, "Ann")
    planned = plan(records, "Ann")
    with records._engine.begin() as connection:
        if records._engine.dialect.name == "postgresql":
            connection.execute(sa.text("ALTER TABLE passage_plans DISABLE TRIGGER USER"))
        else:
            connection.execute(sa.text("DROP TRIGGER passage_plans_refuse_DELETE"))
        connection.execute(sa.delete(tables.passage_plans))
    result = passage_result("Market", records=records)
    assert result.altered == {planned.plan_id: "its plan was deleted"}
    assert (result.planned, len(result.not_logged)) == (1, 0)


def test_two_plans_of_one_walk_have_two_commitments(market):
    one, other = plan(market, "Ann"), plan(market, "Ann")
    assert one.commitment != other.commitment
