"""Estimates how many cameras a process can film, if the configuration sets no limit.

`benchmarks.cameras --cost` measured the figures, which are also in docs/benchmarks.md.
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
"""Thousandths of a core for reading a camera of 1280 x 720 pixels, 25 frames a second, H.264."""
SENT_MILLICORES = 8.2
"""Thousandths of a core for sending one frame a second."""
DEFAULT_FPS = 25.0
"""Frames a second of a camera without `fps`."""
MAX_LOAD = 0.8
"""Share of the cores that cameras may use."""
_CGROUP_LIMIT = Path("/sys/fs/cgroup/cpu.max")


def estimate_cost(camera: Camera) -> Cost:
    """Estimate the CPU cost of a camera, whose picture size is unknown before it is opened.

    A file that plays once is not movable, since another process would play it from the start.
    """
    sent = SENT_MILLICORES * (camera.fps or DEFAULT_FPS)
    return Cost(READ_MILLICORES + round(sent), movable=is_live(camera.url) or camera.loop)


def available_cores(
    environment: Mapping[str, str] | None = None, limit: Path = _CGROUP_LIMIT
) -> float:
    """Return the number of cores that this process may use.

    OPENLFR_MILLICORES has priority, since a Kubernetes pod without a limit sees all cores of its
    node. If the variable is not set or 0, the limit of the cgroup applies, otherwise the CPU
    affinity of this process.

    Raises:
        Misconfigured: OPENLFR_MILLICORES is not a whole number.
    """
    millicores = (os.environ if environment is None else environment).get("OPENLFR_MILLICORES", "")
    if millicores and not re.fullmatch(r"[0-9]{1,7}", millicores):
        raise Misconfigured(
            f"OPENLFR_MILLICORES must be thousandths of a core such as 2000, not {millicores!r}."
        )
    if millicores and int(millicores):
        return int(millicores) / 1000
    try:
        quota, period = limit.read_text(encoding="ascii").split()[:2]
        allowed = float("inf") if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        allowed = float("inf")
    return min(
        allowed, float(len(os.sched_getaffinity(0)) if _HAS_AFFINITY else os.cpu_count() or 1)
    )


def max_cameras(ingest: Ingest, costs: Mapping[str, Cost]) -> int:
    """Return `ingest.max_cameras` or, if that is 0, the number that this process can film.

    Raises:
        Misconfigured: OPENLFR_MILLICORES is not a whole number.
    """
    return ingest.max_cameras or max_cameras_for(costs, available=available_cores())


def max_cameras_for(costs: Mapping[str, Cost], *, available: float) -> int:
    """Return how many cameras of this mean cost a process with `available` cores films; min. 1."""
    mean = sum(each.millicores for each in costs.values()) / len(costs)
    return max(1, int(MAX_LOAD * available * 1000 / mean))


_HAS_AFFINITY = hasattr(os, "sched_getaffinity")  # not on macOS
