from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Impossible(_message.Message):
    __slots__ = ("why", "camera", "seconds", "metres")
    class Why(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        WHY_UNSPECIFIED: _ClassVar[Impossible.Why]
        WHY_ONE_FRAME: _ClassVar[Impossible.Why]
        WHY_TOO_FAR: _ClassVar[Impossible.Why]
    WHY_UNSPECIFIED: Impossible.Why
    WHY_ONE_FRAME: Impossible.Why
    WHY_TOO_FAR: Impossible.Why
    WHY_FIELD_NUMBER: _ClassVar[int]
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    METRES_FIELD_NUMBER: _ClassVar[int]
    why: Impossible.Why
    camera: str
    seconds: float
    metres: int
    def __init__(self, why: _Optional[_Union[Impossible.Why, str]] = ..., camera: _Optional[str] = ..., seconds: _Optional[float] = ..., metres: _Optional[int] = ...) -> None: ...
