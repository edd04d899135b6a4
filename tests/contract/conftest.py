"""Databases that the records are tested on."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from openlfr.adapters.sql import Records


@pytest.fixture(scope="session")
def postgresql():
    """The socket folder of a private PostgreSQL server without any listening port."""
    found = shutil.which("initdb")
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    programs = Path(found).parent if found else versions[-1]
    # PostgreSQL refuses to run as root.
    owner = {"user": "postgres"} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="openlfr-pg-", dir="/tmp"))  # socket paths are short
    if owner:
        shutil.chown(folder, owner["user"])
    data = folder / "data"
    initdb = [programs / "initdb", "-D", data, "-A", "trust", "-U", "openlfr", "--no-sync"]
    subprocess.run(initdb, check=True, capture_output=True, cwd=folder, **owner)
    server = subprocess.Popen(
        [programs / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses="],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, **owner,
    )  # fmt: skip
    while not (folder / ".s.PGSQL.5432").exists():
        assert server.poll() is None, "PostgreSQL did not start"
        time.sleep(0.05)
    yield folder
    server.terminate()
    server.wait()
    shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service)])
def records_url(request, tmp_path):
    """A database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/openlfr.db"
        return
    folder = request.getfixturevalue("postgresql")
    name = f"test{os.urandom(6).hex()}"
    server = f"postgresql+psycopg://openlfr@/{{}}?host={folder}"
    engine = sa.create_engine(server.format("postgres"), isolation_level="AUTOCOMMIT")
    for _ in range(100):
        try:
            with engine.connect() as connection:
                connection.execute(sa.text(f"CREATE DATABASE {name}"))
            break
        except sa.exc.OperationalError:  # it is still starting
            time.sleep(0.05)
    engine.dispose()
    yield server.format(name)


@pytest.fixture
def records(records_url):
    with Records.open(records_url) as opened:
        yield opened
