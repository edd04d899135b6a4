"""A small street, filmed once a session, and places to run on it."""

from __future__ import annotations

import json
import shutil
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from small_street import EXPIRES, FILMED, Place, Street

from openlfr.cli import main
from openlfr.demo.faces import write_packaged_faces
from openlfr.simulate import StreetOptions, make_street

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SEED = 7
"""Six people, two of them listed. Each of these walks behind somebody for a while, so that a second
sighting joins; they score 0.66 and more, strangers less than 0.25."""

COLUMNS = "subject,image,category,legal_basis,source,captured_on,enrolled_by,authorised_by,expires"


@pytest.fixture(scope="session")
def street(tmp_path_factory, yunet) -> Street:
    """Six seconds of a street, 960x540 at 10 fps, from photos in installed packages."""
    root = tmp_path_factory.mktemp("street")
    write_packaged_faces(root / "faces", yunet, only_astronaut=False)
    options = StreetOptions(
        seed=SEED, seconds=6, width=960, height=540, people=6, watchlist=2, enrol=1,
        watch_share=0.5, min_px=44, max_px=110,
    )  # fmt: skip
    made = make_street(root / "faces", root, options, detector=lambda: yunet, now=FILMED)
    tracks = json.loads((root / "tracks.json").read_text())["tracks"]
    assert made.cameras[0].problems == ()
    assert made.cameras[0].findable_passes == 2
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
    """The same street with 1.2 s of darkness in its middle, which ends every track."""
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
    for process in place.servers():  # only after a failed test
        process.kill()


@pytest.fixture
def place(bare_place, enrolled) -> Place:
    """A place in which the street's listed people are enrolled."""
    shutil.copytree(enrolled, bare_place.data)
    return bare_place


@pytest.fixture
def command_in_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str, str], Callable[..., tuple[int, str, str]]]:
    """Return a function that writes a CONFIG.yaml and returns a runner of one command.

    The runner takes the words after the command, and returns exit code, output and errors.
    """

    def prepare(config: str, command: str) -> Callable[..., tuple[int, str, str]]:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "CONFIG.yaml").write_text(config)

        def run(*words: str) -> tuple[int, str, str]:
            capsys.readouterr()
            code = main([command, *words])
            output = capsys.readouterr()
            return code, output.out, output.err

        return run

    return prepare
