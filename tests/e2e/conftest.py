"""A small street with known truth, filmed once a session, and places to run on it."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import psutil
import pytest

from openlfr.cli import main
from openlfr.demo.faces import write_packaged_faces
from openlfr.simulate import StreetOptions, make_street

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FILMED = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SEED = 7
"""Six people, two of them listed. Each of these walks behind somebody for a while, so that a second
sighting joins; they score 0.66 and more, strangers less than 0.25."""

COLUMNS = "subject,image,category,legal_basis,source,captured_on,enrolled_by,authorised_by,expires"
EXPIRES = "2099-06-01T00:00:02Z"

CONFIG = """\
data_dir: data
deployment:
  name: Market
  purpose: To find two people
  place: The market square
  legal_basis: Order 1
  authorised_by: Inspector Otto
  starts: {starts}
  ends: {ends}
cameras:
{cameras}
models:
  folder: {models}
max_age: off
"""


def camera(url: object, *, start: datetime | None = FILMED, extra: str = "") -> str:
    """A camera's setting; small detector input, since every test pays for it."""
    at = f"start: {start:%Y-%m-%dT%H:%M:%SZ}, " if start else ""
    return f"{{url: '{url}', {at}input_size: 640{extra}}}"


@dataclass(frozen=True)
class Street:
    """A filmed street and what is true of it."""

    video: Path
    manifest: Path
    passes: Sequence[dict[str, Any]]
    faces: Sequence[Sequence[dict[str, Any]]]  # by frame

    @property
    def listed(self) -> set[str]:
        return {walk["id"] for walk in self.passes if walk["watch"]}

    def person_at(self, line: dict[str, Any]) -> str | None:
        """Whose face stands where an alert line says; None where nobody's does."""
        x, y, w, h = line["box"]
        here = [
            face
            for face in self.faces[line["frame_index"]]
            if abs(face["box"][0] + face["box"][2] / 2 - x - w / 2) < face["px"] / 3
            and abs(face["box"][1] + face["box"][3] / 2 - y - h / 2) < face["px"] / 2
        ]
        return max(here, key=lambda face: (face["vis"], face["px"]))["id"] if here else None


class Place:
    """A folder with a configuration and a data folder, as an operator has it."""

    def __init__(self, folder: Path, models: Path, video: Path) -> None:
        self.folder, self.models, self.video = folder, models, video
        self.config, self.data = folder / "CONFIG.yaml", folder / "data"
        self.configure()

    def configure(
        self,
        extra: str = "",
        *,
        starts: str = "2020-01-01T00:00Z",
        ends: str = "2199-01-01T00:00Z",
        **cameras: str,
    ) -> None:
        """Write CONFIG.yaml; each camera is what follows its name, the street by default."""
        cameras = cameras or {"gate": camera(self.video)}
        text = CONFIG.format(
            cameras="\n".join(f"  {name}: {setting}" for name, setting in cameras.items()),
            models=self.models,
            starts=starts,
            ends=ends,
        )
        self.config.write_text(text + extra, encoding="utf-8")

    def lines(self, name: str = "alerts.jsonl") -> list[dict[str, Any]]:
        text = (self.folder / name).read_text(encoding="utf-8")
        assert text.endswith("\n") or not text
        return [json.loads(line) for line in text.splitlines()]

    def servers(self) -> list[psutil.Process]:
        """Every redis-server that still works in this place."""
        found = []
        for process in psutil.process_iter(["name", "status"]):
            with suppress(psutil.Error):
                if (
                    process.info["name"].startswith("redis-server")
                    and process.info["status"] != psutil.STATUS_ZOMBIE
                    and Path(process.cwd()).is_relative_to(self.folder)
                ):
                    found.append(process)
        return found


@pytest.fixture(scope="session")
def street(tmp_path_factory, yunet) -> Street:
    """Six seconds of a street, 960x540 at 10 fps, from photos that installed packages carry."""
    root = tmp_path_factory.mktemp("street")
    write_packaged_faces(root / "faces", yunet, only_astronaut=False)
    options = StreetOptions(
        seed=SEED, seconds=6, width=960, height=540, people=6, watchlist=2, enrol=1,
        watch_share=0.5, min_px=44, max_px=110,
    )  # fmt: skip
    made = make_street(root / "faces", root, options, detector=lambda: yunet, now=FILMED)
    tracks = json.loads((root / "tracks.json").read_text())["tracks"]
    assert made.cameras[0].problems == ()
    assert made.cameras[0].fair_passes == 2
    rows = [
        f"{name},{photo},wanted,Order 1,passport,2025-01-31,Eve Enroller,Otto Officer,{EXPIRES}"
        for name, photos in json.loads((root / "enrol.json").read_text()).items()
        for photo in photos
    ]
    manifest = root / "listed.csv"
    manifest.write_text("\n".join([COLUMNS, *rows]) + "\n")
    frames = (root / "frames.jsonl").read_text().splitlines()
    return Street(
        video=root / "video.mp4",
        manifest=manifest,
        passes=tracks,
        faces=[json.loads(line)["faces"] for line in frames],
    )


@pytest.fixture(scope="session")
def street_with_a_pause(tmp_path_factory, street) -> Path:
    """The same street with 1.2 s of darkness in its middle: no track lives through it."""
    path = tmp_path_factory.mktemp("pause") / "video.mp4"
    with av.open(str(street.video)) as film:
        pictures = [frame.to_ndarray(format="bgr24") for frame in film.decode(video=0)]
    pictures[30:30] = [np.zeros_like(pictures[0])] * 12
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=Fraction(10), options={"crf": "16"})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        output.mux(stream.encode())
    return path


@pytest.fixture(scope="session")
def enrolled(tmp_path_factory, street, model_store) -> Path:
    """A data folder in which the street's listed people are enrolled."""
    place = Place(tmp_path_factory.mktemp("enrolled"), model_store.folder, street.video)
    assert main(["watchlist", "import", str(street.manifest), "--config", str(place.config)]) == 0
    return place.data


@pytest.fixture
def bare_place(tmp_path, street, model_store) -> Iterator[Place]:
    """A place whose watchlist is empty."""
    place = Place(tmp_path, model_store.folder, street.video)
    yield place
    for process in place.servers():  # only where a test failed
        process.kill()


@pytest.fixture
def place(bare_place, enrolled) -> Place:
    """A place in which the street's listed people are enrolled."""
    shutil.copytree(enrolled, bare_place.data)
    return bare_place
