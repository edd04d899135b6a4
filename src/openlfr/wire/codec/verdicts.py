"""Verdicts as records."""

from __future__ import annotations

from openlfr.domain.alerts import Adjudication, Outcome
from openlfr.domain.verdicts import Verdict
from openlfr.wire.codec.fields import broken, known, moment, parse, stamp, word
from openlfr.wire.codec.record import Record, record_of
from openlfr.wire.v1 import verdict_pb2


def encode_verdict(verdict: Verdict, *, traceparent: str = "") -> Record:
    """Key: the alert, so that a change of mind is read after what it changes."""
    message = verdict_pb2.Verdict(
        verdict_id=verdict.verdict_id,
        deployment=verdict.deployment,
        alert_id=verdict.alert_id,
        decided_by=verdict.decided_by,
        decided_at=stamp(verdict.decided_at),
        adjudication=word("ADJUDICATION", verdict.adjudication),
        outcome=word("OUTCOME", verdict.outcome),
    )
    return record_of(verdict.alert_id, message, traceparent=traceparent)


def decode_verdict(value: bytes | None) -> Verdict:
    """What `encode_verdict` wrote."""
    message = parse(verdict_pb2.Verdict, value)
    adjudication = known(Adjudication, message, "adjudication")
    outcome = known(Outcome, message, "outcome")
    if adjudication is None and outcome is None:
        raise broken(message, "it lacks both adjudication and outcome")
    verdict = Verdict(
        deployment=message.deployment,
        alert_id=message.alert_id,
        decided_by=message.decided_by,
        decided_at=moment(message, "decided_at"),
        adjudication=adjudication,
        outcome=outcome,
    )
    if verdict.verdict_id != message.verdict_id:
        raise broken(message, "its verdict_id is not that of its content")
    return verdict
