"""Greatest number of cameras that a process films, where the configuration has no number.

`benchmarks.cameras --cost` measured the figures; they are also in docs/benchmarks.md.
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
"""Thousandths of a core for each frame a second that is sent."""
DEFAULT_FPS = 25.0
"""Frames a second of a camera without `fps`."""
MAX_LOAD = 0.8
"""Share of the cores that cameras may use."""
_LIMIT = Path("/sys/fs/cgroup/cpu.max")


def estimate_cost(camera: Camera) -> Cost:
    """Estimated CPU cost of a camera; its picture size is unknown until it is opened.

    A file that plays once is not movable, since it would begin again in another process.
    """
    sent = SENT_MILLICORES * (camera.fps or DEFAULT_FPS)
    return Cost(READ_MILLICORES + round(sent), movable=is_live(camera.url) or camera.loop)


def available_cores(environment: Mapping[str, str] | None = None, limit: Path = _LIMIT) -> float:
    """Number of cores that this process may use.

    From OPENLFR_MILLICORES (a Kubernetes pod without a limit sees all cores of its node); if it is
    not set or 0, from the cgroup's limit; else the cores on which this process may run.

    Raises:
        Misconfigured: OPENLFR_MILLICORES is no whole number.
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
    """Greatest number of these cameras that this process films.

    Raises:
        Misconfigured: OPENLFR_MILLICORES is no whole number.
    """
    return ingest.max_cameras or max_cameras_for(costs, available=available_cores())


def max_cameras_for(costs: Mapping[str, Cost], *, available: float) -> int:
    """Greatest number of such cameras for a process with `available` cores; at least one."""
    mean = sum(each.millicores for each in costs.values()) / len(costs)
    return max(1, int(MAX_LOAD * available * 1000 / mean))


_HAS_AFFINITY = hasattr(os, "sched_getaffinity")  # macOS has none
