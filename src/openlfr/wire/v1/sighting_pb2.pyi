import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from openlfr.wire.v1 import box_pb2 as _box_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Sighting(_message.Message):
    __slots__ = ("sighting_id", "deployment", "camera", "epoch", "seq", "captured_at", "subject", "watchlist", "reference_id", "evidence", "box", "score", "threshold", "quality", "twice", "time_assumed")
    SIGHTING_ID_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    CAPTURED_AT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    WATCHLIST_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_ID_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    BOX_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    TWICE_FIELD_NUMBER: _ClassVar[int]
    TIME_ASSUMED_FIELD_NUMBER: _ClassVar[int]
    sighting_id: str
    deployment: str
    camera: str
    epoch: int
    seq: int
    captured_at: _timestamp_pb2.Timestamp
    subject: str
    watchlist: str
    reference_id: str
    evidence: Evidence
    box: _box_pb2.Box
    score: float
    threshold: float
    quality: float
    twice: bool
    time_assumed: bool
    def __init__(self, sighting_id: _Optional[str] = ..., deployment: _Optional[str] = ..., camera: _Optional[str] = ..., epoch: _Optional[int] = ..., seq: _Optional[int] = ..., captured_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., subject: _Optional[str] = ..., watchlist: _Optional[str] = ..., reference_id: _Optional[str] = ..., evidence: _Optional[_Union[Evidence, _Mapping]] = ..., box: _Optional[_Union[_box_pb2.Box, _Mapping]] = ..., score: _Optional[float] = ..., threshold: _Optional[float] = ..., quality: _Optional[float] = ..., twice: _Optional[bool] = ..., time_assumed: _Optional[bool] = ...) -> None: ...

class Evidence(_message.Message):
    __slots__ = ("name", "sealing", "content")
    class Sealing(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        SEALING_UNSPECIFIED: _ClassVar[Evidence.Sealing]
        SEALING_NONE: _ClassVar[Evidence.Sealing]
        SEALING_VAULT: _ClassVar[Evidence.Sealing]
    SEALING_UNSPECIFIED: Evidence.Sealing
    SEALING_NONE: Evidence.Sealing
    SEALING_VAULT: Evidence.Sealing
    NAME_FIELD_NUMBER: _ClassVar[int]
    SEALING_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    name: str
    sealing: Evidence.Sealing
    content: bytes
    def __init__(self, name: _Optional[str] = ..., sealing: _Optional[_Union[Evidence.Sealing, str]] = ..., content: _Optional[bytes] = ...) -> None: ...
