import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Verdict(_message.Message):
    __slots__ = ("verdict_id", "deployment", "alert_id", "adjudication", "outcome", "decided_by", "decided_at")
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
    VERDICT_ID_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    ALERT_ID_FIELD_NUMBER: _ClassVar[int]
    ADJUDICATION_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    DECIDED_BY_FIELD_NUMBER: _ClassVar[int]
    DECIDED_AT_FIELD_NUMBER: _ClassVar[int]
    verdict_id: str
    deployment: str
    alert_id: str
    adjudication: Verdict.Adjudication
    outcome: Verdict.Outcome
    decided_by: str
    decided_at: _timestamp_pb2.Timestamp
    def __init__(self, verdict_id: _Optional[str] = ..., deployment: _Optional[str] = ..., alert_id: _Optional[str] = ..., adjudication: _Optional[_Union[Verdict.Adjudication, str]] = ..., outcome: _Optional[_Union[Verdict.Outcome, str]] = ..., decided_by: _Optional[str] = ..., decided_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
