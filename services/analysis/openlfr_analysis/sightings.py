"""From a sighting to its record: evidence sealed, the frame's trace continued, a line logged."""

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

_MOST_EVIDENCE = int(SIGHTINGS.configs["max.message.bytes"]) - (64 << 10)  # of a record's bytes

log = structlog.get_logger()


class SightingPublisher:
    """Tells the sightings of one worker."""

    def __init__(self, vault: Vault, counts: Counter[str]) -> None:
        """Tell them.

        Args:
            vault: Seals evidence.
            counts: Gets `evidence_too_large` and `evidence_covered`.
        """
        self._vault = vault
        self._key = vault.derive(seal.purpose_of(SIGHTINGS.name))
        self._counts = counts
        self._traces = tracing.FrameTraces()
        self._assumed: set[str] = set()  # cameras whose frames count from the start of ingest

    def heed(self, frame: Frame, traceparent: str) -> None:
        """Remember the trace with which a frame came, and whether its time is assumed."""
        if frame.time_assumed:
            self._assumed.add(frame.camera)
        else:
            self._assumed.discard(frame.camera)
        self._traces.note(frame.camera, frame.epoch, frame.seq, traceparent)

    def searched(
        self, sightings: Sequence[SightingWithEvidence], newest: Mapping[str, int]
    ) -> None:
        """Log each with the frame after which there was enough to search with.

        Args:
            sightings: Of one batch.
            newest: The last frame of each camera in it.
        """
        for sighted in sightings:
            told = sighted.sighting
            log.info(
                "sighting", sighting=told.sighting_id, camera=told.camera, epoch=told.epoch,
                seq=told.seq, searched_after=newest.get(told.camera, told.seq),
                trace=tracing.trace_id(self._trace_of(sighted)),
            )  # fmt: skip

    def record(self, sighted: SightingWithEvidence) -> tuple[str, Record]:
        """Its record, and the topic on which it goes."""
        assumed = sighted.sighting.camera in self._assumed
        record = codec.encode_sighting(
            replace(sighted.sighting, time_assumed=assumed),
            self._carried(sighted),
            traceparent=tracing.go_on(self._trace_of(sighted)),
        )
        return SIGHTINGS.name, seal.sign(record, self._key)

    def _carried(self, sighted: SightingWithEvidence) -> CarriedEvidence | None:
        """Its picture, sealed; None where there is none, or Kafka would not take it.

        The alert is told without.
        """
        if sighted.evidence is None:
            self._counts["evidence_covered"] += 1
            return None
        name = evidence_name(sighted.sighting.sighting_id)
        sealed = self._vault.seal(name, encode(sighted.evidence))
        if len(sealed) > _MOST_EVIDENCE:
            self._counts["evidence_too_large"] += 1
            log.warning("evidence_too_large", camera=sighted.sighting.camera, size=len(sealed))
            return None
        return CarriedEvidence(name, True, sealed)

    def _trace_of(self, sighted: SightingWithEvidence) -> str:
        told = sighted.sighting
        return self._traces.of(told.camera, told.epoch, told.seq)
