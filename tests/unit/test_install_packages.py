"""Packages are installed once apt is free: a machine that updates itself holds its locks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/install-packages"
HOLDER = """
import fcntl, sys
lock = open(sys.argv[1], "w")
fcntl.lockf(lock, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""
LISTS, DPKG = "var/lib/apt/lists/lock", "var/lib/dpkg/lock"
FRONTEND, ARCHIVES = "var/lib/dpkg/lock-frontend", "var/cache/apt/archives/lock"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root folder of apt's own, with one package to install from a file."""
    if not shutil.which("apt-get"):
        pytest.skip("this is no Debian")
    root = tmp_path / "root"
    for name in ("etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/sources.list.d",
                 "var/lib/apt/lists/partial", "var/lib/dpkg", "var/log/apt",
                 "var/cache/apt/archives/partial"):  # fmt: skip
        (root / name).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    (root / "apt.conf").write_text(
        f'Dir "{root}";\nDir::State::status "{root}/var/lib/dpkg/status";\n'
        f'Dir::Bin::dpkg "{shutil.which("true")}";\nAPT::Sandbox::User "";\n'
    )
    control = tmp_path / "package/DEBIAN/control"
    control.parent.mkdir(parents=True)
    control.write_text(
        "Package: probe\nVersion: 1\nArchitecture: all\nMaintainer: a test\nDescription: none\n"
    )
    build = ["dpkg-deb", "-b", control.parents[1], root / "probe.deb"]
    subprocess.run(build, check=True, capture_output=True)
    return root


def install(root: Path, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [SCRIPT, root / "probe.deb"], stderr=subprocess.PIPE, text=True,
        env={**os.environ, "APT_CONFIG": str(root / "apt.conf"), **more},
    )  # fmt: skip


def hold(lock: Path) -> subprocess.Popen[str]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, lock],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


@pytest.mark.parametrize("lock", [LISTS, FRONTEND, DPKG, ARCHIVES])
def test_the_process_with_the_lock_is_named_and_the_installation_waits_for_it(
    root: Path, lock: str
):
    with hold(root / lock) as holder, install(root) as installing:
        assert installing.stderr is not None
        message = installing.stderr.readline()
        assert message.startswith("scripts/install-packages: waiting until apt is free: ")
        assert str(root / lock) in message
        assert str(holder.pid) in message
        holder.communicate("")
        assert installing.communicate() == (None, "")
    assert installing.returncode == 0


def test_a_persistent_lock_is_reported_at_the_end(root: Path):
    with hold(root / LISTS) as holder, install(root, APT_PATIENCE_S="1") as installing:
        _, message = installing.communicate()
        holder.communicate("")
    assert installing.returncode == 3
    assert "apt is still locked after 1 s" in message.splitlines()[-1]


def test_an_error_other_than_a_lock_is_not_retried(root: Path):
    (root / "probe.deb").unlink()
    with install(root) as installing:
        _, message = installing.communicate()
    assert installing.returncode == 100
    assert "probe.deb" in message
    assert "waiting" not in message
