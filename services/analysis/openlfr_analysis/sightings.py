"""Publishes sightings: seals the evidence, continues the frame's trace, logs a line."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from openlfr.adapters.kafka.topics import SIGHTINGS
from openlfr.adapters.telemetry import tracing
from openlfr.domain.evidence import CarriedEvidence
from openlfr.operations.evidence import encode, evidence_name
from openlfr.wire import codec, seal

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping, Sequence

    from openlfr.domain.analysis import SightingWithEvidence
    from openlfr.domain.frames import Frame
    from openlfr.ports import Vault
    from openlfr.wire.codec import Record

_MAX_EVIDENCE_BYTES = int(SIGHTINGS.configs["max.message.bytes"]) - (64 << 10)  # of one record

log = structlog.get_logger()


class SightingPublisher:
    """Makes the records of one worker's sightings."""

    def __init__(self, vault: Vault, counts: Counter[str]) -> None:
        """Begin without traces.

        Args:
            vault: Seals evidence.
            counts: Receives `evidence_too_large` and `evidence_covered`.
        """
        self._vault = vault
        self._key = vault.derive(seal.purpose_of(SIGHTINGS.name))
        self._counts = counts
        self._traces = tracing.FrameTraces()
        self._time_assumed: set[str] = set()  # cameras whose times count from the start of ingest

    def remember_trace(self, frame: Frame, traceparent: str) -> None:
        """Remember the trace of a frame, and whether its camera's time is assumed."""
        if frame.time_assumed:
            self._time_assumed.add(frame.camera)
        else:
            self._time_assumed.discard(frame.camera)
        self._traces.record(frame.camera, frame.epoch, frame.seq, traceparent)

    def log_sightings(
        self, sightings: Sequence[SightingWithEvidence], newest: Mapping[str, int]
    ) -> None:
        """Log each sighting with the frame after which its track could be searched.

        Args:
            sightings: Sightings of one batch.
            newest: Number of the last frame of each camera in the batch.
        """
        for each in sightings:
            sighting = each.sighting
            log.info(
                "sighting", sighting=sighting.sighting_id, camera=sighting.camera,
                epoch=sighting.epoch, seq=sighting.seq,
                searched_after=newest.get(sighting.camera, sighting.seq),
                trace=tracing.trace_id(self._trace_of(each)),
            )  # fmt: skip

    def to_record(self, found: SightingWithEvidence) -> tuple[str, Record]:
        """The signed record of a sighting, with its topic."""
        time_assumed = found.sighting.camera in self._time_assumed
        record = codec.encode_sighting(
            replace(found.sighting, time_assumed=time_assumed),
            self._seal_evidence(found),
            traceparent=tracing.continue_trace(self._trace_of(found)),
        )
        return SIGHTINGS.name, seal.sign(record, self._key)

    def _seal_evidence(self, found: SightingWithEvidence) -> CarriedEvidence | None:
        """The sealed picture; None without a picture, or where it is too large for Kafka.

        The sighting is published without it.
        """
        if found.evidence is None:
            self._counts["evidence_covered"] += 1
            return None
        name = evidence_name(found.sighting.sighting_id)
        sealed = self._vault.seal(name, encode(found.evidence))
        if len(sealed) > _MAX_EVIDENCE_BYTES:
            self._counts["evidence_too_large"] += 1
            log.warning("evidence_too_large", camera=found.sighting.camera, size=len(sealed))
            return None
        return CarriedEvidence(name, True, sealed)

    def _trace_of(self, found: SightingWithEvidence) -> str:
        sighting = found.sighting
        return self._traces.find(sighting.camera, sighting.epoch, sighting.seq)
