"""How many cameras a process films at most, where nobody says it.

The figures are those of `benchmarks.cameras --cost`, and stand with it in docs/benchmarks.md.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from openlfr.adapters.capture import is_live
from openlfr.domain.errors import Misconfigured
from openlfr.domain.sharing import Cost

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openlfr.settings.cameras import Camera, Ingest

READ_MILLICORES = 128
"""Thousandths of a core for reading a camera of 1280 x 720 at 25 frames a second, H.264."""
SENT_MILLICORES = 8.2
"""The same for each frame a second that is sent."""
EVERY_FRAME = 25.0
"""Frames a second of a camera without `fps`."""
BUSY = 0.8
"""Share of the cores that cameras may take."""
_LIMIT = Path("/sys/fs/cgroup/cpu.max")


def cost_of(camera: Camera) -> Cost:
    """What filming it is likely to take; its picture's size is not known before it is opened.

    A file that plays once stays where it is, since it would begin anew elsewhere.
    """
    sent = SENT_MILLICORES * (camera.fps or EVERY_FRAME)
    return Cost(READ_MILLICORES + round(sent), movable=is_live(camera.url) or camera.loop)


def cores(environment: Mapping[str, str] | None = None, limit: Path = _LIMIT) -> float:
    """The cores that this process may count on.

    OPENLFR_MILLICORES says it (a Kubernetes pod without a limit sees all of its node's); else,
    and where that is 0, the cgroup's limit; else those of the machine that this process may run on.

    Raises:
        Misconfigured: OPENLFR_MILLICORES is no whole number.
    """
    said = (os.environ if environment is None else environment).get("OPENLFR_MILLICORES", "")
    if said and not re.fullmatch(r"[0-9]{1,7}", said):
        raise Misconfigured(
            f"OPENLFR_MILLICORES must be thousandths of a core such as 2000, not {said!r}."
        )
    if said and int(said):
        return int(said) / 1000
    try:
        quota, period = limit.read_text(encoding="ascii").split()[:2]
        allowed = float("inf") if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        allowed = float("inf")
    return min(
        allowed, float(len(os.sched_getaffinity(0)) if _HAS_AFFINITY else os.cpu_count() or 1)
    )


def room_of(ingest: Ingest, costs: Mapping[str, Cost]) -> int:
    """How many cameras this process films at most, of these.

    Raises:
        Misconfigured: OPENLFR_MILLICORES is no whole number.
    """
    return ingest.max_cameras or room_for(costs, available=cores())


def room_for(costs: Mapping[str, Cost], *, available: float) -> int:
    """How many cameras such as these a process with so many cores films at most; at least one."""
    mean = sum(each.millicores for each in costs.values()) / len(costs)
    return max(1, int(BUSY * available * 1000 / mean))


_HAS_AFFINITY = hasattr(os, "sched_getaffinity")  # macOS has none
