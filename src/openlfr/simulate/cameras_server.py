"""Serves prepared films as RTSP cameras; a program for the system's Python, which has GStreamer.

The program imports nothing from OpenLFR, so that it needs only Debian's `python3-gi`. It reads a
folder with plan.json and the films' H.264, written by `cameras.py`, and then removes the folder. It
does not parse H.264: each frame is one access unit with its times and number.

A camera's film begins when the first client connects. The film is repeated at its own pace until
the last client disconnects. After the program was stopped (SIGSTOP), the film continues with the
frame that was due at the stop, like a camera that hung.
"""

from __future__ import annotations

import itertools
import json
import shutil
import signal
import sys
import threading
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import gi  # type: ignore[import-not-found]  # only the system's Python has it

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # type: ignore[import-not-found] # noqa: E402

LAUNCH = (
    "( appsrc name=frames is-live=true format=time max-bytes=0 caps={caps}"
    " ! rtph264pay name=pay0 pt=96 config-interval=-1 )"
)
_STOPPED_S = 1.0  # if a frame is later than this, the server had been stopped
_UNAVAILABLE, _INTERRUPTED = 3, 130


class Log:
    """Writes a JSON line for each sent frame."""

    def __init__(self, path: str | None) -> None:
        self._file = Path(path).open("a", encoding="utf-8") if path else None  # noqa: SIM115 - as long as the process
        self._lock = threading.Lock()

    def record(self, camera: str, loop: int, frame: int, at: float) -> None:
        """Record a sent frame; `at` is the sending time by `time.time()`."""
        if self._file is not None:
            moment = datetime.fromtimestamp(at, timezone.utc)  # noqa: UP017 - Python 3.9 and 3.10
            entry = {"camera": camera, "loop": loop, "frame": frame}
            entry["sent_at"] = moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
            with self._lock:
                self._file.write(json.dumps(entry) + "\n")
                self._file.flush()


class Camera:
    """Serves one film at one address."""

    def __init__(self, name: str, film: dict[str, Any], content: bytes, log: Log) -> None:
        self.name = name
        self._film = film
        self._content = content
        self._log = log
        self._loops = itertools.count()

    def make_factory(self) -> Any:
        """Make the factory that the server calls for the first client."""
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(LAUNCH.format(caps=self._film["caps"]))
        factory.set_shared(True)
        factory.connect("media-configure", self._configure)
        return factory

    def _configure(self, _factory: Any, media: Any) -> None:
        """Play from the beginning of the film until the last client disconnects."""
        source = media.get_element().get_by_name("frames")
        ended = threading.Event()
        player = threading.Thread(target=self._play, args=(source, ended), daemon=True)
        handler = source.connect("need-data", lambda *_: begin())

        def begin() -> None:
            source.disconnect(handler)
            player.start()

        media.connect("unprepared", lambda *_: ended.set())

    def _play(self, source: Any, ended: threading.Event) -> None:
        running = source.get_current_running_time()  # nanoseconds since the client connected
        started_at = time.monotonic()
        stopped_s = 0.0
        for played, loop in enumerate(self._loops):
            for offset, size, sending_s, presentation_s, number in self._film["frames"]:
                loop_begin_s = played * self._film["seconds"] + stopped_s
                wait_s = started_at + loop_begin_s + sending_s - time.monotonic()
                if wait_s < -_STOPPED_S:
                    stopped_s -= wait_s
                    loop_begin_s -= wait_s
                elif ended.wait(max(wait_s, 0.0)):
                    return
                buffer = Gst.Buffer.new_wrapped(self._content[offset : offset + size])
                buffer.pts = running + round((loop_begin_s + presentation_s) * Gst.SECOND)
                buffer.dts = running + round((loop_begin_s + sending_s) * Gst.SECOND)
                at = time.time()
                if source.emit("push-buffer", buffer) != Gst.FlowReturn.OK:
                    return
                self._log.record(self.name, loop, number, at)


def main(folder: Path) -> int:
    """Serve the films of the folder until a signal ends the program; return the exit code."""
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    films = [(film, (folder / film["content"]).read_bytes()) for film in plan["films"]]
    shutil.rmtree(folder)
    log = Log(plan["log"])
    server = GstRtspServer.RTSPServer()
    server.set_address(plan["host"])
    server.set_service(str(plan["port"]))
    mounts = server.get_mount_points()
    for camera in plan["cameras"]:
        film, content = films[camera["film"]]
        factory = Camera(camera["name"], film, content, log).make_factory()
        mounts.add_factory("/" + camera["name"], factory)
    if not server.attach(None):
        where = f"{plan['host']}:{plan['port']}"
        sys.stderr.write(f"error: cannot listen on {where}; another program may be using it\n")
        return _UNAVAILABLE
    lines = ["cameras:"]
    for camera in plan["cameras"]:
        film, _ = films[camera["film"]]
        url = f"rtsp://{plan['host']}:{server.get_bound_port()}/{camera['name']}"
        lines.append(f'  {camera["name"]}: {{url: "{url}"}}  # {film["description"]}')
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
    GLib.timeout_add_seconds(2, lambda: server.get_session_pool().cleanup() >= 0)
    loop, codes = GLib.MainLoop(), []

    def end(code: int) -> None:
        codes.append(code)
        loop.quit()

    GLib.unix_signal_add(GLib.PRIORITY_HIGH, signal.SIGINT, end, _INTERRUPTED)
    GLib.unix_signal_add(GLib.PRIORITY_HIGH, signal.SIGTERM, end, 0)
    loop.run()
    return codes[0]


def has_elements() -> bool:
    """Return whether GStreamer has all needed elements."""
    return all(Gst.ElementFactory.find(name) for name in ("appsrc", "rtph264pay", "rtpbin"))


if __name__ == "__main__":
    Gst.init(None)
    sys.exit(not has_elements() if sys.argv[1] == "--check" else main(Path(sys.argv[1])))
