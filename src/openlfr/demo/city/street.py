"""The city's films with their truth, and its configuration over real servers."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from openlfr import bootstrap
from openlfr.demo.faces import write_packaged_faces
from openlfr.simulate import StreetOptions, make_street

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from openlfr.simulate import StreetMade

    Progress = Callable[[StreetOptions], AbstractContextManager[Callable[[str, int], None]]]

CAMERAS = ("north", "east", "south", "west")
FPS = 4
"""Few and small frames: two cores film, analyse and serve, beside four servers."""
SIZE = (960, 540)
_SEED = 7
_LISTED = 3
_SECONDS_PER_JOURNEY = 2.5
_INPUT = 640  # of the detector: a face of 52 pixels is 35 there
_URL = re.compile(r'^  (\S+): \{url: "(\S+)"\}', re.MULTILINE)

_CONFIG = """\
# The city of `scripts/demo --city`: a simulated street, nobody real is watched. Its servers and
# cameras are gone when the demonstration has ended.

data_dir: data

deployment:
  name: {name}
  purpose: To see the city-wide mode work on made-up passes with known truth
  place: Nowhere; the streets are drawn
  legal_basis: None is needed; nobody real is filmed
  authorised_by: Whoever runs this demonstration
  starts: {starts}
  ends: {ends}

cameras:
{cameras}
# Every frame is looked at, however late: a pass that was before the camera while a worker was dead
# is looked at when it is back.
max_age: off

# The one process of ingest films all where the other is gone.
ingest: {{max_cameras: 100}}

services:
{services}
topics:
  replication: 1
  # So long a frame waits for a worker that died. These are erased with the servers.
  frames_retention: 1h
  frames_transit: 2h
"""
DEPLOYMENT = "Simulated city"


@dataclass(frozen=True, slots=True)
class City:
    """What stands in the demonstration's folder before anything runs.

    Attributes:
        films: By camera the folder with video.mp4 and its truth.
        seconds: Length of each film.
    """

    folder: Path
    films: Mapping[str, Path]
    seconds: int
    street: StreetMade

    @property
    def config(self) -> Path:
        """CONFIG.yaml; there once `configure` has written it."""
        return self.folder / "CONFIG.yaml"

    @property
    def sent(self) -> Path:
        """The cameras' log of each frame sent."""
        return self.folder / "sent.jsonl"

    @property
    def frames(self) -> int:
        """Of each film."""
        return self.seconds * FPS

    def configure(self, said: str, servers: Mapping[str, str]) -> None:
        """Write CONFIG.yaml.

        Args:
            said: What `openlfr simulate cameras` printed: the cameras' addresses.
            servers: Addresses of kafka, redis, milvus and sql.
        """
        now = datetime.now(UTC)
        cameras = "".join(
            f"  {name}: {{url: {json.dumps(url)}, input_size: {_INPUT}}}\n"
            for name, url in addresses(said).items()
        )
        self.config.write_text(
            _CONFIG.format(
                name=DEPLOYMENT,
                cameras=cameras,
                services="\n".join(f"  {name}: {json.dumps(url)}" for name, url in servers.items()),
                starts=(now - timedelta(minutes=5)).isoformat(timespec="seconds"),
                ends=(now + timedelta(hours=2)).isoformat(timespec="seconds"),
            ),
            encoding="utf-8",
        )


def addresses(said: str) -> dict[str, str]:
    """Each camera's address, from what `openlfr simulate cameras` printed."""
    return dict(_URL.findall(said))


def make_city(folder: Path, *, seconds: int, progress: Progress) -> City:
    """Film four streets through which the same few people walk.

    Args:
        folder: Is there and empty.
        seconds: Length of each film.
        progress: Shows how far the filming is.
    """
    detector = cache(bootstrap.load_detector)
    write_packaged_faces(folder / "faces", detector(), only_astronaut=False)
    width, height = SIZE
    options = StreetOptions(
        seed=_SEED, seconds=seconds, fps=FPS, width=width, height=height, cameras=CAMERAS,
        people=max(8, round(seconds / _SECONDS_PER_JOURNEY)), watchlist=_LISTED, enrol=1,
        min_px=44, max_px=110, eligible_px=52, crf=25, watch_share=0.4, onward=0.8,
    )  # fmt: skip
    with progress(options) as told:
        street = make_street(folder / "faces", folder, options, detector=detector, progress=told)
    films = {camera.camera: camera.folder for camera in street.cameras}
    return City(folder, films, seconds, street)
