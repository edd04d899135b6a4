"""The filmed street, and the expected alerts, from one process over the same pictures.

A small street of people out of installed packages' sample pictures. As H.264 it is what the RTSP
cameras play; as JPEG files, each camera at a time of its own, it is what must give the very same
alerts on the cluster as in one process, whoever is killed meanwhile.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from kube import Failed

if TYPE_CHECKING:
    from pathlib import Path

SEED, PAUSE = 7, 12
"""That of the tests/e2e street: six people, two of them listed, who pass in 6 s; then darkness, in
which every track ends."""
FILMED = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
APART = timedelta(minutes=30)  # more than the window in which sightings of somebody make one alert
COLUMNS = "subject,image,category,legal_basis,source,captured_on,enrolled_by,authorised_by,expires"
KEYS = ("event", "event_id", "alert_id", "subject", "camera", "frame_index", "captured_at")
CONFIG = """\
data_dir: {data}
deployment:
  name: Market
  purpose: To find two people
  place: The market square
  legal_basis: Order 1
  authorised_by: Inspector Otto
  starts: 2020-01-01T00:00Z
  ends: 2199-01-01T00:00Z
cameras:
{cameras}
max_age: off
"""


@dataclass(frozen=True)
class Street:
    """The street's files.

    Attributes:
        folder: The folder of all files.
        listed: The enrolled people.
        photos: A reference photo of each person.
        recorded: Cameras of JPEG files.
    """

    folder: Path
    listed: tuple[str, ...]
    photos: dict[str, bytes]
    recorded: tuple[str, ...]

    @property
    def video(self) -> Path:
        return self.folder / "video.mp4"

    @property
    def vault_key(self) -> str:
        """Return the content of vault.key, the key of all sightings' ids."""
        file = self.folder / "vault.key"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(f"openlfr-vault-key-1 {base64.b64encode(os.urandom(32)).decode()}\n")
        return file.read_text()

    @property
    def frames(self) -> int:
        """Of each recorded camera."""
        return len(list((self.folder / "jpeg").glob("*.jpg")))

    def manifest(self) -> dict[str, bytes]:
        """Return the files of an enrolment: manifest.csv and its pictures."""
        rows = [
            f"{name},{name}.jpg,wanted,Order 1,passport,2025-01-31,Eve Enroller,Otto Officer,"
            f"{datetime.now(UTC).year + 1}-11-01T00:00:02Z"
            for name in self.listed
        ]
        files = {f"{name}.jpg": photo for name, photo in self.photos.items()}
        return {"manifest.csv": "\n".join([COLUMNS, *rows, ""]).encode()} | files

    def config(self, data: str, jpegs: str, live: dict[str, str], fps: float = 10) -> str:
        """Return CONFIG.yaml with all cameras.

        Args:
            data: The data folder.
            jpegs: The folder of JPEG files, for recorded cameras.
            live: Addresses of live cameras.
            fps: Analysed frames per second of each camera.
        """
        lines = [
            f"  {name}: {{url: '{url}', fps: {fps:g}, input_size: 640}}"
            for name, url in live.items()
        ]
        lines += [
            f"  {name}: {{url: '{jpegs}', start: {FILMED + number * APART:%Y-%m-%dT%H:%M:%SZ},"
            " fps: 10, input_size: 640}"
            for number, name in enumerate(self.recorded if jpegs else ())
        ]
        return CONFIG.format(data=data, cameras="\n".join(lines))

    def truth(self) -> list[tuple[Any, ...]]:
        """Return the alerts of one process for the recorded cameras, stored at first."""
        config = self.config("DATA", "JPEG", {})
        made_of = hashlib.sha256(f"{config}{self.vault_key}".encode()).hexdigest()
        kept = self.folder / f"truth-{made_of[:8]}.jsonl"
        if not kept.exists():
            place = self.folder / "one-process"
            shutil.rmtree(place, ignore_errors=True)
            (place / "data").mkdir(parents=True, mode=0o700)
            (place / "data/vault.key").touch(mode=0o600)
            (place / "data/vault.key").write_text(self.vault_key)
            (place / "CONFIG.yaml").write_text(
                self.config(str(place / "data"), str(self.folder / "jpeg"), {})
            )
            for name, content in self.manifest().items():
                (place / name).write_bytes(content)
            named = ["--config", "CONFIG.yaml"]
            for words in (
                ["watchlist", "import", "manifest.csv", *named],
                ["run", "CONFIG.yaml", "--quiet", "--as-fast-as-possible", "--alerts",
                 "alerts.jsonl"],
            ):  # fmt: skip
                done = subprocess.run([sys.executable, "-m", "openlfr", *words], cwd=place,
                                      capture_output=True, text=True, check=False)  # fmt: skip
                if done.returncode:
                    raise Failed(f"openlfr {words[0]}: {done.stdout}{done.stderr}")
            (place / "alerts.jsonl").rename(kept)
        return seen([json.loads(line) for line in kept.read_text().splitlines()])


def seen(lines: list[dict[str, Any]], *cameras: str) -> list[tuple[Any, ...]]:
    """Return the parts of alert lines that must not depend on the place of analysis."""
    return sorted(
        tuple(line[key] for key in KEYS)
        for line in lines
        if not cameras or line["camera"] in cameras
    )


def make(folder: Path, recorded: tuple[str, ...]) -> Street:
    """Film the street, unless the folder contains it."""
    import av
    import numpy as np

    from openlfr.adapters.capture.jpeg import encode_jpeg
    from openlfr.bootstrap import load_detector
    from openlfr.demo.faces import write_packaged_faces
    from openlfr.simulate import StreetOptions, make_street

    done = folder / "enrol.json"
    if not (folder / "jpeg").exists():
        folder.mkdir(parents=True, exist_ok=True)
        detector = load_detector()
        write_packaged_faces(folder / "faces", detector, only_astronaut=False)
        options = StreetOptions(
            seed=SEED, seconds=6, width=960, height=540, people=6, watchlist=2, enrol=1,
            watch_share=0.5, min_px=44, max_px=110,
        )  # fmt: skip
        make_street(folder / "faces", folder, options, detector=lambda: detector, now=FILMED)
        unfinished = folder / "jpeg-unfinished"
        unfinished.mkdir(exist_ok=True)
        with av.open(str(folder / "video.mp4")) as video:
            frames = [
                encode_jpeg(frame.to_ndarray(format="bgr24")) for frame in video.decode(video=0)
            ]
        frames += [encode_jpeg(np.zeros((540, 960, 3), np.uint8))] * PAUSE
        for number, content in enumerate(frames):
            (unfinished / f"{number:04d}.jpg").write_bytes(content)
        unfinished.rename(folder / "jpeg")
    enrolled = json.loads(done.read_text())
    photos = {name: (folder / each[0]).read_bytes() for name, each in enrolled.items()}
    return Street(folder, tuple(sorted(enrolled)), photos, recorded)


def plan(video: Path, cameras: tuple[str, ...], port: int) -> dict[str, bytes]:
    """Return the files from which `simulate/cameras_server.py` serves cameras."""
    from openlfr.simulate.cameras import read_film

    film = read_film(video)
    facts = {
        "frames": film.frames,
        "seconds": film.seconds,
        "caps": film.caps,
        "description": film.description,
    }
    what = {
        "host": "0.0.0.0", "port": port, "log": "/films/sent.jsonl",
        "films": [{"content": "0.h264", **facts}],
        "cameras": [{"name": name, "film": 0} for name in cameras],
    }  # fmt: skip
    return {"plan.json": json.dumps(what).encode(), "0.h264": film.content}
