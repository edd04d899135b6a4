"""The records as a whole: the schema, durable acts, and error messages."""

import sqlite3
import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from openlfr.adapters.sql import engine, schema, tables
from openlfr.adapters.sql.records import Records, upgrade
from openlfr.domain.audit import AuditEvent
from openlfr.domain.audit_alerts import AlertDecided, AlertShown
from openlfr.domain.errors import Misconfigured, Unavailable
from openlfr.domain.principals import Principal, Role

AT = datetime(2026, 5, 1, 12, 30, 15, 123456, tzinfo=UTC)


ANN = Principal("https://people.example", "ann", "Ann", frozenset({Role.OPERATOR}))


def act(at=AT, by=ANN, what=None):
    return AuditEvent(at, by, what or AlertDecided("a1", "engage", reason="zoë"))


def write(records, *events):
    with records.unit_of_work() as work:
        for event in events:
            work.record(event)


def acts(records, **conditions):
    return [(each.by.name, each.kind) for each in records.audit.all(**conditions)]


def test_the_migrations_create_exactly_the_declared_tables(records):
    with records._engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []


def test_a_database_at_the_present_schema_is_opened_without_migrating(records_url, monkeypatch):
    Records.open(records_url).close()
    monkeypatch.setattr(command, "upgrade", None)
    Records.open(records_url).close()


def test_processes_that_open_a_new_database_at_once_all_succeed(records_url):
    problems = []

    def open_one():
        try:
            Records.open(records_url).close()
        except Exception as error:  # noqa: BLE001
            problems.append(error)

    threads = [threading.Thread(target=open_one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_refuses_records_of_a_newer_version(records_url):
    with Records.open(records_url) as records, records._engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Misconfigured, match=r"newer OpenLFR \(schema 9999.*update OpenLFR"):
        Records.open(records_url)


def test_an_older_schema_is_upgraded_and_its_rows_remain(records_url, monkeypatch):
    older, present = schema.REVISIONS[0], schema.REVISIONS[-1]
    with monkeypatch.context() as patch:
        patch.setattr(schema, "REVISIONS", schema.REVISIONS[:1])
        assert upgrade(records_url)[:2] == (None, older)
        with Records.open(records_url, upgrade=False) as records:
            of_then = sa.table(
                "acts",
                sa.column("at", tables.UtcDateTime),
                *(sa.column(name) for name in ("actor", "act", "object_kind", "object_id")),
                sa.column("detail", sa.JSON),
            )
            with records._engine.begin() as connection:
                for actor, detail in (("Ann", {"outcome": "refuted"}), ("system", {"zoë": [1]})):
                    connection.execute(
                        sa.insert(of_then).values(
                            at=AT, actor=actor, act="alert.decided", object_kind="alert",
                            object_id="a1", detail=detail,
                        )
                    )  # fmt: skip
    with pytest.raises(Misconfigured, match=r"schema 0001, .* needs schema 00.*records upgrade"):
        Records.open(records_url, upgrade=False)
    assert upgrade(records_url)[:2] == (older, present)
    assert upgrade(records_url)[:2] == (present, present)
    with Records.open(records_url, upgrade=False) as records:
        write(records, act())
        ann, system, new = records.audit.all()
    assert (ann.position, ann.at, ann.kind, ann.object_id) == (1, AT, "alert.decided", "a1")
    assert (ann.by.issuer, ann.by.name, ann.detail) == ("local", "Ann", {"outcome": "refuted"})
    assert (system.position, system.by.issuer, system.detail) == (2, "openlfr", {"zoë": [1]})
    assert new.position == 3


def test_decisions_older_than_verdicts_are_read_as_final(records_url, monkeypatch):
    before = schema.REVISIONS.index("0009")
    decided = {
        "open": (None, None, "open"),
        "engaged": ("engage", None, "settled"),
        "confirmed": ("engage", "confirmed", "closed"),
        "left": ("do_not_engage", None, "closed"),
        "refuted": ("engage", "refuted", "closed"),
    }
    with monkeypatch.context() as patch:
        patch.setattr(schema, "REVISIONS", schema.REVISIONS[:before])
        upgrade(records_url)
        engine_then = engine.open_engine(records_url)
        moment = tables.UtcDateTime
        alerts = sa.table(
            "alerts",
            *map(sa.column, ("alert_id", "deployment", "subject", "watchlist", "best_score")),
            *map(sa.column, ("threshold", "events", "adjudication", "outcome", "decided_by")),
            *(sa.column(name, moment) for name in ("opened_at", "last_at", "decided_at")),
        )
        with engine_then.begin() as connection:
            for n, (name, (adjudication, outcome, _)) in enumerate(decided.items()):
                for subject in ("ann", name):
                    at = AT + timedelta(minutes=n)
                    connection.execute(
                        sa.insert(alerts).values(
                            alert_id=f"{name}-{subject}", deployment="Market", subject=subject,
                            watchlist="default", best_score=0.5, threshold=0.4, events=1,
                            adjudication=adjudication, outcome=outcome, opened_at=at, last_at=at,
                            decided_at=at if adjudication else None,
                            decided_by="Op" if adjudication else None,
                        )
                    )  # fmt: skip
        engine_then.dispose()
    with Records.open(records_url) as records:
        found = {alert.alert_id: alert for alert in records.alerts.list()}
        for name, (adjudication, outcome, state) in decided.items():
            alert = found[f"{name}-{name}"]
            assert (alert.adjudication, alert.outcome, alert.state) == (
                adjudication, outcome, state,
            )  # fmt: skip
            case = records.alerts.case(alert.alert_id)
            assert (case.state, case.closed_at) == (alert.state, alert.closed_at)
            assert (case.settle_at, case.erase_at) == (alert.settle_at, alert.erase_at)
        taking_in = [a.alert_id for a in found.values() if not (a.lapsed_at or a.closed_at)]
        assert sorted(taking_in) == ["engaged-ann", "engaged-engaged", "open-open"]
        mistaken = records.alerts.mistaken_alerts_to_erase(AT + timedelta(hours=1))
        assert {a.alert_id for a in mistaken} == {
            "left-ann", "left-left", "refuted-ann", "refuted-refuted",
        }  # fmt: skip


def test_a_database_without_tables_is_refused_if_it_may_not_be_created(records_url):
    with pytest.raises(Misconfigured, match=r"no schema yet.*openlfr records upgrade"):
        Records.open(records_url, upgrade=False)


def test_acts_of_processes_that_write_at_once_are_numbered_without_a_gap(records_url):
    """Also on PostgreSQL, where transactions run concurrently."""
    Records.open(records_url).close()

    def write_some():
        with Records.open(records_url) as records:
            for _ in range(10):
                write(records, act(), act())

    threads = [threading.Thread(target=write_some) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Records.open(records_url) as records:
        assert [each.position for each in records.audit.all()] == list(range(1, 61))


def test_a_change_and_its_act_are_recorded_together_or_not_at_all(records):
    def change_with_one_id_twice():
        with records.unit_of_work() as work:
            work.watchlist.mark_erased([], AT)
            once = act()
            work.record(once)
            work.record(once)

    with pytest.raises(sa.exc.IntegrityError):
        change_with_one_id_twice()
    assert records.watchlist.version() == 0
    assert records.audit.all() == []


_ROW = "INTO audit_events SELECT * FROM audit_events"
_CHANGES = [
    "UPDATE audit_events SET name = 'nobody'",
    "DELETE FROM audit_events",
    f"INSERT {_ROW} WHERE true ON CONFLICT (position) DO UPDATE SET name = 'nobody'",
    f"INSERT OR REPLACE {_ROW}",
    f"REPLACE {_ROW}",
    (
        "REPLACE INTO audit_events (rowid, position, event_id, at, issuer, principal, name, roles,"
        " kind, object_kind, object_id, detail) SELECT rowid, 9, 'other', at, issuer, principal,"
        " 'nobody', roles, kind, object_kind, object_id, detail FROM audit_events"
    ),
]
"""SQLite replaces a row without asking the triggers of a deletion."""


@pytest.mark.parametrize("change", _CHANGES)
def test_acts_cannot_be_changed_or_deleted(records, change):
    if "REPLACE" in change and records._engine.dialect.name == "postgresql":
        return  # PostgreSQL has no such statement
    write(records, act())
    with (
        pytest.raises(sa.exc.DatabaseError, match="audit events are append-only"),
        records._engine.begin() as connection,
    ):
        connection.execute(sa.text(change))
    assert acts(records) == [("Ann", "alert.decided")]


def test_timestamps_keep_their_instant_and_naive_ones_are_refused(records):
    plus_two = timezone(timedelta(hours=2))
    write(records, act(at=AT.astimezone(plus_two)))
    assert records.audit.all()[0].at == AT
    assert records.audit.all()[0].at.utcoffset() == timedelta(0)
    with pytest.raises(sa.exc.StatementError, match="has no time zone"):
        write(records, act(at=AT.replace(tzinfo=None)))


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://host/name", "use SQLite or PostgreSQL"),
        ("nonsense", "not the address of a database"),
    ],
)
def test_other_databases_are_a_wrong_setting(url, says):
    with pytest.raises(Misconfigured, match=says):
        Records.open(url)


def test_a_silent_postgresql_is_unavailable_and_its_password_is_not_shown():
    with pytest.raises(Unavailable, match="do not answer") as caught:
        Records.open("postgresql://user:hunter2@127.0.0.1:9/name")
    assert "hunter2" not in str(caught.value)


class TestSQLiteFile:
    """Failures that only a file can have."""

    def test_the_database_file_is_readable_for_its_owner_only(self, tmp_path):
        with Records.open(f"sqlite:///{tmp_path}/new/openlfr.db") as records:
            write(records, act())
            modes = {p.name: p.stat().st_mode & 0o777 for p in (tmp_path / "new").iterdir()}
        assert modes["openlfr.db"] == modes["openlfr.db-wal"] == 0o600

    def test_records_survive_a_crash_of_the_machine_after_each_act(self, tmp_path):
        with (
            Records.open(f"sqlite:///{tmp_path}/openlfr.db") as records,
            records._engine.connect() as connection,
        ):
            pragmas = [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys")
            ]
        assert pragmas == ["wal", 2, 1]

    def test_a_database_locked_by_another_program_is_unavailable(self, tmp_path, monkeypatch):
        monkeypatch.setattr(engine, "BUSY_TIMEOUT_S", 0.2)
        path = tmp_path / "openlfr.db"
        other = sqlite3.connect(path, isolation_level=None)
        with Records.open(f"sqlite:///{path}") as records:
            other.execute("BEGIN IMMEDIATE")
            assert records.audit.all() == []  # a reader does not wait for a writer
            with pytest.raises(Unavailable, match=r"openlfr\.db have been locked by another"):
                write(records, act())
            other.execute("ROLLBACK")
            write(records, act())
        other.close()

    def test_disk_full(self, tmp_path):
        with Records.open(f"sqlite:///{tmp_path}/openlfr.db") as records:
            with records._engine.connect() as connection:
                pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
                connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
            with pytest.raises(Unavailable, match=r"The disk is full: the records in "):
                write(records, act(what=AlertShown("a1", "x" * 100_000)))
            assert records.audit.all() == []

    def test_a_file_that_is_no_database_is_misconfigured(self, tmp_path):
        (tmp_path / "openlfr.db").write_bytes(b"something else entirely " * 100)
        with pytest.raises(Misconfigured, match="damaged or is not an SQLite database"):
            Records.open(f"sqlite:///{tmp_path}/openlfr.db")

    def test_folder_that_cannot_be_made(self, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(Unavailable, match="cannot be opened"):
            Records.open(f"sqlite:///{tmp_path}/file/data/openlfr.db")
