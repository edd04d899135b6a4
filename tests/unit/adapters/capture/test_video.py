"""What is special about a video file: sampling, damage, odd sizes, turned pictures."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

import numpy as np
import pytest

from openlfr.adapters.capture import open_source
from openlfr.adapters.capture.sampling import FileSampling
from openlfr.domain.errors import BadInput

START = datetime(2026, 11, 23, 9, tzinfo=UTC)


def open_video(path, **how):
    return open_source("gate", str(path), epoch=0, start=START, **how)


@pytest.mark.parametrize(
    ("wanted", "own", "taken"),
    [
        (None, 10, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (10, 10, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (25, 10, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (5, 10, [0, 2, 4, 6, 8]),
        (3, 10, [0, 4, 7]),
        (0.5, 10, [0]),
        (7, 29.97, [0, 5, 9]),
    ],
)
def test_the_first_frame_of_each_slot_is_used(wanted, own, taken):
    assert [n for n in range(10) if takes(FileSampling(wanted), n, own)] == taken


def takes(sampling, n, own):
    return sampling.should_analyse(round(n * 1e6 / own), round((n - 1) * 1e6 / own) if n else None)


def test_sampling_is_exact_over_an_hour():
    sampling = FileSampling(5)
    taken = sum(takes(sampling, n, 30000 / 1001) for n in range(107_892))
    assert taken == pytest.approx(5 * 3600, abs=1)


def test_frames_sampled_away_are_counted_and_chosen_by_their_number(make_video):
    path = make_video(frames=30, fps=10)
    source = open_video(path, fps=3)
    seqs = [f.seq for f in source.frames()]
    assert seqs == [0, 4, 7, 10, 14, 17, 20, 24, 27]
    assert source.sampled_away == 21
    assert [f.seq for f in open_video(path, fps=3).frames(first_seq=8)] == seqs[3:]


def test_a_rate_that_is_a_fraction(make_video):
    frames = list(open_video(make_video(fps=Fraction(30000, 1001))).frames())
    assert (frames[-1].captured_at - START).total_seconds() == pytest.approx(29 * 1001 / 30000)


@pytest.mark.parametrize("size", [(65, 49), (66, 50), (130, 30)])
def test_pictures_of_odd_sizes_are_complete(make_video, size):
    frames = list(open_video(make_video(size=size)).frames())
    assert {f.image.shape for f in frames} == {(size[1], size[0], 3)}
    assert all(f.image.flags.c_contiguous for f in frames)


@pytest.mark.parametrize(
    ("matrix", "corner"),
    [
        ((0x10000, 0, 0, 0, 0x10000, 0), (0, 0)),  # as it is
        ((0, 0x10000, 0, -0x10000, 0, 0), (0, -1)),  # clockwise: the left upper goes right
        ((-0x10000, 0, 0, 0, -0x10000, 0), (-1, -1)),  # upside down
    ],
)
def test_a_turned_video_is_turned_back(make_video, tmp_path, matrix, corner):
    import av

    path = tmp_path / "turned.mp4"
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:24, :32] = 255  # the left upper quarter is white
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for packet in [*stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")),
                       *stream.encode()]:  # fmt: skip
            output.mux(packet)
    content = bytearray(path.read_bytes())
    at = content.index(b"tkhd") + 44  # the display matrix in a track header of version 0
    numbers = np.array([*matrix, 0, 0, 0x40000000], ">i4").tobytes()
    content[at : at + 36] = numbers
    path.write_bytes(content)

    image = next(open_video(path).frames()).image
    quarter_turn = matrix[0] == 0
    assert image.shape == ((64, 48, 3) if quarter_turn else (48, 64, 3))
    white = [(y, x) for y in (0, -1) for x in (0, -1) if image[y, x].mean() > 200]
    assert white == [corner]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.mp4", b"", "is empty"),
        ("text.mp4", b"this is no video\n" * 99, "no video|as a video"),
        ("zeros.mp4", bytes(5000), "as a video|no video"),
    ],
)
def test_a_file_that_is_no_video_is_reported_at_once(tmp_path, name, content, sentence):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadInput, match=sentence) as caught:
        open_video(path)
    assert "gate" in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_video_is_reported_at_once(tmp_path):
    with pytest.raises(BadInput, match="does not exist"):
        open_video(tmp_path / "nothing.mp4")


@pytest.mark.parametrize(
    ("name", "container"),
    [("cut.mp4", {"movflags": "faststart"}), ("cut.mkv", {}), ("cut.avi", {})],
)
def test_a_truncated_video_yields_its_frames_before_the_error_names_the_position(
    make_video, name, container
):
    path = make_video(name, frames=60, options={"g": "10"}, container=container)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    frames = []

    def play():
        for frame in open_video(path).frames():
            frames.append(frame)

    with pytest.raises(BadInput, match="breaks off after frame") as caught:
        play()
    assert 5 < len(frames) < 60
    assert [f.seq for f in frames] == list(range(len(frames)))
    assert f"after frame {len(frames) - 1} of 60" in str(caught.value)


def test_a_video_without_its_index_cannot_be_read(make_video):
    path = make_video("cut.mp4")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(BadInput, match=r"cannot be read as a video|no video"):
        open_video(path)


def test_damage_in_the_middle_costs_only_the_damaged_frames(make_video):
    path = make_video("damaged.avi", frames=30, options={"g": "1", "bf": "0"})
    import av

    with av.open(str(path)) as container:
        third = [p for p in container.demux(container.streams.video[0]) if p.size][3]
        at, size = third.pos, third.size
    content = bytearray(path.read_bytes())
    start = content.index(bytes(third), at)
    content[start : start + size] = bytes(size)
    path.write_bytes(content)

    source = open_video(path)
    assert [f.seq for f in source.frames()] == [n for n in range(30) if n != 3]
    assert source.unreadable == 1
    assert "frame 3 is damaged" in source.problems[0]
