"""Serves prepared films as RTSP cameras: a program for the system's Python, where GStreamer is.

It imports nothing of OpenLFR, so that Debian's `python3-gi` is enough to run it. `cameras.py`
writes what it reads: a folder with plan.json and the films' H.264, which is taken in and removed
at once. It knows no film by itself: each frame is one access unit with its time and number.

A camera's film begins when somebody connects and plays at its own pace, again and again, for
whoever is connected, until the last one leaves. Stopped for a while (SIGSTOP), it goes on where it
was, as a camera does that hung.
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

import gi  # type: ignore[import-not-found]  # of the system's Python alone

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # type: ignore[import-not-found] # noqa: E402

LAUNCH = (
    "( appsrc name=frames is-live=true format=time max-bytes=0 caps={caps}"
    " ! rtph264pay name=pay0 pt=96 config-interval=-1 )"
)
_STOPPED_S = 1.0  # so late is no frame of a server that runs
_UNAVAILABLE, _INTERRUPTED = 3, 130


class Log:
    """When each frame was sent: a JSON line each."""

    def __init__(self, path: str | None) -> None:
        self._file = Path(path).open("a", encoding="utf-8") if path else None  # noqa: SIM115 - as long as the process
        self._lock = threading.Lock()

    def sent(self, camera: str, loop: int, frame: int, at: float) -> None:
        """Note a frame that was handed to the network at `time.time()` `at`."""
        if self._file is not None:
            moment = datetime.fromtimestamp(at, timezone.utc)  # noqa: UP017 - Python 3.9 and 3.10
            words = {"camera": camera, "loop": loop, "frame": frame}
            words["sent_at"] = moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
            with self._lock:
                self._file.write(json.dumps(words) + "\n")
                self._file.flush()


class Camera:
    """One film at one address."""

    def __init__(self, name: str, film: dict[str, Any], content: bytes, log: Log) -> None:
        self.name = name
        self._film = film
        self._content = content
        self._log = log
        self._rounds = itertools.count()

    def factory(self) -> Any:
        """What the server asks when somebody connects."""
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(LAUNCH.format(caps=self._film["caps"]))
        factory.set_shared(True)
        factory.connect("media-configure", self._configure)
        return factory

    def _configure(self, _factory: Any, media: Any) -> None:
        """The first one connects: play from the beginning until the last one leaves."""
        source = media.get_element().get_by_name("frames")
        over = threading.Event()
        player = threading.Thread(target=self._play, args=(source, over), daemon=True)
        asked = source.connect("need-data", lambda *_: begin())

        def begin() -> None:
            source.disconnect(asked)
            player.start()

        media.connect("unprepared", lambda *_: over.set())

    def _play(self, source: Any, over: threading.Event) -> None:
        running = source.get_current_running_time()  # nanoseconds since the connection was made
        begun = time.monotonic()
        stopped = 0.0
        for turn, round_ in enumerate(self._rounds):
            for offset, size, decoded, shown, number in self._film["frames"]:
                since = turn * self._film["seconds"] + stopped
                wait = begun + since + decoded - time.monotonic()
                if wait < -_STOPPED_S:
                    stopped -= wait
                    since -= wait
                elif over.wait(max(wait, 0.0)):
                    return
                buffer = Gst.Buffer.new_wrapped(self._content[offset : offset + size])
                buffer.pts = running + round((since + shown) * Gst.SECOND)
                buffer.dts = running + round((since + decoded) * Gst.SECOND)
                at = time.time()
                if source.emit("push-buffer", buffer) != Gst.FlowReturn.OK:
                    return
                self._log.sent(self.name, round_, number, at)


def main(folder: Path) -> int:
    """Serve what the folder holds, until it is ended."""
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
        factory = Camera(camera["name"], film, content, log).factory()
        mounts.add_factory("/" + camera["name"], factory)
    if not server.attach(None):
        where = f"{plan['host']}:{plan['port']}"
        sys.stderr.write(f"error: cameras cannot be served at {where}: is it in use?\n")
        return _UNAVAILABLE
    lines = ["cameras:"]
    for camera in plan["cameras"]:
        film, _ = films[camera["film"]]
        url = f"rtsp://{plan['host']}:{server.get_bound_port()}/{camera['name']}"
        lines.append(f'  {camera["name"]}: {{url: "{url}"}}  # {film["said"]}')
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


def is_whole() -> bool:
    """Whether GStreamer has all that it needs here."""
    return all(Gst.ElementFactory.find(name) for name in ("appsrc", "rtph264pay", "rtpbin"))


if __name__ == "__main__":
    Gst.init(None)
    sys.exit(not is_whole() if sys.argv[1] == "--check" else main(Path(sys.argv[1])))
