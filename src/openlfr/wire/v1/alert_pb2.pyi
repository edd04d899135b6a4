import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from openlfr.wire.v1 import box_pb2 as _box_pb2
from openlfr.wire.v1 import impossible_pb2 as _impossible_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Alert(_message.Message):
    __slots__ = ("event", "event_id", "alert_id", "sighting_id", "deployment", "subject", "watchlist", "reference_id", "camera", "epoch", "frame_index", "captured_at", "emitted_at", "box", "score", "threshold", "quality", "impossible", "time_assumed", "without_picture")
    class Event(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        EVENT_UNSPECIFIED: _ClassVar[Alert.Event]
        EVENT_OPENED: _ClassVar[Alert.Event]
        EVENT_JOINED: _ClassVar[Alert.Event]
    EVENT_UNSPECIFIED: Alert.Event
    EVENT_OPENED: Alert.Event
    EVENT_JOINED: Alert.Event
    EVENT_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    ALERT_ID_FIELD_NUMBER: _ClassVar[int]
    SIGHTING_ID_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    WATCHLIST_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_ID_FIELD_NUMBER: _ClassVar[int]
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    FRAME_INDEX_FIELD_NUMBER: _ClassVar[int]
    CAPTURED_AT_FIELD_NUMBER: _ClassVar[int]
    EMITTED_AT_FIELD_NUMBER: _ClassVar[int]
    BOX_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    IMPOSSIBLE_FIELD_NUMBER: _ClassVar[int]
    TIME_ASSUMED_FIELD_NUMBER: _ClassVar[int]
    WITHOUT_PICTURE_FIELD_NUMBER: _ClassVar[int]
    event: Alert.Event
    event_id: str
    alert_id: str
    sighting_id: str
    deployment: str
    subject: str
    watchlist: str
    reference_id: str
    camera: str
    epoch: int
    frame_index: int
    captured_at: _timestamp_pb2.Timestamp
    emitted_at: _timestamp_pb2.Timestamp
    box: _box_pb2.Box
    score: float
    threshold: float
    quality: float
    impossible: _impossible_pb2.Impossible
    time_assumed: bool
    without_picture: bool
    def __init__(self, event: _Optional[_Union[Alert.Event, str]] = ..., event_id: _Optional[str] = ..., alert_id: _Optional[str] = ..., sighting_id: _Optional[str] = ..., deployment: _Optional[str] = ..., subject: _Optional[str] = ..., watchlist: _Optional[str] = ..., reference_id: _Optional[str] = ..., camera: _Optional[str] = ..., epoch: _Optional[int] = ..., frame_index: _Optional[int] = ..., captured_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., emitted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., box: _Optional[_Union[_box_pb2.Box, _Mapping]] = ..., score: _Optional[float] = ..., threshold: _Optional[float] = ..., quality: _Optional[float] = ..., impossible: _Optional[_Union[_impossible_pb2.Impossible, _Mapping]] = ..., time_assumed: _Optional[bool] = ..., without_picture: _Optional[bool] = ...) -> None: ...
