"""Databases for the tests of the records."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from openlfr.adapters.memory.records import MemoryRecords
from openlfr.adapters.sql.records import Records


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service)])
def records_url(request, tmp_path):
    """Return the URL of a database without tables."""
    return new_database(request, tmp_path)


def new_database(request, tmp_path):
    """Yield the URL of a new database of the kind in the fixture's parameter."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/openlfr.db"
    server = request.getfixturevalue("servers").url("sql")
    name = f"test{os.urandom(6).hex()}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return urlsplit(server)._replace(path=f"/{name}").geturl()


@pytest.fixture
def records(records_url):
    with Records.open(records_url) as opened:
        yield opened


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service), "memory"])
def every_records(request, tmp_path):
    """Yield records of each adapter, for tests of their common behaviour."""
    if request.param == "memory":
        yield MemoryRecords()
        return
    with Records.open(new_database(request, tmp_path)) as opened:
        yield opened
