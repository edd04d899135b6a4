"""Counts and logs skipped frames and unusable messages, and builds dead letters."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import structlog

from openlfr.adapters.kafka.dead_letters import report_unusable
from openlfr.domain.watching import UnwatchedReason
from openlfr.in_force import NotInForce

if TYPE_CHECKING:
    from openlfr.adapters.faust.agents import Message
    from openlfr.domain.frames import EncodedFrame
    from openlfr.wire.codec import Record
    from openlfr_analysis.decoding import Decoder
    from openlfr_analysis.worker_tallies import WorkerTallies

MAX_LATE_IN_A_ROW = 50
"""Number of consecutive late frames of a camera after which a warning is logged."""

log = structlog.get_logger()


class UnanalysedMessages:
    """Counts and logs the messages of one worker whose frames are not analysed."""

    def __init__(self, decoder: Decoder, tallies: WorkerTallies) -> None:
        """Start with empty counts.

        Args:
            decoder: Computes the age of late frames.
            tallies: Receives the counts.
        """
        self._decoder = decoder
        self._tallies = tallies
        self._late_in_a_row: Counter[str] = Counter()  # by camera
        self._other_deployments: set[str] = set()

    def skip_frame(
        self, message: Message, encoded: EncodedFrame, reason: UnwatchedReason | NotInForce
    ) -> None:
        """Count a skipped frame; log a warning after `MAX_LATE_IN_A_ROW` late frames of a camera.

        The clock of the camera's host may then differ from the clock of this host.
        """
        if isinstance(reason, NotInForce):
            self._tallies.counts[reason] += 1
            outside_hours = reason is NotInForce.OUTSIDE_HOURS
            self._tallies.collector.record_skipped(
                encoded,
                UnwatchedReason.OUTSIDE_HOURS if outside_hours else UnwatchedReason.PAUSED,
            )
            return
        self._tallies.count_missed(encoded, reason)
        if reason is not UnwatchedReason.LATE:
            return
        self._late_in_a_row[encoded.camera] += 1
        if self._late_in_a_row[encoded.camera] == MAX_LATE_IN_A_ROW:
            log.warning(
                "every_frame_is_late", camera=encoded.camera, max_age_s=self._decoder.max_age_s,
                age_s=round(self._decoder.age_s(encoded, message), 1),
                do="compare this host's clock with that of ingest, or add workers",
            )  # fmt: skip

    def record_on_time(self, camera: str) -> None:
        """Record that a frame of a camera is on time, so that its late frames count from zero."""
        self._late_in_a_row.pop(camera, None)

    def skip_other_deployment(self, deployment: str) -> None:
        """Count a frame of another deployment; log that deployment once.

        The workers of that deployment analyse the frame, so it is no dead letter here.
        """
        self._tallies.counts["of_another_deployment"] += 1
        if deployment not in self._other_deployments:
            self._other_deployments.add(deployment)
            log.warning(
                "other_deployment", deployment=deployment,
                do="give each deployment's workers an OPENLFR_GROUP of their own",
            )  # fmt: skip

    def to_dead_letter(self, message: Message, reason: str) -> tuple[str, Record]:
        """Count an unusable message; return its dead letter with the topic."""
        self._tallies.counts["set_aside"] += 1
        return report_unusable(message, reason, service="analysis")
