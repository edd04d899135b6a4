"""Installed packages are the locked ones, and scripts name their missing requirements."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def locked(name: str) -> set[str]:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    return set(re.findall(r"^([a-z0-9._-]+)==", text, re.MULTILINE))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_opencv_is_the_headless_build_and_maps_no_gui_library():
    program = "import cv2; print(cv2.__file__); print(open('/proc/self/maps').read())"
    seen = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True
    ).stdout
    file, _, maps = seen.partition("\n")
    headless = importlib.metadata.distribution("opencv-python-headless")
    assert Path(file) in {Path(str(headless.locate_file(each))) for each in headless.files or []}
    assert not re.findall(r"lib(?:GL|EGL|X11|xcb|Qt\d\w*|gtk\S*)\.so\S*", maps)
    assert "cv2" in maps


def test_no_gui_opencv_is_installed():
    names = {each.name.lower() for each in importlib.metadata.distributions()}
    assert {name for name in names if name.startswith("opencv")} == {"opencv-python-headless"}


@pytest.mark.parametrize(
    ("package", "lock"),
    [
        ("faust-streaming", "city-cpu"),
        ("kafka-python", "city-cpu"),
        ("opencv-python-headless", "embedded-cpu"),
        ("insightface", "embedded-cpu"),
        ("onnxruntime-gpu", "embedded-gpu"),
        ("milvus", "dev"),
        ("milvus", "servers"),
        ("pymilvus", "embedded-cpu"),
        ("numpy", "embedded-cpu"),
        ("redis", "embedded-cpu"),
    ],
)
def test_every_dependency_is_declared_and_locked(package: str, lock: str):
    assert re.search(rf'"{package}\b(?!-)', (ROOT / "pyproject.toml").read_text())
    assert package in locked(lock)


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.stem)
def test_a_lock_pins_and_hashes_everything_and_names_no_index(path: Path):
    text = path.read_text()
    assert "://" not in text
    assert "opencv-python" not in locked(path.stem)
    entries = re.split(r"\n(?=[a-z0-9])", text)[1:]
    assert entries
    assert [each for each in entries if "==" not in each or "--hash=sha256:" not in each] == []


def test_only_one_onnxruntime_in_each_lock():
    for path in LOCKS:
        if path.stem not in ("build", "servers"):
            assert len({"onnxruntime", "onnxruntime-gpu"} & locked(path.stem)) == 1, path


def test_the_locks_belong_to_pyproject():
    done = subprocess.run([sys.executable, ROOT / "scripts/lock", "--check"], check=False)
    assert done.returncode == 0


@pytest.fixture
def bare_path(tmp_path: Path) -> Path:
    """A PATH with a shell and little else, for a user who is not root."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("bash", "dirname", "cat", "cmp", "rm"):
        (folder / name).symlink_to(str(shutil.which(name)))
    (folder / "id").write_text("#!/bin/bash\necho 1000\n")
    (folder / "id").chmod(0o755)
    return folder


def script(name: str, *words: str, path: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/bash", path.parent / "scripts" / name, *words],
        env={"PATH": str(path), "HOME": str(path.parent), **env},
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.fixture
def checkout(bare_path: Path) -> Path:
    """A copy of the scripts beside `bare_path`, with nothing installed."""
    for name in ("scripts", "requirements"):
        shutil.copytree(ROOT / name, bare_path.parent / name)
    return bare_path


def test_missing_programs_are_named_once_with_the_way_round(checkout: Path):
    done = script("test", path=checkout)
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "redis-server" in done.stderr
    assert "scripts/test --embedded" in done.stderr


def test_ci_skips_no_check(checkout: Path):
    done = script("test", "--embedded", path=checkout, OPENLFR_REQUIRE_SERVICES="1")
    assert done.returncode == 2
    assert "OPENLFR_REQUIRE_SERVICES" in done.stderr


def test_setup_without_a_suitable_python_names_its_requirement(checkout: Path):
    done = script("setup", path=checkout)
    assert done.returncode == 2
    assert "needs Python 3.11, 3.12 or 3.13" in done.stderr
    assert not (checkout.parent / ".venv").exists()


def test_setup_refuses_an_unknown_option(checkout: Path):
    assert script("setup", "--cuda", path=checkout).returncode == 2


def test_every_script_can_be_run():
    for path in (ROOT / "scripts").iterdir():
        assert os.access(path, os.X_OK), path


def test_no_two_test_files_have_one_name():
    """pytest imports them by their names, and would refuse the second."""
    names = [path.name for path in sorted((ROOT / "tests").rglob("test_*.py"))]
    assert {name for name in names if names.count(name) > 1} == set()
