"""Films as recorders leave them: pauses, cuts, sound, tags, mirrors, fields, odd pixels."""

from __future__ import annotations

import os
import struct
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import av
import cv2
import numpy as np
import pytest

from openlfr.adapters.capture import open_source
from openlfr.adapters.capture.frame_times import FrameClock, TimeScale
from openlfr.adapters.capture.sampling import FileSampling
from openlfr.domain.errors import BadInput

START = datetime(2026, 11, 23, 9, tzinfo=UTC)


def opened(path, **how):
    return open_source("gate", str(path), epoch=0, start=START, **how)


def ms(frames):
    return [round((f.captured_at - START) / timedelta(milliseconds=1), 3) for f in frames]


GAP = [*range(0, 2000, 100), *range(62_000, 64_000, 100)]
UNEVEN = [0, 40, 80, 500, 533, 566, 600, 5000, 5040, 9000]


@pytest.mark.parametrize("at_ms", [GAP, UNEVEN, range(7000, 10_000, 100)])
@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.ts"])
def test_a_frame_is_timed_by_its_presentation_after_the_first(make_film, name, at_ms):
    options = {} if name.endswith("mkv") else {"bf": "0"}
    source = opened(make_film(name, at_ms=at_ms, options=options))
    frames = list(source.frames())
    assert [f.seq for f in frames] == list(range(len(at_ms)))
    wanted = [at - at_ms[0] for at in at_ms]
    assert np.abs(np.subtract(ms(frames), wanted)).max() < 1
    assert (source.unreadable, source.problems) == (0, ())
    assert all(f.captured_at.microsecond % 1 == 0 for f in frames)


@pytest.mark.parametrize("first", [1, 19, 20, 21, 39])
def test_a_film_with_a_pause_is_resumed_in_the_same_place(make_film, first):
    path = make_film(at_ms=GAP)
    whole = [(f.seq, f.captured_at) for f in opened(path).frames()]
    later = [(f.seq, f.captured_at) for f in opened(path).frames(first_seq=first)]
    assert later == whole[first:]


@pytest.mark.parametrize("offset_us", [0, 123_457, 900_000, 1])
@pytest.mark.parametrize("name", ["a.mkv", "a.mp4"])
def test_sampling_depends_on_time_but_neither_on_the_start_nor_on_the_first_frame_read(
    make_film, name, offset_us
):
    path = make_film(name, at_ms=GAP, options={"bf": "0"})
    start = START + timedelta(microseconds=offset_us)

    def seqs(**how):
        source = open_source("gate", str(path), epoch=0, start=start, fps=5)
        return [f.seq for f in source.frames(**how)]

    assert seqs() == list(range(0, 40, 2))
    for first in (1, 5, 19, 20, 21):
        assert seqs(first_seq=first) == [n for n in range(0, 40, 2) if n >= first]


def test_a_film_plays_in_a_loop_with_its_pauses(make_film):
    frames = []
    for frame in opened(make_film(at_ms=[0, 100, 1000, 1200]), loop=True).frames():
        frames.append(frame)
        if len(frames) == 10:
            break
    # The last frame of a round is shown as long as the others on average: 400 ms.
    assert ms(frames) == [0, 100, 1000, 1200, 1600, 1700, 2600, 2800, 3200, 3300]
    later = next(opened(make_film(at_ms=[0, 100, 1000, 1200]), loop=True).frames(first_seq=6))
    assert (later.seq, ms([later])) == (6, [2600])


@pytest.mark.parametrize(
    ("ticks", "wanted_ms"),
    [
        ([None] * 4, [0, 40, 80, 120]),
        ([50, 90, 300, 340], [0, 40, 250, 290]),
        ([0, 40, 40, 100], [0, 40, 60, 100]),  # said twice
        ([0, 40, None, None, 300], [0, 40, 80, 120, 300]),
        ([9000, 9040, 0, 40, 500], [0, 40, 80, 120, 580]),  # another recording follows
    ],
)
def test_times_continue_where_timestamps_are_missing_or_jump_back(ticks, wanted_ms):
    clock = FrameClock(TimeScale(Fraction(1, 1000), Fraction(25)), first=None)
    assert [clock.time(n, t) // 1000 for n, t in enumerate(ticks)] == wanted_ms


def test_a_film_with_jittering_times_yields_every_requested_frame():
    rng = np.random.default_rng(1)
    times = [round(40_000 * n + rng.uniform(-1900, 1900)) for n in range(5000)]
    sampling = FileSampling(25)
    pairs = zip([None, *times], times, strict=False)
    chosen = [sampling.should_analyse(at, previous) for previous, at in pairs]
    assert np.mean(chosen) > 0.999


def test_longer_sound_is_not_reported_as_missing_video(make_film):
    source = opened(make_film(at_ms=range(0, 1000, 100), sound_s=6))
    assert len(list(source.frames())) == 10
    assert source.duration < timedelta(seconds=2)


@pytest.mark.parametrize("at_ms", [GAP, range(0, 6000, 100)])
@pytest.mark.parametrize("name", ["cut.mkv", "cut.flv"])
def test_a_truncated_film_is_reported(make_film, name, at_ms):
    path = make_film(name, at_ms=at_ms, options={"bf": "0"}, sound_s=0)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(BadInput, match="breaks off after frame"):
        list(opened(path).frames())


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_frames_before_the_first_key_frame_are_counted(make_film, tmp_path, codec):
    quiet = {"x265-params": "log-level=none:keyint=10:bframes=0", "g": "10", "bf": "0"}
    whole = make_film("whole.ts", codec=codec, options=quiet)
    cut = tmp_path / "cut.ts"
    with av.open(str(whole)) as source, av.open(str(cut), "w") as output:
        stream = source.streams.video[0]
        copied = output.add_stream_from_template(stream)
        for packet in list(source.demux(stream))[4:]:
            if packet.size:
                packet.stream = copied
                output.mux(packet)
    source = opened(cut)
    frames = list(source.frames())
    assert [f.seq for f in frames][:2] == [6, 7]
    assert ms(frames)[:2] == [600, 700]
    assert source.unreadable == 6
    assert "its first 6 frames cannot be decoded" in source.problems[0]
    assert [f.seq for f in opened(cut).frames(first_seq=8)] == [f.seq for f in frames[2:]]


@pytest.mark.parametrize(
    ("codec", "name", "options"),
    [
        ("libx264", "raw.h264", {}),
        ("libx265", "raw.hevc", {"x265-params": "log-level=none"}),
        ("mpeg2video", "raw.m2v", {}),
        ("mpeg4", "raw.m4v", {}),
    ],
)
def test_a_raw_stream_has_the_rate_in_its_header(make_video, codec, name, options):
    rate = 30 if codec == "mpeg2video" else 20  # MPEG-2 knows no such rate
    path = make_video(name, codec=codec, fps=rate, options={"bf": "0"} | options)
    source = opened(path)
    frames = list(source.frames())
    assert source.fps == rate
    assert [f.seq for f in frames] == list(range(30))
    assert ms(frames)[-1] == pytest.approx(29_000 / rate, abs=0.01)
    later = list(opened(path).frames(first_seq=12))
    assert [(f.seq, f.captured_at) for f in later] == [(f.seq, f.captured_at) for f in frames[12:]]


def test_two_recordings_in_one_file_are_played_one_after_the_other(make_film, tmp_path):
    both = tmp_path / "both.ts"
    late = make_film("late.ts", at_ms=range(50_000, 52_000, 100), options={"bf": "0"})
    early = make_film("early.ts", at_ms=range(0, 2000, 100), options={"bf": "0"})
    both.write_bytes(late.read_bytes() + early.read_bytes())
    frames = list(opened(both).frames())
    assert [f.seq for f in frames] == list(range(40))
    times = ms(frames)
    assert all(0 < b - a < 500 for a, b in pairwise(times))


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
@pytest.mark.parametrize("where", ["metadata", "stream_metadata"])
def test_a_tag_in_another_encoding_is_no_error(make_film, name, where):
    path = make_film(name, options={"bf": "0"}, **{where: {"title": "Kxxche", "artist": "yyte"}})
    content = path.read_bytes()
    path.write_bytes(content.replace(b"Kxxche", b"K\xfc\xe9che").replace(b"yyte", b"\xe9\xe9te"))
    assert len(list(opened(path).frames())) == 30


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_cover_beside_a_film_is_not_the_film(make_film, name):
    assert len(list(opened(make_film(name, cover=True)).frames())) == 30


@pytest.mark.parametrize("name", ["song.mp3", "song.mp4", "song.flac"])
def test_a_sound_file_with_a_cover_is_refused(tmp_path, name):
    path = tmp_path / name
    codec = {"mp3": "libmp3lame", "flac": "flac"}.get(path.suffix[1:], "aac")
    with av.open(str(path), "w") as output:
        sound = output.add_stream(codec, rate=16000, layout="mono")
        still = output.add_stream("mjpeg")
        still.height, still.width, still.pix_fmt = 48, 64, "yuvj420p"
        still.disposition = av.stream.Disposition.attached_pic
        kind = {"libmp3lame": "s16p", "flac": "s16"}.get(codec, "fltp")
        numbers = np.zeros((1, 16000), np.int16 if kind.startswith("s16") else np.float32)
        frame = av.AudioFrame.from_ndarray(numbers, format=kind, layout="mono")
        frame.sample_rate = 16000
        picture = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="bgr24")
        picture.pts = 0
        for packet in [*still.encode(picture.reformat(format="yuvj420p")), *still.encode(),
                       *sound.encode(frame), *sound.encode()]:  # fmt: skip
            output.mux(packet)
    with pytest.raises(BadInput, match="contains no video, only sound with a cover"):
        opened(path)


SIDES = np.zeros((48, 64, 3), np.uint8)
SIDES[:16, :24] = (255, 255, 255)  # a white corner, upper left
SIDES[:16, 40:] = (255, 0, 0)  # a blue one, upper right
ORIENTED = [(degrees, mirrored) for degrees in (0, 90, 180, 270) for mirrored in (False, True)]


def with_matrix(path, degrees, *, mirrored):
    """Let a film be flipped left to right and then turned clockwise, in its track header."""
    turned = np.deg2rad(degrees)
    flip = -1 if mirrored else 1
    a, b = flip * np.cos(turned), flip * np.sin(turned)
    c, d = -np.sin(turned), np.cos(turned)
    numbers = [round(n * 0x10000) for n in (a, b, 0, c, d, 0)]
    content = bytearray(path.read_bytes())
    at = content.index(b"tkhd") + 44
    content[at : at + 36] = struct.pack(">9i", *numbers, 0, 0, 0x40000000)
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("degrees", "mirrored", "aspect"),
    [(*each, None) for each in ORIENTED]
    + [(0, False, Fraction(2)), (90, True, Fraction(1, 2)), (270, False, Fraction(16, 11))],
)
def test_a_picture_is_read_in_its_display_orientation(make_film, degrees, mirrored, aspect):
    path = make_film("a.mp4", at_ms=[0, 100], pictures=[SIDES] * 2, aspect=aspect)
    with_matrix(path, degrees, mirrored=mirrored)
    source = opened(path)
    image = next(source.frames()).image
    wanted = SIDES
    if aspect:
        width = round(64 * aspect) if aspect > 1 else 64
        wanted = cv2.resize(SIDES, (width, 48 if aspect > 1 else round(48 / aspect)))
    wanted = np.rot90(np.fliplr(wanted) if mirrored else wanted, -degrees // 90)
    assert image.shape == wanted.shape
    assert image.flags.c_contiguous
    assert np.abs(image.astype(int) - wanted).mean() < 20
    shown = source.display_transform
    assert (shown.turned, shown.mirrored) == (degrees, mirrored)
    assert shown.pixel_aspect == pytest.approx(float(aspect or 1), rel=0.01)


@pytest.mark.parametrize("aspect", [Fraction(500), Fraction(1, 500)])
def test_an_implausible_pixel_shape_is_treated_as_square(make_film, aspect):
    image = next(opened(make_film(aspect=aspect)).frames()).image
    assert image.shape == (48, 64, 3)


def woven(before, after):
    picture = before.copy()
    picture[1::2] = after[1::2]
    return picture


def test_moving_parts_are_deinterlaced_and_still_parts_retain_every_line(make_film):
    rng = np.random.default_rng(2)
    background = cv2.GaussianBlur(rng.integers(0, 255, (96, 128), np.uint8), (0, 0), 3)
    background = cv2.cvtColor(background, cv2.COLOR_GRAY2BGR)

    def moment(n):
        picture = background.copy()
        picture[20:70, 4 * n : 4 * n + 30] = 250
        return picture

    pictures = [woven(moment(2 * n), moment(2 * n + 1)) for n in range(10)]
    path = make_film("a.ts", at_ms=range(0, 1000, 100), pictures=pictures,
                     options={"x264-params": "tff=1", "bf": "0"})  # fmt: skip
    source = opened(path)
    for n, frame in enumerate(source.frames()):
        moved = slice(20, 70), slice(8 * n, 8 * n + 36)
        wanted = moment(2 * n)[moved].astype(int)
        assert np.abs(frame.image[moved] - wanted).mean() < 10
        assert np.abs(pictures[n][moved] - wanted).mean() > 12
        assert np.abs(frame.image[:18].astype(int) - background[:18]).mean() < 6
    assert source.display_transform.interlaced


POINTERS = {
    "list.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:3,\n{path}\n#EXT-X-ENDLIST\n",
    "list.m3u": "#EXTM3U\n{path}\n",
    "list.ffconcat": "ffconcat version 1.0\nfile '{name}'\n",
    "call.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
    "m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    "list.mpd": '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">'
    "<Period><AdaptationSet><Representation><BaseURL>{name}</BaseURL></Representation>"
    "</AdaptationSet></Period></MPD>",
    "list.asx": "<asx version='3.0'><entry><ref href='{path}'/></entry></asx>",
}


@pytest.mark.parametrize("name", POINTERS)
def test_a_file_that_points_to_others_is_not_followed(make_film, tmp_path, name):
    path = make_film("film.ts", options={"bf": "0"})
    pointer = tmp_path / name
    pointer.write_text(POINTERS[name].format(path=path, name=path.name))
    with pytest.raises(BadInput, match="references to other files are not followed"):
        opened(pointer)
    with pytest.raises(BadInput, match="references to other files are not followed"):
        opened(pointer.rename(tmp_path / "named.mp4"))


@pytest.mark.parametrize("name", ["one.jpg", "one.png", "img%d.jpg"])
def test_a_picture_is_no_film_and_a_pattern_no_series(tmp_path, name):
    for each in (name, "img0.jpg", "img1.jpg"):
        assert cv2.imwrite(str(tmp_path / each), SIDES)
    with pytest.raises(BadInput, match="is a single picture"):
        opened(tmp_path / name)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(BadInput, match="is a pipe, not a video file"):
        opened(tmp_path / "pipe.mp4")


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/dev/tty"])
def test_a_device_that_is_no_camera_is_refused(path):
    with pytest.raises(BadInput, match=r"is no camera|cannot be read"):
        opened(path)


@pytest.mark.parametrize("link", ["film.mp4", "film.jpg"])
def test_a_link_to_a_device_is_a_device(tmp_path, link):
    (tmp_path / link).symlink_to("/dev/zero")
    with pytest.raises(BadInput, match="is a device"):
        opened(tmp_path / link)


def test_a_time_outside_the_calendar_is_reported(make_film):
    source = open_source("gate", str(make_film()), epoch=0,
                         start=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))  # fmt: skip
    with pytest.raises(BadInput, match="would be dated after the year 9999"):
        list(source.frames())
