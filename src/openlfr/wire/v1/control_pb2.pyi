import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Control(_message.Message):
    __slots__ = ("entry", "heartbeat", "deployment")
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    entry: ManifestEntry
    heartbeat: Heartbeat
    deployment: DeploymentState
    def __init__(self, entry: _Optional[_Union[ManifestEntry, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ..., deployment: _Optional[_Union[DeploymentState, _Mapping]] = ...) -> None: ...

class ManifestEntry(_message.Message):
    __slots__ = ("reference_id", "watchlist", "template_hash", "expires", "status", "version", "changed_at", "category", "entry_hash")
    class Status(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATUS_UNSPECIFIED: _ClassVar[ManifestEntry.Status]
        STATUS_PENDING: _ClassVar[ManifestEntry.Status]
        STATUS_ACTIVE: _ClassVar[ManifestEntry.Status]
        STATUS_REFUSED: _ClassVar[ManifestEntry.Status]
        STATUS_SUSPENDED: _ClassVar[ManifestEntry.Status]
        STATUS_REMOVED: _ClassVar[ManifestEntry.Status]
    STATUS_UNSPECIFIED: ManifestEntry.Status
    STATUS_PENDING: ManifestEntry.Status
    STATUS_ACTIVE: ManifestEntry.Status
    STATUS_REFUSED: ManifestEntry.Status
    STATUS_SUSPENDED: ManifestEntry.Status
    STATUS_REMOVED: ManifestEntry.Status
    REFERENCE_ID_FIELD_NUMBER: _ClassVar[int]
    WATCHLIST_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_HASH_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    ENTRY_HASH_FIELD_NUMBER: _ClassVar[int]
    reference_id: str
    watchlist: str
    template_hash: str
    expires: _timestamp_pb2.Timestamp
    status: ManifestEntry.Status
    version: int
    changed_at: _timestamp_pb2.Timestamp
    category: str
    entry_hash: str
    def __init__(self, reference_id: _Optional[str] = ..., watchlist: _Optional[str] = ..., template_hash: _Optional[str] = ..., expires: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., status: _Optional[_Union[ManifestEntry.Status, str]] = ..., version: _Optional[int] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., category: _Optional[str] = ..., entry_hash: _Optional[str] = ...) -> None: ...

class DeploymentState(_message.Message):
    __slots__ = ("deployment_id", "name", "status", "revision", "starts", "ends", "cameras", "watchlists", "threshold", "threshold_origin", "version", "changed_at")
    class Status(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATUS_UNSPECIFIED: _ClassVar[DeploymentState.Status]
        STATUS_DRAFT: _ClassVar[DeploymentState.Status]
        STATUS_AUTHORISED: _ClassVar[DeploymentState.Status]
        STATUS_STARTED: _ClassVar[DeploymentState.Status]
        STATUS_PAUSED: _ClassVar[DeploymentState.Status]
        STATUS_STOPPED: _ClassVar[DeploymentState.Status]
        STATUS_CLOSED: _ClassVar[DeploymentState.Status]
    STATUS_UNSPECIFIED: DeploymentState.Status
    STATUS_DRAFT: DeploymentState.Status
    STATUS_AUTHORISED: DeploymentState.Status
    STATUS_STARTED: DeploymentState.Status
    STATUS_PAUSED: DeploymentState.Status
    STATUS_STOPPED: DeploymentState.Status
    STATUS_CLOSED: DeploymentState.Status
    DEPLOYMENT_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    STARTS_FIELD_NUMBER: _ClassVar[int]
    ENDS_FIELD_NUMBER: _ClassVar[int]
    CAMERAS_FIELD_NUMBER: _ClassVar[int]
    WATCHLISTS_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_ORIGIN_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    deployment_id: str
    name: str
    status: DeploymentState.Status
    revision: int
    starts: _timestamp_pb2.Timestamp
    ends: _timestamp_pb2.Timestamp
    cameras: _containers.RepeatedScalarFieldContainer[str]
    watchlists: _containers.RepeatedScalarFieldContainer[str]
    threshold: float
    threshold_origin: str
    version: int
    changed_at: _timestamp_pb2.Timestamp
    def __init__(self, deployment_id: _Optional[str] = ..., name: _Optional[str] = ..., status: _Optional[_Union[DeploymentState.Status, str]] = ..., revision: _Optional[int] = ..., starts: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ends: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cameras: _Optional[_Iterable[str]] = ..., watchlists: _Optional[_Iterable[str]] = ..., threshold: _Optional[float] = ..., threshold_origin: _Optional[str] = ..., version: _Optional[int] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ("sent_at", "version")
    SENT_AT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    sent_at: _timestamp_pb2.Timestamp
    version: int
    def __init__(self, sent_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., version: _Optional[int] = ...) -> None: ...
