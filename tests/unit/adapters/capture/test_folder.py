"""What is special about a folder of pictures: its order, and pictures that cannot be read."""

from __future__ import annotations

import os
import struct
import zlib
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest

from openlfr.adapters.capture import open_source
from openlfr.domain.errors import BadInput

START = datetime(2026, 11, 23, 9, tzinfo=UTC)


def write(path, grey=100):
    assert cv2.imwrite(str(path), np.full((20, 30, 3), grey, np.uint8))


def open_folder(path, **how):
    return open_source("gate", str(path), epoch=0, start=START, **how)


def test_numbers_in_file_names_are_sorted_numerically(tmp_path):
    names = ["2.png", "10.png", "1.png", "a10.png", "a9.png", "B1.PNG"]
    for grey, name in enumerate(names):
        write(tmp_path / name, 10 * grey)
    order = [names[int(f.image[0, 0, 0]) // 10] for f in open_folder(tmp_path).frames()]
    assert order == ["1.png", "2.png", "10.png", "a9.png", "a10.png", "B1.PNG"]


def test_other_files_are_not_read_as_pictures(tmp_path):
    write(tmp_path / "1.jpg")
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "._1.jpg").write_bytes(b"resource fork")
    (tmp_path / "folder.jpg").mkdir()
    assert [f.seq for f in open_folder(tmp_path).frames()] == [0]


def test_fps_determines_the_capture_times(tmp_path):
    for number in range(3):
        write(tmp_path / f"{number}.jpg")
    for fps, step in ((None, 1.0), (4, 0.25)):
        times = [f.captured_at for f in open_folder(tmp_path, fps=fps).frames()]
        assert times == [START + n * timedelta(seconds=step) for n in range(3)]


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("2.jpg", lambda content: b""),
        ("2.jpg", lambda content: b"no picture"),
        ("2.jpg", lambda content: content[: len(content) // 2]),
        ("2.png", lambda content: content[: len(content) // 2]),
    ],
)
def test_a_corrupt_picture_is_skipped_counted_and_named(tmp_path, name, damage):
    for number in (1, 3):
        write(tmp_path / f"{number}.jpg")
    write(tmp_path / name)
    (tmp_path / name).write_bytes(damage((tmp_path / name).read_bytes()))
    source = open_folder(tmp_path)
    assert [f.seq for f in source.frames()] == [0, 2]
    assert source.unreadable == 1
    assert str(tmp_path / name) in source.problems[0]


def png_of(width, height):
    """A PNG that says so of its size, and holds nothing of it."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 1000)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(c)) + n + c + struct.pack(">I", zlib.crc32(n + c)) for n, c in chunks
    )


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (os.mkfifo, "is a pipe, not a file"),
        (lambda path: path.symlink_to("/dev/zero"), "is a device, not a file"),
        (lambda path: path.symlink_to("/nowhere"), "does not exist"),
        (lambda path: path.symlink_to("/proc/self/status"), "is empty"),
        (lambda path: path.write_bytes(png_of(20_000, 20_000)), "Save it smaller"),
    ],
    ids=["pipe", "device", "link to nothing", "of the kernel", "bomb"],
)
@pytest.mark.timeout(20)
def test_an_unreadable_picture_is_named_and_leaves_a_gap_in_the_numbers(tmp_path, make, says):
    for number in (1, 3):
        write(tmp_path / f"{number}.png")
    make(tmp_path / "2.png")
    source = open_folder(tmp_path)
    assert [frame.seq for frame in source.frames()] == [0, 2]
    (problem,) = source.problems
    assert problem.startswith(f"camera gate: {tmp_path}/2.png ")
    assert says in problem


def test_a_folder_without_one_good_picture_is_an_error(tmp_path):
    (tmp_path / "1.jpg").write_bytes(b"no picture")
    source = open_folder(tmp_path, loop=True)
    with pytest.raises(BadInput, match="no picture could be decoded"):
        list(source.frames())


def test_a_folder_without_pictures_is_an_error(tmp_path):
    with pytest.raises(BadInput, match="contains no JPEG or PNG"):
        open_folder(tmp_path)
