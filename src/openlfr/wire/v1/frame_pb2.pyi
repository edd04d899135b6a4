import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Frame(_message.Message):
    __slots__ = ("deployment", "camera", "epoch", "seq", "frame_index", "captured_at", "width", "height", "jpeg", "ended", "time_assumed")
    DEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    FRAME_INDEX_FIELD_NUMBER: _ClassVar[int]
    CAPTURED_AT_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    JPEG_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    TIME_ASSUMED_FIELD_NUMBER: _ClassVar[int]
    deployment: str
    camera: str
    epoch: int
    seq: int
    frame_index: int
    captured_at: _timestamp_pb2.Timestamp
    width: int
    height: int
    jpeg: bytes
    ended: bool
    time_assumed: bool
    def __init__(self, deployment: _Optional[str] = ..., camera: _Optional[str] = ..., epoch: _Optional[int] = ..., seq: _Optional[int] = ..., frame_index: _Optional[int] = ..., captured_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., jpeg: _Optional[bytes] = ..., ended: _Optional[bool] = ..., time_assumed: _Optional[bool] = ...) -> None: ...
