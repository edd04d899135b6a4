"""The remains of an erased alert on a city's servers: in every row and every byte of their files.

PostgreSQL retains erased data in its log until a checkpoint, and afterwards in segments that it
uses again, unless `wal_recycle` is off (docs/accountability.md).
"""

from __future__ import annotations

import os
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from tests.awaiting import await_that
from tests.contract.test_alert_erasure import (
    NOON,
    OP,
    SUE,
    TIMES,
    WHO,
    Place,
    database_bytes,
)

from openlfr.adapters.memory.alert_book import MemoryAlertBook
from openlfr.adapters.memory.records import MemoryRecords
from openlfr.adapters.memory.vault import MemoryVault
from openlfr.adapters.redis.alert_book import RedisAlertBook
from openlfr.adapters.redis.connection import connect
from openlfr.adapters.sql.records import Records, upgrade
from openlfr.adapters.sql.rights import role_statements
from openlfr.domain.adjudication import Judgement
from openlfr.domain.alert_records import HoldKind
from openlfr.domain.alerts import Adjudication, Outcome
from openlfr.operations.adjudicate import AlertVersion, OutcomeReport, decide, record_outcome
from openlfr.operations.holds import HoldRequest, place_hold, release_holds

pytestmark = pytest.mark.service


class City:
    """A database with a role for each of its users, as an administrator creates it."""

    def __init__(self, server: str) -> None:
        self._server = server
        self.owner = f"city{os.urandom(5).hex()}"
        roles = dict.fromkeys(("owner", "alerting", "operator"))
        engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in role_statements(self.owner, self.owner, roles):
                connection.exec_driver_sql(statement)
        engine.dispose()
        assert upgrade(self.url()).roles

    def url(self, role: str = "") -> str:
        user = f"{self.owner}_{role}" if role else self.owner
        parts = urlsplit(self._server)
        host = parts.query.removeprefix("host=")
        return parts._replace(
            netloc=f"{user}@", path=f"/{self.owner}", query=f"host={host}"
        ).geturl()

    def records(self, role: str = "") -> Records:
        return Records.open(self.url(role), upgrade=False)


@pytest.fixture
def city(servers):
    return City(servers.url("sql"))


@pytest.fixture
def desk(city):
    """An alert about a mistaken person, raised as alerting and decided as an operator."""
    with city.records("alerting") as alerting, city.records("operator") as operator:
        place = Place(alerting)
        alert = place.see(0, 5)
        what = Judgement(Adjudication.DO_NOT_ENGAGE, note="a woman in a red coat")
        decide(AlertVersion(alert), what, records=operator, by=OP, at=NOON, times=TIMES)
        yield place, alert


def rows_with(records: Records, word: str) -> list[str]:
    place = Place.__new__(Place)
    place.records, place.vault, place.book = records, MemoryVault(), MemoryAlertBook()
    return [name for name, _ in place.rows_with(word)]


def test_with_alerting_s_own_role_no_row_joins_subject_camera_and_time_after_an_erasure(city, desk):
    place, alert = desk
    assert place.erase(NOON + TIMES.settle) == {"mistaken": 1}
    with city.records() as owner:
        for word in (WHO, "reference-7", "red coat"):
            assert rows_with(owner, word) == [], word
        kinds = [act.kind for act in owner.audit.all(object_kind="alert", object_id=alert)]
    assert kinds == ["alert.decided", "alert.settled", "alert.erased"]
    assert place.kept() == (0, 0)
    assert place.erase(NOON + timedelta(days=99)) == {}


def log_files(records: Records) -> list[Path]:
    """Return the segments of PostgreSQL's log, in use or for reuse."""
    with records._engine.connect() as connection:
        where = Path(str(connection.scalar(sa.text("SHOW data_directory"))), "pg_wal")
        names = connection.scalars(sa.text("SELECT name FROM pg_ls_waldir()")).all()
    return [where / name for name in names]


def in_the_log(records: Records) -> bool:
    for path in log_files(records):
        try:
            if WHO.encode() in path.read_bytes():
                return True
        except FileNotFoundError:  # removed since the listing
            continue
    return False


def administer(server: str, *statements: str) -> None:
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def test_erased_data_leave_postgresql_s_files_and_log_with_a_checkpoint(city, desk, servers):
    server = servers.url("sql")
    place, _ = desk
    with Records.open(server.replace("/postgres?", f"/{city.owner}?"), upgrade=False) as admin:
        assert place.erase(NOON + TIMES.settle)
        assert place.records.erase_for_good()  # alerting owns no table, so nothing happens
        assert WHO.encode() in database_bytes(admin)
        with city.records() as owner:
            assert owner.erase_for_good()
        assert WHO.encode() not in database_bytes(admin)
        assert in_the_log(admin)
        # A used segment remains until the next one is in use; a segment for reuse remains for long.
        administer(server, "ALTER SYSTEM SET wal_recycle = off", "SELECT pg_reload_conf()")

        def is_cleared() -> bool:
            administer(server, "SELECT pg_switch_wal()", "CHECKPOINT")
            return not in_the_log(admin)

        await_that(
            "the log without the name", is_cleared
        )  # the server reads a changed setting with a delay
        administer(server, "ALTER SYSTEM RESET wal_recycle", "SELECT pg_reload_conf()")


@pytest.mark.parametrize("snapshots", [False, True])
def test_erased_events_are_in_no_file_of_redis(servers, snapshots):
    book = RedisAlertBook(connect(servers.url("redis")), retention=timedelta(days=31))
    with closing(connect(servers.url("redis"))) as admin:
        admin.config_set("rdbcompression", "no")  # so that the file's content can be read
        admin.flushdb()
        folder = Path(str(admin.config_get("dir")["dir"]))
        snapshot, log = folder / "dump.rdb", folder / "appendonlydir"
        place = Place(MemoryRecords())
        place.book = book
        alert = place.see(0, 5)
        if snapshots:
            admin.bgsave()
            await_that("snapshot", lambda: not admin.info("persistence")["rdb_bgsave_in_progress"])
            assert WHO.encode() in snapshot.read_bytes()
        assert any(WHO.encode() in each.read_bytes() for each in log.iterdir())
        place.decide(alert, Adjudication.DO_NOT_ENGAGE)
        assert place.erase(NOON + TIMES.settle)
        kept = [each for each in (snapshot, *log.iterdir()) if each.exists()]
        assert kept
        assert [each.name for each in kept if WHO.encode() in each.read_bytes()] == []
        book.close()


def test_at_each_stage_the_tables_contain_the_alert_or_no_byte_of_it(city, servers):
    """Refuted: sealed for 24 hours; on a complaint held longer; after the release erased."""
    server = servers.url("sql").replace("/postgres?", f"/{city.owner}?")
    with (
        city.records("alerting") as alerting,
        city.records("operator") as operator,
        city.records() as owner,
        Records.open(server, upgrade=False) as admin,
    ):

        def kept() -> bool:
            assert owner.erase_for_good()
            return WHO.encode() in database_bytes(admin)

        place = Place(alerting)
        which = AlertVersion(place.see(0, 5))
        shared = {"records": operator, "at": NOON}
        decide(which, Judgement(Adjudication.ENGAGE), by=OP, times=TIMES, **shared)
        record_outcome(which, OutcomeReport(Outcome.REFUTED), by=OP, times=TIMES, **shared)
        unsealed = NOON + TIMES.sealed
        assert place.erase(unsealed - timedelta(seconds=1)) == {}
        assert kept()
        until = unsealed + timedelta(days=30)
        wanted = HoldRequest(which.alert_id, HoldKind.COMPLAINT, until, "letter of 3 May")
        place_hold(wanted, by=SUE, **shared)
        assert place.erase(unsealed) == {}
        assert kept()
        assert b"letter of 3 May" in database_bytes(admin)
        release_holds(which.alert_id, "answered", records=operator, by=SUE, at=unsealed)
        assert place.erase(unsealed) == {"mistaken": 1}
        assert place.kept() == (0, 0)
        assert not kept()
        assert b"letter of 3 May" not in database_bytes(admin)
