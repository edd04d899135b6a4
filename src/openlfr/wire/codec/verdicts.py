"""Verdicts as records."""

from __future__ import annotations

from openlfr.domain.adjudication import Reason, VerdictKind
from openlfr.domain.alerts import Adjudication, Outcome
from openlfr.domain.verdicts import VerdictEvent
from openlfr.wire.codec.fields import (
    enum_name,
    optional_enum,
    parse,
    read_moment,
    timestamp_of,
    unusable,
)
from openlfr.wire.codec.record import Record, record_of
from openlfr.wire.v1 import verdict_pb2


def encode_verdict(event: VerdictEvent, *, traceparent: str = "") -> Record:
    """Encode a verdict; the key is the alert's id, so that its correction is read later."""
    message = verdict_pb2.Verdict(
        verdict_id=event.verdict_id,
        deployment=event.deployment,
        alert_id=event.alert_id,
        decided_by=event.decided_by,
        decided_at=timestamp_of(event.decided_at),
        adjudication=enum_name("ADJUDICATION", event.adjudication),
        outcome=enum_name("OUTCOME", event.outcome),
    )
    if event.kind is not None:
        message.MergeFrom(verdict_pb2.Verdict(kind=enum_name("KIND", event.kind)))
    if event.reason is not None:
        message.MergeFrom(verdict_pb2.Verdict(reason=enum_name("REASON", event.reason)))
    if event.minutes_stopped is not None:
        message.minutes_stopped = event.minutes_stopped
    for name in ("withdraws", "issuer", "account"):
        if value := getattr(event, name):
            setattr(message, name, value)
    if event.final_at is not None:
        message.final_at.CopyFrom(timestamp_of(event.final_at))
    return record_of(event.alert_id, message, traceparent=traceparent)


def decode_verdict(value: bytes | None) -> VerdictEvent:
    """Decode a verdict, a withdrawal or an outcome."""
    message = parse(verdict_pb2.Verdict, value)
    adjudication = optional_enum(Adjudication, message, "adjudication")
    outcome = optional_enum(Outcome, message, "outcome")
    if adjudication is None and outcome is None and not message.withdraws:
        raise unusable(message, "it lacks adjudication, outcome and withdraws")
    return VerdictEvent(
        verdict_id=message.verdict_id,
        deployment=message.deployment,
        alert_id=message.alert_id,
        decided_by=message.decided_by,
        decided_at=read_moment(message, "decided_at"),
        adjudication=adjudication,
        outcome=outcome,
        kind=optional_enum(VerdictKind, message, "kind"),
        reason=_reason(message),
        withdraws=message.withdraws,
        minutes_stopped=message.minutes_stopped if message.HasField("minutes_stopped") else None,
        issuer=message.issuer,
        account=message.account,
        final_at=read_moment(message, "final_at") if message.HasField("final_at") else None,
    )


def _reason(message: verdict_pb2.Verdict) -> Reason | None:
    """Return the reason; None for a reason of a newer version, so that the verdict stays usable."""
    if message.reason not in verdict_pb2.Verdict.Reason.values():
        return None
    return optional_enum(Reason, message, "reason")
