"""The address chooses the source; live ones are tried over a real loopback connection."""

from __future__ import annotations

import gzip
import threading
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from openlfr.adapters.capture import is_live, open_source
from openlfr.adapters.capture.jpeg import encode_jpeg
from openlfr.domain.errors import BadInput, Misconfigured, Unavailable

START = datetime(2026, 11, 23, 9, tzinfo=UTC)


def open_it(url, **how):
    return open_source("gate", url, epoch=7, start=START, reconnect=False, **how)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@contextmanager
def served(folder, handler=Quiet):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("url", "live"),
    [
        ("rtsp://10.0.0.7/main", True),
        ("https://example.org/stream.m3u8", True),
        ("0", True),
        ("/dev/video2", True),
        ("file:///videos/a.mp4", False),
        ("/videos/a.mp4", False),
        ("0.mp4", False),
    ],
)
def test_live_addresses_are_recognised(url, live):
    assert is_live(url) is live


def test_a_file_address_is_a_file(make_video):
    path = make_video("a b.mp4")
    assert len(list(open_it(path.as_uri()).frames())) == 30


@pytest.mark.parametrize(
    ("url", "error", "sentence"),
    [
        ("/nothing/here.mp4", BadInput, "camera gate: /nothing/here.mp4 does not exist"),
        ("file:///nothing/here", BadInput, "camera gate: /nothing/here does not exist"),
        ("ftp://u:secret@h/x", Misconfigured, r"gate: ftp://h is not a supported address"),
    ],
)
def test_an_address_that_cannot_be_opened(url, error, sentence):
    with pytest.raises(error, match=sentence):
        open_it(url)


def test_a_camera_that_does_not_answer(tmp_path):
    with served(tmp_path) as address:
        pass
    url = address.replace("http://", "http://u:secret@")
    with pytest.raises(Unavailable, match="does not answer") as caught:
        list(open_it(url).frames())
    assert "secret" not in str(caught.value)


def test_a_live_camera_is_timed_by_the_clock_until_its_stream_ends(make_video, tmp_path):
    make_video("live.ts", frames=20)
    frames = []
    before = datetime.now(UTC)

    def play(address):
        for frame in open_it(f"{address}/live.ts").frames():
            frames.append(frame)

    with served(tmp_path) as address, pytest.raises(Unavailable, match="ended"):
        play(address)
    seqs = [f.seq for f in frames]
    assert seqs == sorted(set(seqs))  # where the machine is busy the newest wins
    assert set(seqs) <= set(range(20))
    assert {f.epoch for f in frames} == {7}
    times = [f.captured_at for f in frames]
    assert times == sorted(times)
    assert before <= times[0] < before + timedelta(minutes=5)


def test_a_live_camera_is_closed(make_video, tmp_path):
    make_video("live.ts", frames=20)
    with served(tmp_path) as address:
        source = open_it(f"{address}/live.ts")
        frames = source.frames()
        next(frames)
        source.close()
        assert list(frames) == []


def until_it_ends(url):
    frames = []
    with suppress(Unavailable):
        frames.extend(frame for frame in open_it(url).frames())
    return frames


class Motion(Quiet):
    """A camera that sends JPEG after JPEG, as many do over HTTP, each a little brighter."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
        self.end_headers()
        for number in range(8):
            content = encode_jpeg(np.full((48, 64, 3), 10 + 20 * number, np.uint8))
            head = f"--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(content)}\r\n\r\n"
            self.wfile.write(head.encode() + content + b"\r\n")
            self.wfile.flush()
            time.sleep(0.05)  # the camera's own pace


def test_a_camera_that_sends_jpeg_after_jpeg(tmp_path):
    with served(tmp_path, Motion) as address:
        frames = until_it_ends(f"{address}/video.mjpg")
    assert frames[-1].seq == 7
    assert round(float(frames[-1].image.mean())) == pytest.approx(150, abs=3)
    assert frames[0].captured_at < frames[-1].captured_at


def test_a_stream_that_ends_early_is_not_reported_as_silent(tmp_path):
    """A client of the library: the answer ends where the next part should begin."""
    with served(tmp_path, Motion) as address:
        frames = open_it(f"{address}/video.mjpg").frames()
        with pytest.raises(Unavailable, match=r"camera gate.*(broke off|stream ended)"):
            assert len(list(frames)) > 1


def test_a_segment_that_arrives_at_once_is_played_at_its_own_pace(make_video, tmp_path):
    """HLS: else only the last picture of each segment would be looked at."""
    make_video("part0.ts", frames=10)
    (tmp_path / "live.m3u8").write_text(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n"
        "#EXTINF:1.0,\npart0.ts\n#EXT-X-ENDLIST\n"
    )
    with served(tmp_path) as address:
        frames = until_it_ends(f"{address}/live.m3u8")
    seqs = [f.seq for f in frames]
    assert len(seqs) > 1
    pace = timedelta(seconds=0.1)
    assert frames[-1].captured_at - frames[0].captured_at > (seqs[-1] - seqs[0]) * pace * 0.8


def jpeg(number):
    return encode_jpeg(np.full((48, 64, 3), 10 + 20 * number, np.uint8))


def parts(head=b"", between=b"\r\n"):
    return [head + jpeg(n) + between for n in range(8)]


PAGE = b"<!DOCTYPE html><html><head><title>Camera</title></head><body>Log in</body></html>"
HEAD = b"Content-Type: image/jpeg\r\n\r\n"
ANSWERS = {
    "snapshot": ("image/jpeg", [jpeg(1)], "is the address of a snapshot"),
    "snapshot of no stated kind": ("application/octet-stream", [jpeg(1)], "of a snapshot"),
    "page": ("text/html", [PAGE], "sends a web page and no video"),
    "page of another kind": ("video/mp4", [b"\n " + PAGE], "sends a web page and no video"),
    "text": ("application/json", [b'{"error": 7}'], "sends text"),
    "nothing": ("video/mp4", [], "sends nothing"),
    "JPEGs": ("video/x-motion-jpeg", parts(between=b""), "without a boundary between"),
    "JPEGs as a picture": ("image/jpeg", parts(), "without a boundary"),
    "JPEGs as parts": ("multipart/x-mixed-replace; boundary=a", parts(), "without a boundary"),
    "page behind a comment": ("text/plain", [b"\xef\xbb\xbf<!-- a -->" + PAGE], "sends a web page"),
    "page in UTF-16": ("video/mp4", [PAGE.decode().encode("utf-16")], "sends a web page"),
    "compressed page": ("video/mp4", [gzip.compress(PAGE)], "sends a web page"),
    "compressed snapshot": ("video/mp4", [gzip.compress(jpeg(1))], "of a snapshot"),
    "snapshot as a part": (
        "multipart/x-mixed-replace; boundary=a", [b"--a\r\n", HEAD, jpeg(1), b"\r\n--a--"],
        "of a snapshot",
    ),
    "drawing": ("image/svg+xml", [b"<svg xmlns='http://www.w3.org/2000/svg'/>"], "sends text"),
    "text of no stated kind": ("video/mp4", ["Für Unbefugte gesperrt".encode()], "sends text"),
    "parts without": ("multipart/x-mixed-replace; boundary=a", parts(HEAD), "without the boundary"),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_a_response_that_is_no_video_is_named(tmp_path, name):
    kind, contents, sentence = ANSWERS[name]

    class Answer(Quiet):
        def do_GET(self):
            with suppress(OSError):
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.end_headers()
                for content in contents:
                    self.wfile.write(content)
                    self.wfile.flush()
                    time.sleep(0.01)

    with served(tmp_path, Answer) as address:
        url = address.replace("http://", "http://u:secret@") + "/video"
        with pytest.raises(Unavailable, match=sentence) as caught:
            list(open_it(url).frames())
    assert "camera gate" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "user", "sentence"),
    [
        (401, "", r"requires a user and a password \(401 Unauthorized\)"),
        (401, "u:secret@", r"rejects this user and password \(401 Unauthorized\)"),
        (403, "u:secret@", r"refuses access to this address \(403 Forbidden\)"),
        (404, "u:secret@", r"has nothing at this address \(404 Not Found\)"),
        (503, "", "answers 503 Service Unavailable"),
        (302, "", r"redirects to an address that cannot be followed \(302 Found\)"),
        (999, "", "answers 999"),
    ],
)
def test_an_answer_that_is_a_refusal_is_named(tmp_path, status, user, sentence):
    class Refusal(Quiet):
        def do_GET(self):
            with suppress(OSError):
                self.send_response(status)
                self.send_header("Location", "file:///secret")
                self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                self.send_header("Content-Length", "0")
                self.end_headers()

    with served(tmp_path, Refusal) as address:
        url = address.replace("http://", f"http://{user}") + "/video?token=secret"
        with pytest.raises(Unavailable, match=sentence) as caught:
            list(open_it(url).frames())
    assert "secret" not in str(caught.value)


def test_a_password_is_sent_to_an_address_that_requires_it(tmp_path):
    asked = []

    class Guarded(Quiet):
        def do_GET(self):
            asked.append(self.headers["Authorization"])
            good = (asked[-1] or "").startswith("Basic ")
            self.send_response(200 if good else 401)
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(PAGE)

    with served(tmp_path, Guarded) as address, pytest.raises(Unavailable, match="web page"):
        list(open_it(address.replace("http://", "http://u:p%40ss@")).frames())
    assert asked[-1] == "Basic dTpwQHNz"
