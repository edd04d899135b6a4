"""The records as a whole: the schema, durable acts, and what a person reads when they fail."""

import sqlite3
import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from openlfr.adapters.sql import Records, engine, schema, tables, upgrade
from openlfr.domain.acts import Act
from openlfr.domain.errors import Misconfigured, Unavailable

AT = datetime(2026, 5, 1, 12, 30, 15, 123456, tzinfo=UTC)


def act(**changes):
    values = {
        "at": AT, "actor": "Ann", "act": "alert.decided", "object_kind": "alert",
        "object_id": "a1", "detail": {"outcome": "refuted", "zoë": [1, None]},
    }  # fmt: skip
    return Act(**values | changes)


def test_the_migrations_make_exactly_the_declared_tables(records):
    with records._engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []


def test_a_database_at_the_present_schema_is_opened_without_migrating(records_url, monkeypatch):
    Records.open(records_url).close()
    monkeypatch.setattr(schema, "_upgrade", None)
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


def test_an_older_schema_is_upgraded_and_what_it_holds_is_kept(records_url, monkeypatch):
    older, present = schema.REVISIONS[0], schema.REVISIONS[-1]
    with monkeypatch.context() as patch:
        patch.setattr(schema, "REVISIONS", schema.REVISIONS[:1])
        assert upgrade(records_url)[:2] == (None, older)
        with Records.open(records_url, upgrade=False) as records:
            records.acts.write(act())
    with pytest.raises(Misconfigured, match=r"schema 0001, .* needs schema 00.*records upgrade"):
        Records.open(records_url, upgrade=False)
    assert upgrade(records_url)[:2] == (older, present)
    assert upgrade(records_url)[:2] == (present, present)
    with Records.open(records_url, upgrade=False) as records:
        assert records.acts.all() == [act()]


def test_a_database_without_any_table_is_refused_where_it_may_not_be_made(records_url):
    with pytest.raises(Misconfigured, match=r"no schema yet.*openlfr records upgrade"):
        Records.open(records_url, upgrade=False)


def test_acts_come_back_in_order_as_they_were_written(records):
    records.acts.write(act())
    records.acts.write(act(actor="Bea", object_id="a2"))
    records.acts.write(act(actor="system", object_kind="run", object_id="r1", detail={}))
    assert records.acts.all()[0] == act()
    assert [a.actor for a in records.acts.all()] == ["Ann", "Bea", "system"]
    assert [a.actor for a in records.acts.all(object_kind="alert")] == ["Ann", "Bea"]
    assert [a.actor for a in records.acts.all(object_kind="alert", object_id="a2")] == ["Bea"]


@pytest.mark.parametrize("change", ["UPDATE acts SET actor = 'nobody'", "DELETE FROM acts"])
def test_acts_cannot_be_changed_or_deleted(records, change):
    records.acts.write(act())
    with (
        pytest.raises(sa.exc.DatabaseError, match="acts are append-only"),
        records._engine.begin() as connection,
    ):
        connection.execute(sa.text(change))
    assert records.acts.all() == [act()]


def test_moments_keep_their_instant_and_naive_ones_are_refused(records):
    plus_two = timezone(timedelta(hours=2))
    records.acts.write(act(at=AT.astimezone(plus_two)))
    assert records.acts.all()[0].at == AT
    assert records.acts.all()[0].at.utcoffset() == timedelta(0)
    with pytest.raises(sa.exc.StatementError, match="has no time zone"):
        records.acts.write(act(at=AT.replace(tzinfo=None)))


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://host/name", "SQLite or PostgreSQL only"),
        ("nonsense", "no address of a database"),
    ],
)
def test_other_databases_are_a_wrong_setting(url, says):
    with pytest.raises(Misconfigured, match=says):
        Records.open(url)


def test_a_postgresql_that_does_not_answer_is_unavailable_and_its_password_unsaid():
    with pytest.raises(Unavailable, match="do not answer") as caught:
        Records.open("postgresql://user:hunter2@127.0.0.1:9/name")
    assert "hunter2" not in str(caught.value)


class TestSQLiteFile:
    """What only a file can do wrong."""

    def test_is_for_its_owner_alone(self, tmp_path):
        with Records.open(f"sqlite:///{tmp_path}/new/openlfr.db") as records:
            records.acts.write(act())
            modes = {p.name: p.stat().st_mode & 0o777 for p in (tmp_path / "new").iterdir()}
        assert modes["openlfr.db"] == modes["openlfr.db-wal"] == 0o600

    def test_survives_a_crash_of_the_machine_after_each_act(self, tmp_path):
        with (
            Records.open(f"sqlite:///{tmp_path}/openlfr.db") as records,
            records._engine.connect() as connection,
        ):
            pragmas = [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys")
            ]
        assert pragmas == ["wal", 2, 1]

    def test_locked_by_another_program(self, tmp_path, monkeypatch):
        monkeypatch.setattr(engine, "BUSY_TIMEOUT_S", 0.2)
        path = tmp_path / "openlfr.db"
        other = sqlite3.connect(path, isolation_level=None)
        with Records.open(f"sqlite:///{path}") as records:
            other.execute("BEGIN IMMEDIATE")
            assert records.acts.all() == []  # readers do not wait for a writer
            with pytest.raises(Unavailable, match=r"openlfr\.db have been locked by another"):
                records.acts.write(act())
            other.execute("ROLLBACK")
            records.acts.write(act())
        other.close()

    def test_disk_full(self, tmp_path):
        with Records.open(f"sqlite:///{tmp_path}/openlfr.db") as records:
            with records._engine.connect() as connection:
                pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
                connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
            with pytest.raises(Unavailable, match=r"The disk is full: the records in "):
                records.acts.write(act(detail={"long": "x" * 100_000}))
            assert records.acts.all() == []

    def test_no_database(self, tmp_path):
        (tmp_path / "openlfr.db").write_bytes(b"something else entirely " * 100)
        with pytest.raises(Misconfigured, match="damaged or is no SQLite database"):
            Records.open(f"sqlite:///{tmp_path}/openlfr.db")

    def test_folder_that_cannot_be_made(self, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(Unavailable, match="cannot be opened"):
            Records.open(f"sqlite:///{tmp_path}/file/data/openlfr.db")
