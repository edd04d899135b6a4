"""A small street with known truth, and the places in which tests analyse it."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Sequence

FILMED = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
EXPIRES = f"{datetime.now(UTC).year + 1}-11-01T00:00:02Z"

CONFIG = """\
data_dir: data
deployment:
  id: Market
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
    """Return a camera's setting, with a small detector input to save time in every test."""
    at = f"start: {start:%Y-%m-%dT%H:%M:%SZ}, " if start else ""
    return f"{{url: '{url}', {at}input_size: 640{extra}}}"


@dataclass(frozen=True)
class Street:
    """A filmed street and its truth."""

    video: Path
    manifest: Path
    passes: Sequence[dict[str, Any]]
    faces: Sequence[Sequence[dict[str, Any]]]  # by frame

    @property
    def listed(self) -> set[str]:
        return {walk["id"] for walk in self.passes if walk["watch"]}

    def person_at(self, line: dict[str, Any]) -> str | None:
        """Return the person whose face is at an alert line's position; None if there is none."""
        x, y, w, h = line["box"]
        here = [
            face
            for face in self.faces[line["frame_index"]]
            if abs(face["box"][0] + face["box"][2] / 2 - x - w / 2) < face["px"] / 3
            and abs(face["box"][1] + face["box"][3] / 2 - y - h / 2) < face["px"] / 2
        ]
        return max(here, key=lambda face: (face["vis"], face["px"]))["id"] if here else None


class Place:
    """An operator's folder with a configuration and a data folder."""

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
        """Write CONFIG.yaml with these cameras, by default the street."""
        cameras = cameras or {"gate": camera(self.video)}
        text = CONFIG.format(
            cameras="\n".join(f"  {name}: {setting}" for name, setting in cameras.items()),
            models=self.models,
            starts=starts,
            ends=ends,
        )
        self.config.write_text(text + extra, encoding="utf-8")

    def lines(self, *, at_work: bool = False) -> list[dict[str, Any]]:
        """Return the alert lines; of a run that is `at_work` the complete ones."""
        text = (self.folder / "alerts.jsonl").read_text(encoding="utf-8")
        whole = [line for line in text.splitlines(keepends=True) if line.endswith("\n")]
        assert at_work or "".join(whole) == text
        return [json.loads(line) for line in whole]

    def servers(self) -> list[psutil.Process]:
        """Return every redis-server that still runs in this place."""
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
