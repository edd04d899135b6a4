"""Ends the processes that a run leaves behind: a program beside each pytest process or demo.

A server in a session of its own outlives a killed run: the kernel makes it a child of `init`, and
no link to the run remains. A signal on the parent's death (PR_SET_PDEATHSIG) does not
help: it follows the thread that started the server, is lost at the change to PostgreSQL's user,
and does not reach the server's own children. So this process waits beside the run, in a session
of its own that no Ctrl-C or `kill` of the run's group reaches. When the run is gone it finds
all its processes: those with the run's mark in their environment, those that work in its
folders (Redis overwrites its environment), and their children. It sends SIGTERM, 3 s
later SIGKILL, and erases the folders with everything mounted in them.

It reads /proc, which only Linux has, and imports only the standard library, to be cheap.

    guard.py MARK [FOLDER ...]    the run ends when its standard input ends, or contains `kept`
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

VARIABLE = "OPENLFR_TEST_RUN"
KEPT = "kept"
ELSEWHERE = "elsewhere.txt"
"""In the mark's folder: a line for each folder of the run that lies somewhere else."""
ASKED_S, INSISTED_S = 3.0, 20.0
_LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class Seen:
    """A live process, as /proc shows it."""

    pid: int
    parent: int
    has_terminal: bool


def processes() -> Iterator[Seen]:
    """Return all live processes."""
    for place in Path("/proc").glob("[1-9]*"):
        with suppress(OSError):
            # After the program's name in brackets: state, parent, group, session, terminal.
            words = (place / "stat").read_text().rpartition(")")[2].split()
            if words[0] not in "ZX":
                yield Seen(int(place.name), int(words[1]), words[4] != "0")


def belonging(mark: str, folders: Sequence[str]) -> set[int]:
    """Return the processes of the run and all their descendants, except this one."""
    there = list(processes())
    found = {each.pid for each in there if _is_marked(each, mark, folders)}
    grown = True
    while grown:
        more = {each.pid for each in there if each.parent in found} - found
        found |= more
        grown = bool(more)
    return found - {os.getpid()}


def _is_marked(process: Seen, mark: str, folders: Sequence[str]) -> bool:
    with suppress(OSError):
        environment = Path("/proc", str(process.pid), "environ").read_bytes() + b"\0"
        for end in (b"\0", b"/"):
            if os.fsencode(f"{VARIABLE}={mark}") + end in b"\0" + environment:
                return True
    if process.has_terminal:
        return False  # a person's shell in a folder
    with suppress(OSError):
        place = str(Path("/proc", str(process.pid), "cwd").readlink()).removesuffix(" (deleted)")
        return any(f"{place}/".startswith(f"{folder}/") for folder in folders)
    return False


def end_all(mark: str, folders: Sequence[str]) -> None:
    """Send SIGTERM to every process of the run, later SIGKILL."""
    asked: set[int] = set()
    begun = time.monotonic()
    while left := belonging(mark, folders):
        waited = time.monotonic() - begun
        if waited > ASKED_S + INSISTED_S:
            return
        for pid in left:
            with suppress(ProcessLookupError, PermissionError):
                if waited > ASKED_S:
                    os.kill(pid, signal.SIGKILL)
                elif pid not in asked:
                    os.kill(pid, signal.SIGTERM)
        asked |= left
        time.sleep(0.05)


def erase(folder: str) -> None:
    """Unmount everything in a folder and erase it."""
    with suppress(OSError):
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for place in reversed(mounts):  # the innermost first
            if place.startswith(f"{folder}/"):
                subprocess.run(["umount", "-l", place], check=False, capture_output=True)
    shutil.rmtree(folder, ignore_errors=True)


def await_end(run: int) -> list[str]:
    """Wait until the run is gone; return the folders that it keeps."""
    said = b""
    open_ = True
    while os.getppid() == run:
        if not open_:
            time.sleep(_LOOK_S)
        elif select.select([0], [], [], _LOOK_S)[0]:
            more = os.read(0, 65536)
            said += more
            open_ = bool(more)
    while open_ and select.select([0], [], [], 0)[0] and (more := os.read(0, 65536)):
        said += more
    lines = [line.partition(" ") for line in os.fsdecode(said).splitlines()]
    return [folder for word, _, folder in lines if word == KEPT]


def main(run: int, mark: str, *more: str) -> None:
    """Guard a run: its process, its mark (also a folder), and further folders."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    kept = await_end(run)
    folders = (mark, *more)
    end_all(mark, folders)
    elsewhere: list[str] = []
    for pattern in (ELSEWHERE, f"*/{ELSEWHERE}"):  # the run's, and xdist's
        for listed in Path(mark).glob(pattern):
            with suppress(OSError):
                elsewhere += listed.read_text().splitlines()
    for folder in (*elsewhere, *more, mark):  # the mark last: when it is gone, everything is erased
        if folder not in kept:
            erase(folder)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
