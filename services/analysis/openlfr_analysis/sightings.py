"""Builds the records of sightings: seals the evidence, continues the trace, logs a line."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from openlfr.adapters.kafka.topics import SIGHTINGS
from openlfr.adapters.telemetry import tracing
from openlfr.domain.evidence import SentEvidence
from openlfr.operations.evidence import encode, evidence_name
from openlfr.wire import codec, seal

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping, Sequence

    from openlfr.domain.analysis import SightingWithEvidence
    from openlfr.domain.frames import Frame
    from openlfr.ports import Vault
    from openlfr.wire.codec import Record

_MAX_EVIDENCE_BYTES = int(SIGHTINGS.configs["max.message.bytes"]) - (64 << 10)  # in one record

log = structlog.get_logger()


class SightingPublisher:
    """Builds and logs the records of one worker's sightings."""

    def __init__(self, vault: Vault, counts: Counter[str]) -> None:
        """Start without traces.

        Args:
            vault: Seals evidence.
            counts: Receives `evidence_too_large` and `evidence_covered`.
        """
        self._vault = vault
        self._key = vault.derive(seal.purpose_of(SIGHTINGS.name))
        self._counts = counts
        self._traces = tracing.FrameTraces()
        self._time_assumed: set[str] = set()  # cameras whose capture times are assumed

    def remember_trace(self, frame: Frame, traceparent: str) -> None:
        """Record the trace of a frame, and whether its capture time is assumed."""
        if frame.time_assumed:
            self._time_assumed.add(frame.camera)
        else:
            self._time_assumed.discard(frame.camera)
        self._traces.record(frame.camera, frame.epoch, frame.seq, traceparent)

    def log_sightings(
        self, sightings: Sequence[SightingWithEvidence], newest: Mapping[str, int]
    ) -> None:
        """Log each sighting, with the last frame before its track was searched.

        Args:
            sightings: The sightings of one batch.
            newest: The number of each camera's last frame in the batch.
        """
        for each in sightings:
            sighting = each.sighting
            log.info(
                "sighting", sighting=sighting.sighting_id, camera=sighting.camera,
                epoch=sighting.epoch, seq=sighting.seq,
                searched_after=newest.get(sighting.camera, sighting.seq),
                trace=tracing.trace_id(self._trace_of(each)),
            )  # fmt: skip

    def to_record(self, result: SightingWithEvidence) -> tuple[str, Record]:
        """Return the signed record of a sighting, with its topic."""
        time_assumed = result.sighting.camera in self._time_assumed
        record = codec.encode_sighting(
            replace(result.sighting, time_assumed=time_assumed),
            self._seal_evidence(result),
            traceparent=tracing.continue_trace(self._trace_of(result)),
        )
        return SIGHTINGS.name, seal.sign(record, self._key)

    def _seal_evidence(self, result: SightingWithEvidence) -> SentEvidence | None:
        """Return the sealed picture; None if it is missing or too large for Kafka.

        The sighting is then published without a picture.
        """
        if result.evidence is None:
            self._counts["evidence_covered"] += 1
            return None
        name = evidence_name(result.sighting.sighting_id)
        sealed = self._vault.seal(name, encode(result.evidence))
        if len(sealed) > _MAX_EVIDENCE_BYTES:
            self._counts["evidence_too_large"] += 1
            log.warning("evidence_too_large", camera=result.sighting.camera, size=len(sealed))
            return None
        return SentEvidence(name, True, sealed)

    def _trace_of(self, result: SightingWithEvidence) -> str:
        sighting = result.sighting
        return self._traces.find(sighting.camera, sighting.epoch, sighting.seq)
