"""Alerts as rows of a database with several writers, which refuses changes without an act."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from tests.contract.test_alert_records import (
    EVA,
    NOON,
    OP,
    TIMES,
    WINDOW,
    become,
    decide,
    events_of,
    sighting,
    taking_in,
)

from openlfr.adapters.sql.records import Records
from openlfr.adapters.sql.tables import alerts
from openlfr.domain.adjudication import Judgement
from openlfr.domain.alerts import Adjudication, Outcome
from openlfr.domain.errors import Conflict
from openlfr.domain.principals import Principal
from openlfr.operations.adjudicate import AlertVersion, undo
from openlfr.operations.adjudicate import decide as decide_alert


def test_two_processes_that_open_an_alert_of_one_subject_at_once_open_one(
    records_url: str,
) -> None:
    Records.open(records_url).close()

    def record_one(n: int) -> None:
        with Records.open(records_url) as mine:
            for k in range(5):
                (event,) = events_of(sighting(n + k / 10))
                mine.alerts.record(event, None, emitted_at=NOON, window=WINDOW)

    with ThreadPoolExecutor(4) as recorders:
        list(recorders.map(record_one, range(4)))
    with Records.open(records_url) as records:
        (alert,) = records.alerts.list()
    assert alert.events == 20


def test_of_two_operators_who_decide_at_once_one_reads_the_other_s_decision(
    records_url: str,
) -> None:
    with Records.open(records_url) as records:
        (event,) = events_of(sighting())
        records.alerts.record(event, None, emitted_at=NOON)

    def try_to(who: Principal) -> str:
        with Records.open(records_url) as mine:
            try:
                decide_alert(
                    AlertVersion(event.alert_id, version=1),
                    Judgement(Adjudication.ENGAGE),
                    records=mine,
                    by=who,
                    at=NOON,
                    times=TIMES,
                )
            except Conflict as conflict:
                return str(conflict)
        return ""

    with ThreadPoolExecutor(2) as desks:
        errors = list(desks.map(try_to, (OP, EVA)))
    assert sorted(map(bool, errors)) == [False, True]
    winner = (OP, EVA)[errors.index("")].name
    assert f"{winner} decided engage at 12:00:00 UTC" in max(errors)
    with Records.open(records_url) as records:
        assert len(records.alerts.case(event.alert_id).verdicts) == 1
        assert len(records.audit.all()) == 1


@pytest.mark.parametrize("table", ["verdicts", "withdrawals", "outcomes"])
@pytest.mark.parametrize(
    "change",
    ["UPDATE {} SET event_id = ''", "DELETE FROM {}", "REPLACE INTO {0} SELECT * FROM {0}"],
)
def test_decisions_cannot_be_changed_or_deleted(records: Records, table: str, change: str) -> None:
    if "REPLACE" in change and records._engine.dialect.name == "postgresql":
        return  # PostgreSQL has no such statement
    (event,) = events_of(sighting())
    records.alerts.record(event, None, emitted_at=NOON)
    decide(records, event.alert_id)
    undo(AlertVersion(event.alert_id), records=records, by=OP, at=NOON)
    decide(records, event.alert_id)
    become(records, event.alert_id, Outcome.CONFIRMED)
    with (
        pytest.raises(sa.exc.DatabaseError, match=f"{table} are append-only"),
        records._engine.begin() as connection,
    ):
        connection.execute(sa.text(change.format(table)))


def test_a_closing_alert_absorbs_no_other(request: pytest.FixtureRequest, records: Records) -> None:
    """A sighting recorded at the same time waits, and then opens its own alert."""
    first, again = (events_of(sighting(n))[0] for n in (0, 5))
    records.alerts.record(first, None, emitted_at=NOON, window=WINDOW)
    engine = sa.create_engine(request.getfixturevalue("records_url"))
    waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> :me")
    with ThreadPoolExecutor(1) as recorder:
        with engine.begin() as closing:
            closing.execute(sa.update(alerts).values(closed_at=NOON, state="closed"))
            recording = recorder.submit(
                records.alerts.record, again, None, emitted_at=NOON, window=WINDOW
            )
            if engine.dialect.name == "postgresql":  # SQLite permits one writer at a time
                me = {"me": closing.scalar(sa.text("SELECT pg_backend_pid()"))}
                while not recording.done() and not closing.scalar(waiting, me):
                    pass
        assert recording.result()
    engine.dispose()
    assert taking_in(records) == {again.alert_id}
