import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Verdict(_message.Message):
    __slots__ = ("verdict_id", "deployment", "alert_id", "adjudication", "outcome", "decided_by", "decided_at", "kind", "reason", "withdraws", "minutes_stopped", "issuer", "account", "final_at")
    class Adjudication(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ADJUDICATION_UNSPECIFIED: _ClassVar[Verdict.Adjudication]
        ADJUDICATION_ENGAGE: _ClassVar[Verdict.Adjudication]
        ADJUDICATION_DO_NOT_ENGAGE: _ClassVar[Verdict.Adjudication]
        ADJUDICATION_CANNOT_TELL: _ClassVar[Verdict.Adjudication]
    ADJUDICATION_UNSPECIFIED: Verdict.Adjudication
    ADJUDICATION_ENGAGE: Verdict.Adjudication
    ADJUDICATION_DO_NOT_ENGAGE: Verdict.Adjudication
    ADJUDICATION_CANNOT_TELL: Verdict.Adjudication
    class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OUTCOME_UNSPECIFIED: _ClassVar[Verdict.Outcome]
        OUTCOME_CONFIRMED: _ClassVar[Verdict.Outcome]
        OUTCOME_REFUTED: _ClassVar[Verdict.Outcome]
        OUTCOME_NOT_LOCATED: _ClassVar[Verdict.Outcome]
        OUTCOME_NOT_ATTENDED: _ClassVar[Verdict.Outcome]
    OUTCOME_UNSPECIFIED: Verdict.Outcome
    OUTCOME_CONFIRMED: Verdict.Outcome
    OUTCOME_REFUTED: Verdict.Outcome
    OUTCOME_NOT_LOCATED: Verdict.Outcome
    OUTCOME_NOT_ATTENDED: Verdict.Outcome
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[Verdict.Kind]
        KIND_FIRST: _ClassVar[Verdict.Kind]
        KIND_SECOND: _ClassVar[Verdict.Kind]
        KIND_SETTLED: _ClassVar[Verdict.Kind]
        KIND_LATE: _ClassVar[Verdict.Kind]
    KIND_UNSPECIFIED: Verdict.Kind
    KIND_FIRST: Verdict.Kind
    KIND_SECOND: Verdict.Kind
    KIND_SETTLED: Verdict.Kind
    KIND_LATE: Verdict.Kind
    class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        REASON_UNSPECIFIED: _ClassVar[Verdict.Reason]
        REASON_FEATURES_AGREE: _ClassVar[Verdict.Reason]
        REASON_MARK_AGREES: _ClassVar[Verdict.Reason]
        REASON_SEVERAL_FRAMES: _ClassVar[Verdict.Reason]
        REASON_KNOWN_TO_ME: _ClassVar[Verdict.Reason]
        REASON_FEATURES_DIFFER: _ClassVar[Verdict.Reason]
        REASON_MARK_DIFFERS: _ClassVar[Verdict.Reason]
        REASON_AGE_OR_BUILD: _ClassVar[Verdict.Reason]
        REASON_DECIDED_BEFORE: _ClassVar[Verdict.Reason]
        REASON_ELSEWHERE: _ClassVar[Verdict.Reason]
        REASON_TOO_POOR: _ClassVar[Verdict.Reason]
        REASON_TURNED_AWAY: _ClassVar[Verdict.Reason]
        REASON_COVERED: _ClassVar[Verdict.Reason]
        REASON_POOR_REFERENCE: _ClassVar[Verdict.Reason]
        REASON_NO_TIME: _ClassVar[Verdict.Reason]
    REASON_UNSPECIFIED: Verdict.Reason
    REASON_FEATURES_AGREE: Verdict.Reason
    REASON_MARK_AGREES: Verdict.Reason
    REASON_SEVERAL_FRAMES: Verdict.Reason
    REASON_KNOWN_TO_ME: Verdict.Reason
    REASON_FEATURES_DIFFER: Verdict.Reason
    REASON_MARK_DIFFERS: Verdict.Reason
    REASON_AGE_OR_BUILD: Verdict.Reason
    REASON_DECIDED_BEFORE: Verdict.Reason
    REASON_ELSEWHERE: Verdict.Reason
    REASON_TOO_POOR: Verdict.Reason
    REASON_TURNED_AWAY: Verdict.Reason
    REASON_COVERED: Verdict.Reason
    REASON_POOR_REFERENCE: Verdict.Reason
    REASON_NO_TIME: Verdict.Reason
    VERDICT_ID_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    ALERT_ID_FIELD_NUMBER: _ClassVar[int]
    ADJUDICATION_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    DECIDED_BY_FIELD_NUMBER: _ClassVar[int]
    DECIDED_AT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    WITHDRAWS_FIELD_NUMBER: _ClassVar[int]
    MINUTES_STOPPED_FIELD_NUMBER: _ClassVar[int]
    ISSUER_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    FINAL_AT_FIELD_NUMBER: _ClassVar[int]
    verdict_id: str
    deployment: str
    alert_id: str
    adjudication: Verdict.Adjudication
    outcome: Verdict.Outcome
    decided_by: str
    decided_at: _timestamp_pb2.Timestamp
    kind: Verdict.Kind
    reason: Verdict.Reason
    withdraws: str
    minutes_stopped: int
    issuer: str
    account: str
    final_at: _timestamp_pb2.Timestamp
    def __init__(self, verdict_id: _Optional[str] = ..., deployment: _Optional[str] = ..., alert_id: _Optional[str] = ..., adjudication: _Optional[_Union[Verdict.Adjudication, str]] = ..., outcome: _Optional[_Union[Verdict.Outcome, str]] = ..., decided_by: _Optional[str] = ..., decided_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., kind: _Optional[_Union[Verdict.Kind, str]] = ..., reason: _Optional[_Union[Verdict.Reason, str]] = ..., withdraws: _Optional[str] = ..., minutes_stopped: _Optional[int] = ..., issuer: _Optional[str] = ..., account: _Optional[str] = ..., final_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
