"""Debian's PostgreSQL; it refuses to run as root."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from dev_servers.process import Trouble, folder_apart, spawn, wait

ELSEWHERE = "elsewhere.txt"  # file with the path of the server's second folder


def program_folder() -> Path:
    found = shutil.which("postgres")
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found and not versions:
        raise Trouble("postgres is missing (Debian: apt-get install postgresql).")
    return Path(found).parent if found else versions[-1]


def owner() -> dict[str, str]:
    """Return the user that runs the server, as an argument of `subprocess`."""
    return {"user": "postgres"} if os.geteuid() == 0 else {}


def start(folder: Path) -> tuple[int, str]:
    """Start the server on a Unix socket alone; return its process id and address.

    Its data is in another folder, because the given folder may be closed to the server's user, and
    its path too long for a socket.
    """
    programs = program_folder()
    home = folder_apart("openlfr-sql-")
    (folder / ELSEWHERE).write_text(str(home))
    if as_owner := owner():
        shutil.chown(home, as_owner["user"])
    made = subprocess.run(
        [programs / "initdb", "-D", home / "data", "-A", "trust", "-U", "openlfr", "--no-sync"],
        cwd=home, check=False, capture_output=True, text=True, **as_owner,
    )  # fmt: skip
    if made.returncode:
        raise Trouble(f"PostgreSQL's data folder could not be made:\n{made.stderr[-2000:]}")
    server = spawn(
        folder,
        [str(programs / "postgres"), "-D", str(home / "data"), "-k", str(home),
         "-c", "listen_addresses="],
        cwd=home, **as_owner,
    )  # fmt: skip
    url = f"postgresql+psycopg://openlfr@/postgres?host={home}"
    wait("PostgreSQL", folder, server, lambda: ready(url))
    return server.pid, url


def ready(url: str) -> bool:
    """Return whether the server accepts connections."""
    import sqlalchemy

    engine = sqlalchemy.create_engine(url)
    engine.connect().close()
    engine.dispose()
    return True
