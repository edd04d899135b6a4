"""When each frame left each simulated camera: what `openlfr simulate cameras --log` wrote."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class Sent(NamedTuple):
    """A frame that was handed to the network.

    Attributes:
        at: Seconds since 1970.
        loop: Round of the film, from 0.
        frame: Its number in the film.
    """

    at: float
    loop: int
    frame: int


class SentLog:
    """What all cameras of one log have sent."""

    def __init__(self, path: Path) -> None:
        """Read it; a last line that is not whole yet is left."""
        self._sent: dict[str, list[Sent]] = defaultdict(list)
        whole, _, _ = path.read_text(encoding="utf-8").rpartition("\n")
        for line in whole.splitlines():
            entry = json.loads(line)
            at = datetime.fromisoformat(entry["sent_at"]).timestamp()
            self._sent[entry["camera"]].append(Sent(at, entry["loop"], entry["frame"]))

    def of(self, camera: str) -> list[Sent]:
        """All frames of a camera, in the order in which they were sent."""
        return self._sent.get(camera, [])

    def rounds(self, camera: str, number: int) -> list[float]:
        """Each time at which a camera sent the frame of this number."""
        return [each.at for each in self.of(camera) if each.frame == number]

    def before(self, camera: str, number: int, at: float) -> float | None:
        """The last time before `at` at which a camera sent the frame of this number."""
        return max((sent for sent in self.rounds(camera, number) if sent <= at), default=None)
