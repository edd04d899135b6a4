"""Files that people name: regular ones of a bounded size are read, and nothing else ever waits."""

import os
import socket
from pathlib import Path

import pytest

from openlfr.domain.errors import BadInput
from openlfr.files import match_spelling, read_file


def fifo(folder):
    os.mkfifo(folder / "x")


def a_socket(folder):
    listening = socket.socket(socket.AF_UNIX)
    try:
        listening.bind(str(folder / "x"))
    finally:
        listening.close()


def folder_instead(folder):
    (folder / "x").mkdir()


def to(target):
    return lambda folder: (folder / "x").symlink_to(target)


def loop(folder):
    (folder / "x").symlink_to("y")
    (folder / "y").symlink_to("x")


def sparse(folder):
    with (folder / "x").open("wb") as file:
        file.truncate(10**12)


BAD = {
    "nothing": (lambda _: None, "does not exist"),
    "folder": (folder_instead, "is a folder, not a file"),
    "fifo": (fifo, "is a pipe, not a file"),
    "socket": (a_socket, "is a socket, not a file"),
    "link to a device": (to("/dev/zero"), "is a device, not a file"),
    "link to a terminal": (to("/dev/tty"), "is a device, not a file"),
    "link to nothing": (to("/nowhere/at/all"), "does not exist"),
    "link to a folder": (to("/etc"), "is a folder, not a file"),
    "links in a circle": (loop, "cannot be read: Too many levels of symbolic links"),
    "of the kernel": (to("/proc/self/status"), "is empty"),
    "stdin": (to("/proc/self/fd/0"), "(is a|is empty|does not exist)"),
    "sparse": (sparse, "has 1000000000000 bytes, at most 1000 are read"),
    "empty": (lambda folder: (folder / "x").touch(), "is empty"),
    "too large": (lambda folder: (folder / "x").write_bytes(b"1" * 1001), "has 1001 bytes, at"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.timeout(20)
def test_a_path_that_is_no_file_is_refused(tmp_path, name):
    make, says = BAD[name]
    make(tmp_path)
    with pytest.raises(BadInput, match=rf"^{tmp_path}/x {says}"):
        read_file(tmp_path / "x", max_bytes=1000)


@pytest.mark.parametrize(
    ("path", "says"),
    [("x/y.jpg", "cannot be read: Not a directory"), ("n" * 300, "cannot be read: File name too"),
     ("nul\0", "is no path"), ("sur\udc80rogate", "does not exist")],
)  # fmt: skip
def test_text_that_is_no_path_is_refused(tmp_path, path, says):
    (tmp_path / "x").touch()
    with pytest.raises(BadInput, match=says):
        read_file(tmp_path / path, max_bytes=1000)


def test_reads_a_file_through_a_link(tmp_path):
    (tmp_path / "x").write_bytes(b"content")
    (tmp_path / "y").symlink_to("x")
    assert read_file(tmp_path / "y", max_bytes=7) == b"content"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_missing_permission_is_reported(tmp_path):
    (tmp_path / "x").write_bytes(b"1")
    (tmp_path / "x").chmod(0)
    with pytest.raises(BadInput, match="x cannot be read: Permission denied"):
        read_file(tmp_path / "x", max_bytes=7)


@pytest.mark.parametrize(
    ("there", "asked"),
    [
        ("Jos\u00e9.jpg", "Jose\u0301.jpg"),
        ("Jose\u0301.jpg", "Jos\u00e9.jpg"),
        ("\u1112\u1161\u11ab/1.jpg", "\ud55c/1.jpg"),
        ("Jos\u00e9/Jose\u0301.jpg", "Jose\u0301/Jos\u00e9.jpg"),
        ("\u212b.jpg", "\u00c5.jpg"),
    ],
)
def test_finds_a_name_in_another_normal_form(tmp_path, there, asked):
    (tmp_path / there).parent.mkdir(exist_ok=True)
    (tmp_path / there).touch()
    assert match_spelling(tmp_path / asked) == tmp_path / there


def test_a_file_with_exactly_the_name_is_preferred(tmp_path):
    for name in ("Jos\u00e9.jpg", "Jose\u0301.jpg"):
        (tmp_path / name).touch()
        assert match_spelling(tmp_path / name) == tmp_path / name


def test_two_files_that_look_alike_are_no_guess(tmp_path):
    for name in ("\u1e69.jpg", "s\u0323\u0307.jpg"):
        (tmp_path / name).touch()
    with pytest.raises(BadInput, match="2 files have that name"):
        match_spelling(tmp_path / "s\u0307\u0323.jpg")


@pytest.mark.parametrize("name", ["Josx.jpg", "JOS\u00c9.jpg", "a/../Jose\u0301.jpg"])
def test_another_name_is_unchanged(tmp_path, name):
    (tmp_path / "Jos\u00e9.jpg").touch()
    assert match_spelling(tmp_path / name) == tmp_path / name


def test_a_missing_folder_has_no_files(tmp_path):
    assert match_spelling(tmp_path / "no" / "Jos\u00e9.jpg") == Path(
        tmp_path / "no" / "Jos\u00e9.jpg"
    )
