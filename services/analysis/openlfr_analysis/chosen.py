"""The threshold that a worker chose at its start, and whether the list has outgrown it since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from openlfr.domain.thresholds import Threshold
    from openlfr_analysis.listed import OnServer, Snapshot

log = structlog.get_logger()


class ChosenThreshold:
    """A worker's threshold: fixed while it works, so that a track is judged by one.

    A list that grows beyond what it was measured for stops more strangers, so that is logged, once,
    and shown to Prometheus (`measures.py`).
    """

    def __init__(self, threshold: Threshold, listed: Snapshot | OnServer) -> None:
        """Log what was chosen, and why."""
        self._threshold = threshold
        self._listed = listed
        self._logged = threshold.outgrown_by(0)  # then the reason says it already
        log.info(
            "threshold",
            value=threshold.value,
            origin=threshold.origin,
            listed=threshold.list_size,
            why=threshold.describe(),
        )

    @property
    def value(self) -> float:
        """From which score a track is a sighting."""
        return self._threshold.value

    @property
    def outgrown(self) -> bool:
        """Whether more are listed than it was measured for."""
        return self._threshold.outgrown_by(self._listed.subjects)

    def look(self) -> None:
        """To be called now and then: log it once the list has outgrown the threshold."""
        if not self._logged and (why := self._threshold.outgrown(self._listed.subjects)):
            self._logged = True
            log.warning("threshold_outgrown", why=why)
