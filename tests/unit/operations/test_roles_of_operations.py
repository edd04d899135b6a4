"""Every operation asks for the role that the table names, before it changes anything."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import pytest

from openlfr.adapters.memory.alert_book import MemoryAlertBook
from openlfr.adapters.memory.vault import MemoryVault
from openlfr.adapters.sql.records import Records
from openlfr.domain.adjudication import DecisionTimes, Judgement
from openlfr.domain.alert_records import HoldKind
from openlfr.domain.alerts import Adjudication, Outcome
from openlfr.domain.deployment import Authorisation, Deployment, DeploymentStatus
from openlfr.domain.errors import BadInput, NotAllowed
from openlfr.domain.permissions import ALLOWED, Action
from openlfr.domain.principals import Principal, Role, local_principal
from openlfr.operations import deployments
from openlfr.operations.adjudicate import (
    AlertVersion,
    OutcomeReport,
    decide,
    look_again,
    record_outcome,
    settle,
    undo,
)
from openlfr.operations.enrol import enrol
from openlfr.operations.entries import Entries, remove, resume, suspend
from openlfr.operations.holds import HoldRequest, place_hold, release_holds
from openlfr.operations.passages import Walk, WalkToPlan, log_passage, plan_passage
from openlfr.operations.purge import erase_names, find_due, purge
from openlfr.operations.reject import Rejection, reject_sighting
from openlfr.operations.report_deployment import report_deployment
from openlfr.operations.show_alert import PictureRequest, show_alert

A, ENGAGE = AlertVersion("a"), Judgement(Adjudication.ENGAGE)
NOW, HOURS = datetime(2026, 5, 1, 12, tzinfo=UTC), timedelta(hours=8)


NAMED = Authorisation(
    "Market", "To find two people", "The square", "Order 1", "Otto Officer", NOW, NOW + HOURS
)
CONFIGURED = Deployment("m", NAMED, DeploymentStatus.AUTHORISED, ("gate",), ("default",))


class Place:
    """Empty stores: an operation that is allowed fails for another reason, or does nothing."""

    def __init__(self, records):
        self.records = records
        self.vault = MemoryVault()
        self.book = MemoryAlertBook()

    def decide(self, by):
        decide(A, ENGAGE, records=self.records, by=by, at=NOW, times=DecisionTimes())

    def undo(self, by):
        undo(A, records=self.records, by=by, at=NOW)

    def look_again(self, by):
        look_again(A, ENGAGE, records=self.records, by=by, at=NOW, times=DecisionTimes())

    def settle(self, by):
        settle(A, ENGAGE, records=self.records, by=by, at=NOW, times=DecisionTimes())

    def outcome(self, by):
        became = OutcomeReport(Outcome.CONFIRMED)
        record_outcome(A, became, records=self.records, by=by, at=NOW, times=DecisionTimes())

    def show(self, by):
        show_alert(
            PictureRequest("a", "a.jpg"), records=self.records, vault=self.vault, by=by, at=NOW
        )

    def hold(self, by):
        wanted = HoldRequest("a", HoldKind.COMPLAINT, NOW + timedelta(days=1), "letter")
        place_hold(wanted, records=self.records, by=by, at=NOW)

    def release(self, by):
        release_holds("a", "answered", records=self.records, by=by, at=NOW)

    def reject(self, by):
        stores = {"records": self.records, "vault": self.vault, "book": self.book}
        reject_sighting(Rejection("a", "s"), **stores, by=by, at=NOW)

    def enrol(self, by):
        enrol([], None, records=self.records, vault=self.vault, by=by, now=NOW)

    def suspend(self, by):
        suspend(Entries("Ann"), records=self.records, by=by, at=NOW)

    def resume(self, by):
        resume(Entries("Ann"), records=self.records, by=by, at=NOW)

    def remove(self, by):
        remove(Entries("Ann"), records=self.records, by=by, at=NOW)

    def purge(self, by):
        stores = {"records": self.records, "vault": self.vault, "book": self.book, "now": NOW}
        purge(find_due(**stores, retention=timedelta(days=31)), **stores, by=by)

    def erase_names(self, by):
        erase_names(self.records, NOW, by=by, at=NOW)

    def pause(self, by):
        deployments.pause("m", "fog", records=self.records, by=by, at=NOW)

    def resume_deployment(self, by):
        deployments.resume("m", "no fog", records=self.records, by=by, at=NOW)

    def stop(self, by):
        deployments.stop("m", "over", records=self.records, by=by, at=NOW)

    def close(self, by):
        deployments.close("m", "over", records=self.records, by=by, at=NOW)

    def report(self, by):
        report_deployment("m", Path("report"), records=self.records, by=by, at=NOW)

    def plan(self, by):
        plan_passage(WalkToPlan("Ann", "m"), records=self.records, by=by, at=NOW)

    def log(self, by):
        walk = Walk("p", NOW, NOW + timedelta(minutes=1))
        log_passage(walk, records=self.records, by=by, at=NOW + timedelta(minutes=2))


OPERATIONS = MappingProxyType(
    {
        Place.decide: Action.DECIDE,
        Place.undo: Action.DECIDE,
        Place.look_again: Action.SECOND_LOOK,
        Place.settle: Action.SETTLE,
        Place.outcome: Action.RECORD_OUTCOME,
        Place.show: Action.SEE_FACES,
        Place.hold: Action.HOLD,
        Place.release: Action.HOLD,
        Place.reject: Action.DECIDE,
        Place.enrol: Action.ENROL,
        Place.suspend: Action.SUSPEND_ENTRY,
        Place.resume: Action.SUSPEND_ENTRY,
        Place.remove: Action.REMOVE_ENTRY,
        Place.purge: Action.PURGE,
        Place.erase_names: Action.PURGE,
        Place.pause: Action.PAUSE_DEPLOYMENT,
        Place.resume_deployment: Action.DRAFT_DEPLOYMENT,
        Place.stop: Action.PAUSE_DEPLOYMENT,
        Place.close: Action.PAUSE_DEPLOYMENT,
        Place.report: Action.WRITE_REPORT,
        Place.plan: Action.PLAN_PASSAGE,
        Place.log: Action.LOG_PASSAGE,
    }
)


@pytest.fixture
def place(tmp_path):
    with Records.open(f"sqlite:///{tmp_path}/openlfr.db") as records:
        yield Place(records)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.__name__)
def test_each_role_may_do_exactly_the_operations_in_the_table(place, operation, role):
    by = Principal("https://people.example", "x", "Xenia", frozenset({role}))
    if role not in ALLOWED[OPERATIONS[operation]]:
        with pytest.raises(NotAllowed, match="Xenia may not"):
            operation(place, by)
    else:
        with suppress(BadInput, AttributeError):  # there is nothing to do it to
            operation(place, by)
    assert place.records.audit.all() == []


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("changed", [False, True], ids=["new", "longer hours"])
def test_nobody_authorises_their_own_draft(place, role, changed):
    by = Principal("https://people.example", "x", "Xenia", frozenset({role}))
    asked = CONFIGURED
    if changed:
        deployments.start(
            CONFIGURED,
            deployments.Start(),
            records=place.records,
            by=local_principal("root"),
            at=NOW,
        )
        asked = replace(CONFIGURED, authorisation=replace(NAMED, ends=NOW + 2 * HOURS))
    before = place.records.audit.all()
    for act in (deployments.register, deployments.register_and_start):
        with pytest.raises(NotAllowed, match="Xenia may not"):
            act(asked, records=place.records, by=by, at=NOW)
    with pytest.raises(NotAllowed, match="Xenia may not"):
        deployments.start(asked, deployments.Start(), records=place.records, by=by, at=NOW)
    assert place.records.audit.all() == before


def test_a_supervisor_starts_a_deployment_that_others_authorised(place):
    deployments.register(CONFIGURED, records=place.records, by=local_principal("root"), at=NOW)
    sue = Principal("https://people.example", "s", "Sue", frozenset({Role.SUPERVISOR}))
    begun = deployments.start(
        CONFIGURED, deployments.Start(), records=place.records, by=sue, at=NOW
    )
    assert begun.status is DeploymentStatus.STARTED
