"""Real RTSP cameras for tests: a film of numbered frames, served by GStreamer."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from ruamel.yaml import YAML

from openlfr.simulate import frame_number

if TYPE_CHECKING:
    from pathlib import Path

WIDTH, HEIGHT = 320, 64


def make_film(path: Path, *, frames: int = 40, fps: int = 20, key_each: int = 10) -> Path:
    """Write a small H.264 film in which every picture encodes its number."""
    with av.open(str(path), "w") as output:
        options = {"g": str(key_each), "bf": "0", "preset": "ultrafast", "sc_threshold": "0"}
        stream = output.add_stream("libx264", rate=fps, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(frames):
            image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
            frame_number.burn_number(image, number)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        output.mux(stream.encode())
    return path


class FilmCameras:
    """`openlfr simulate cameras` as a process."""

    def __init__(self, folder: Path, *videos: object, port: int = 0) -> None:
        self.log = folder / "sent.jsonl"
        words = ["simulate", "cameras", *map(str, videos), "--port", str(port)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "openlfr", *words, "--log", str(self.log)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        text = ""
        while text.count("\n") <= len(videos):
            line = self.process.stdout.readline()
            assert line, self.process.stderr.read()
            text += line
        cameras = YAML(typ="safe").load(text)["cameras"]
        self.urls: dict[str, str] = {name: entry["url"] for name, entry in cameras.items()}
        self.port = int(next(iter(self.urls.values())).split(":")[2].split("/")[0])

    def sent(self) -> list[dict[str, Any]]:
        """Return the log's records of sent frames."""
        whole, _, _ = self.log.read_text(encoding="utf-8").rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> FilmCameras:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.process.stdout.close()
        self.process.stderr.close()
