"""Writes the manifest and the configuration of a simulated street for `openlfr`."""

from __future__ import annotations

import csv
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from openlfr.simulate.options import StreetOptions

_COLUMNS = (
    "subject", "image", "category", "legal_basis", "source", "captured_on", "enrolled_by",
    "authorised_by", "expires",
)  # fmt: skip

_CONFIG = """\
# A simulated street without real people. Made by `openlfr simulate street --seed {seed}`.
#
#     openlfr watchlist import manifest.csv
#     openlfr run CONFIG.yaml --as-fast-as-possible --report report

data_dir: data

deployment:
  name: Simulated street
  purpose: To see the whole pipeline work on made-up passes with known truth
  place: Nowhere; the street is drawn
  legal_basis: Not needed; no real people are filmed
  authorised_by: The user who runs this simulation
  starts: {starts}
  ends: {ends}

cameras:
{cameras}
# Every frame is analysed, however late, so that the figures can be compared.
max_age: off
"""

_CAMERA = """\
  {name}:
    url: {url}
    start: {start}
    input_size: [{input_width}, {input_height}]
"""

_MIN_PX_AT_640 = 64  # narrower faces need a detector input larger than 640


def write_manifest(
    folder: Path, references: Mapping[str, tuple[Path, ...]], *, now: datetime
) -> Path:
    """Write manifest.csv for `openlfr watchlist import`; its entries expire after 30 days."""
    path = folder / "manifest.csv"
    expires = (now + timedelta(days=30)).isoformat(timespec="seconds")
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for subject, photos in references.items():
            for photo in photos:
                writer.writerow((
                    subject, _relative_path(folder, photo), "control",
                    "Simulation: no real person is searched", "simulation",
                    (now - timedelta(days=1)).date().isoformat(),
                    "simulation: enroller", "simulation: authoriser", expires,
                ))  # fmt: skip
    return path


def write_configuration(
    folder: Path, options: StreetOptions, videos: Mapping[str, Path], *, now: datetime
) -> Path:
    """Write CONFIG.yaml for `openlfr run`; the films start at `now` (UTC), without its seconds."""
    begin = now.replace(second=0, microsecond=0)
    longer = 1280 if options.eligible_px < _MIN_PX_AT_640 and options.width > 640 else 640
    cameras = [
        _CAMERA.format(
            name=name,
            url=video.relative_to(folder).as_posix(),
            start=_utc(begin),
            input_width=longer,
            input_height=736 if longer == 1280 else 640,
        )
        for name, video in videos.items()
    ]
    text = _CONFIG.format(
        seed=options.seed,
        starts=_utc(begin - timedelta(hours=1)),
        ends=_utc(begin + timedelta(seconds=options.seconds) + timedelta(hours=1)),
        cameras="\n".join(cameras),
    )
    path = folder / "CONFIG.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def _utc(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _relative_path(folder: Path, photo: Path) -> str:
    """Return the photo's path relative to the folder; absolute if the photo is outside."""
    folder, photo = folder.resolve(), photo.resolve()
    return photo.relative_to(folder).as_posix() if photo.is_relative_to(folder) else str(photo)
