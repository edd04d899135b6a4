"""Makes the city's films with known truth, and its configuration for real servers."""

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

    from openlfr.simulate import SimulatedStreet

    Progress = Callable[[StreetOptions], AbstractContextManager[Callable[[str, int], None]]]

CAMERAS = ("north", "east", "south", "west")
FPS = 4
"""Frames per second. This rate and `SIZE` are low, since two cores run the cameras, the services
and four servers."""
SIZE = (960, 540)
_SEED = 7
_LISTED = 3
_SECONDS_PER_JOURNEY = 2.5
_INPUT = 640  # the detector's input size; a face of 52 pixels has 35 there
_URL = re.compile(r'^  (\S+): \{url: "(\S+)"\}', re.MULTILINE)

_CONFIG = """\
# The city of `scripts/demo --city`: a simulated street without real people. Its servers and cameras
# end with the demonstration.

data_dir: data

deployment:
  name: {name}
  purpose: To see the city-wide mode work on made-up passes with known truth
  place: Nowhere; the streets are drawn
  legal_basis: Not needed; no real people are filmed
  authorised_by: The user who runs this demonstration
  starts: {starts}
  ends: {ends}

cameras:
{cameras}
# Every frame is analysed, however late. So a pass during a worker's outage is analysed afterwards.
max_age: off

# One process of ingest can film all cameras if the other process ends.
ingest: {{max_cameras: 100}}

services:
{services}
topics:
  replication: 1
  # Maximum time for which a frame waits for a dead worker. The topic is erased with the servers.
  frames_retention: 1h
  frames_transit: 2h
"""
DEPLOYMENT = "Simulated city"


@dataclass(frozen=True, slots=True)
class City:
    """The films and files of the demonstration.

    Attributes:
        folder: Folder of the demonstration.
        films: Folder with video.mp4 and its truth, by camera.
        seconds: Duration of each film.
        street: Result of the simulation.
    """

    folder: Path
    films: Mapping[str, Path]
    seconds: int
    street: SimulatedStreet

    @property
    def config(self) -> Path:
        """Path of CONFIG.yaml, which `configure` writes."""
        return self.folder / "CONFIG.yaml"

    @property
    def sent(self) -> Path:
        """Path of the cameras' log of sent frames."""
        return self.folder / "sent.jsonl"

    @property
    def frames(self) -> int:
        """Number of frames of each film."""
        return self.seconds * FPS

    def configure(self, cameras_output: str, servers: Mapping[str, str]) -> None:
        """Write CONFIG.yaml.

        Args:
            cameras_output: Output of `openlfr simulate cameras`, with the cameras' addresses.
            servers: Addresses of kafka, redis, milvus and sql.
        """
        now = datetime.now(UTC)
        cameras = "".join(
            f"  {name}: {{url: {json.dumps(url)}, input_size: {_INPUT}}}\n"
            for name, url in parse_addresses(cameras_output).items()
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


def parse_addresses(cameras_output: str) -> dict[str, str]:
    """Parse each camera's address from the output of `openlfr simulate cameras`."""
    return dict(_URL.findall(cameras_output))


def make_city(folder: Path, *, seconds: int, progress: Progress) -> City:
    """Film four streets through which the same few people walk, and return the films' folders.

    Args:
        folder: Existing empty folder.
        seconds: Duration of each film.
        progress: Context manager that shows the progress of the simulation.
    """
    detector = cache(bootstrap.load_detector)
    write_packaged_faces(folder / "faces", detector(), only_astronaut=False)
    width, height = SIZE
    options = StreetOptions(
        seed=_SEED, seconds=seconds, fps=FPS, width=width, height=height, cameras=CAMERAS,
        people=max(8, round(seconds / _SECONDS_PER_JOURNEY)), watchlist=_LISTED, enrol=1,
        min_px=44, max_px=110, eligible_px=52, crf=25, watch_share=0.4, onward=0.8,
    )  # fmt: skip
    with progress(options) as show:
        street = make_street(folder / "faces", folder, options, detector=detector, progress=show)
    films = {camera.camera: camera.folder for camera in street.cameras}
    return City(folder, films, seconds, street)
