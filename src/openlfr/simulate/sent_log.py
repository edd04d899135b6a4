"""Reads the log of `openlfr simulate cameras --log`, with the sending time of each frame."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class SentFrame(NamedTuple):
    """A frame that a simulated camera sent.

    Attributes:
        at: Time of sending, seconds since 1970.
        loop: Number of the film's playback, from 0.
        frame: Number of the frame in the film.
    """

    at: float
    loop: int
    frame: int


class SentLog:
    """The frames that the cameras of one log have sent."""

    def __init__(self, path: Path) -> None:
        """Read the log; an incomplete last line is ignored."""
        self._sent: dict[str, list[SentFrame]] = defaultdict(list)
        whole, _, _ = path.read_text(encoding="utf-8").rpartition("\n")
        for line in whole.splitlines():
            entry = json.loads(line)
            at = datetime.fromisoformat(entry["sent_at"]).timestamp()
            self._sent[entry["camera"]].append(SentFrame(at, entry["loop"], entry["frame"]))

    def frames(self, camera: str) -> list[SentFrame]:
        """Return all frames of a camera, in the order of sending."""
        return self._sent.get(camera, [])

    def list_sending_times(self, camera: str, number: int) -> list[float]:
        """Return all times at which a camera sent the film's frame `number`."""
        return [each.at for each in self.frames(camera) if each.frame == number]

    def find_last_sending(self, camera: str, number: int, at: float) -> float | None:
        """Return the last time up to `at` at which a camera sent the film's frame `number`."""
        times = self.list_sending_times(camera, number)
        return max((sent for sent in times if sent <= at), default=None)
