"""The embedded Redis is shared, survives killed users, and never remains without users."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from awaiting import PATIENCE_S
from openlfr.adapters.redis.alert_book import RedisAlertBook
from openlfr.adapters.redis.lite import start_server
from openlfr.domain.errors import Unavailable

# Folds sightings as fast as possible and prints the acknowledged ones, until it is killed.
OWNER = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from openlfr.adapters.redis.alert_book import RedisAlertBook
from openlfr.adapters.redis.lite import start_server
from openlfr.domain.sightings import Sighting
from openlfr.domain.faces import Box
server = start_server(Path(sys.argv[1]))
book = RedisAlertBook(server.client, retention=timedelta(days=1))
for n in range(1_000_000):
    at = datetime(2026, 11, 23, tzinfo=UTC) + timedelta(minutes=n)
    event = book.fold(
        Sighting(
            f"s{n}", "d", "gate", 1, n, "ann", "default", "r", at, Box(1, 2, 3, 4), .5, .4, 50.0
        ),
        window=timedelta(seconds=30),
    )
    print(event.event_id, flush=True)
"""


def servers(folder: Path) -> list[psutil.Process]:
    """Return every live redis-server of this folder."""
    found = []
    for process in psutil.process_iter(["name", "status"]):
        try:
            if (
                process.info["name"].startswith("redis-server")
                and process.info["status"] != psutil.STATUS_ZOMBIE
                and process.cwd() == str(folder)
            ):
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "redis"
    yield folder
    for process in servers(folder):  # only after a failed test
        process.kill()


def killed_owner(folder: Path, *, after: int = 50) -> set[str]:
    """Return the sightings that a process acknowledged before its kill."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, folder], stdout=subprocess.PIPE, text=True
    ) as owner:
        known = {owner.stdout.readline().strip() for _ in range(after)}
        owner.kill()
        known |= {line.strip() for line in owner.stdout if line.endswith("\n")}
    return known


def known_events(folder: Path) -> set[str]:
    server = start_server(folder)
    book = RedisAlertBook(server.client, retention=timedelta(days=1), close=server.close)
    assert len(servers(folder)) == 1
    try:
        return {event.event_id for event in book.events("d")}
    finally:
        book.close()


@pytest.mark.parametrize("server_dies_too", [False, True])
def test_kill_9_loses_nothing_and_leaves_no_orphan(folder: Path, server_dies_too: bool) -> None:
    acknowledged = killed_owner(folder)
    left_over = servers(folder)
    assert len(left_over) == 1
    if server_dies_too:
        left_over[0].kill()
    assert known_events(folder) >= acknowledged
    assert servers(folder) == []


def test_a_left_over_server_is_adopted(folder: Path) -> None:
    killed_owner(folder, after=1)
    (left_over,) = servers(folder)
    server = start_server(folder)
    assert server.client.info("server")["process_id"] == left_over.pid
    server.close()
    assert servers(folder) == []


def test_a_left_over_server_that_does_not_answer_is_ended(folder: Path) -> None:
    acknowledged = killed_owner(folder)
    (left_over,) = servers(folder)
    (folder / "redis.sock").unlink()
    assert known_events(folder) >= acknowledged
    assert not left_over.is_running() or left_over.status() == psutil.STATUS_ZOMBIE


def test_a_pid_of_another_process_is_left_alone(folder: Path) -> None:
    folder.mkdir()
    with subprocess.Popen(["sleep", "60"], cwd=folder) as innocent:
        (folder / "redis.pid").write_text(str(innocent.pid))
        server = start_server(folder)
        assert innocent.poll() is None
        server.close()
        assert innocent.poll() is None
        innocent.kill()


def test_a_user_that_ends_in_an_error_leaves_no_server(folder: Path) -> None:
    program = OWNER.replace("print(event.event_id, flush=True)", "raise SystemExit(event.event_id)")
    ended = subprocess.run(
        [sys.executable, "-c", program, folder], capture_output=True, text=True, check=False
    )
    assert servers(folder) == []
    assert known_events(folder) == {ended.stderr.strip()}


def test_users_share_one_server_and_the_last_ends_it(folder: Path) -> None:
    first, second = start_server(folder), start_server(folder)
    first.client.set("seen", 1)
    first.close()
    assert second.client.get("seen") == b"1"
    assert len(servers(folder)) == 1
    second.close()
    second.close()
    assert servers(folder) == []


def test_written_data_remain_at_the_next_start(folder: Path) -> None:
    for n in range(3):
        server = start_server(folder)
        assert server.client.incr("starts") == n + 1
        server.close()


def test_ctrl_c_in_the_terminal_does_not_end_the_server(folder: Path) -> None:
    server = start_server(folder)
    assert os.getsid(servers(folder)[0].pid) != os.getsid(0)
    server.close()


@pytest.mark.parametrize("name", ["long " * 40, 'with "quotes" and \\ and ü'])
def test_any_folder_name_is_accepted(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name / "redis"
    for n in range(2):
        server = start_server(folder)
        again = start_server(folder)
        assert server.client.incr("starts") == n + 1
        assert again.client.get("starts") == str(n + 1).encode()
        socket = Path(server.client.connection_pool.connection_kwargs["path"])
        assert socket.parent.stat().st_mode & 0o077 == 0
        server.close()
        again.close()
        assert not socket.exists()
    assert servers(folder) == []


def test_only_its_owner_can_reach_the_server(folder: Path) -> None:
    server = start_server(folder)
    (process,) = servers(folder)
    assert list(process.net_connections("inet")) == []
    assert folder.stat().st_mode & 0o077 == 0
    server.close()


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match=r"cannot be opened: .*folder may be written to"):
        start_server(tmp_path / "file" / "redis")


def test_a_damaged_append_only_file_is_reported(folder: Path) -> None:
    folder.mkdir()
    (folder / "appendonly.aof").write_bytes(b"no redis wrote this" * 10)
    with pytest.raises(Unavailable, match=r"does not start: .*[Bb]ad file format"):
        start_server(folder)
    assert servers(folder) == []


@pytest.mark.service
def test_a_full_disk_is_unavailable_and_loses_nothing(tmp_path: Path) -> None:
    """The test needs the right to mount a small file system."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], check=True)
    try:
        with subprocess.Popen(
            [sys.executable, "-c", OWNER, disk / "redis"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as owner:
            output, trouble = owner.communicate(timeout=PATIENCE_S)
        assert "openlfr.domain.errors.Unavailable" in trouble
        assert "check that Redis runs and has memory and disk" in trouble
        subprocess.run(["mount", "-o", "remount,size=8m", disk], check=True)
        assert known_events(disk / "redis") >= set(output.split())
        assert servers(disk / "redis") == []
    finally:
        for process in servers(disk / "redis"):
            process.send_signal(signal.SIGKILL)
            process.wait(PATIENCE_S)
        subprocess.run(["umount", disk], check=True)
