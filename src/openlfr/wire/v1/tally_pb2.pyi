import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Tally(_message.Message):
    __slots__ = ("tally_id", "deployment", "camera", "epoch", "reporter", "first_seq", "last_seq", "first_captured_at", "last_captured_at", "frames_sampled_away", "frames_dropped_late", "frames_outside_hours", "frames_unreadable", "frames_discarded", "frames_analysed", "faces_detected", "tracks_closed", "tracks_too_small", "tracks_too_poor", "tracks_too_short", "bands", "tracks_searched", "sightings", "tracks_begun", "tracks_matched", "tracks_lost_interrupted", "tracks_lost_moved", "tracks_lost_failed", "tracks_control", "tracks_matched_control", "tracks_nobody_listed", "fine_scores", "control_scores", "eye_distances", "sharpness", "light", "watched_us", "unwatched_no_frames_us", "unwatched_late_us", "unwatched_unreadable_us", "unwatched_outside_hours_us", "baseline", "baseline_since", "baseline_taken_up", "frames_paused", "tracks_lost_paused", "unwatched_paused_us")
    class Reporter(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        REPORTER_UNSPECIFIED: _ClassVar[Tally.Reporter]
        REPORTER_INGEST: _ClassVar[Tally.Reporter]
        REPORTER_ANALYSIS: _ClassVar[Tally.Reporter]
    REPORTER_UNSPECIFIED: Tally.Reporter
    REPORTER_INGEST: Tally.Reporter
    REPORTER_ANALYSIS: Tally.Reporter
    TALLY_ID_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    CAMERA_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    REPORTER_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEQ_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQ_FIELD_NUMBER: _ClassVar[int]
    FIRST_CAPTURED_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_CAPTURED_AT_FIELD_NUMBER: _ClassVar[int]
    FRAMES_SAMPLED_AWAY_FIELD_NUMBER: _ClassVar[int]
    FRAMES_DROPPED_LATE_FIELD_NUMBER: _ClassVar[int]
    FRAMES_OUTSIDE_HOURS_FIELD_NUMBER: _ClassVar[int]
    FRAMES_UNREADABLE_FIELD_NUMBER: _ClassVar[int]
    FRAMES_DISCARDED_FIELD_NUMBER: _ClassVar[int]
    FRAMES_ANALYSED_FIELD_NUMBER: _ClassVar[int]
    FACES_DETECTED_FIELD_NUMBER: _ClassVar[int]
    TRACKS_CLOSED_FIELD_NUMBER: _ClassVar[int]
    TRACKS_TOO_SMALL_FIELD_NUMBER: _ClassVar[int]
    TRACKS_TOO_POOR_FIELD_NUMBER: _ClassVar[int]
    TRACKS_TOO_SHORT_FIELD_NUMBER: _ClassVar[int]
    BANDS_FIELD_NUMBER: _ClassVar[int]
    TRACKS_SEARCHED_FIELD_NUMBER: _ClassVar[int]
    SIGHTINGS_FIELD_NUMBER: _ClassVar[int]
    TRACKS_BEGUN_FIELD_NUMBER: _ClassVar[int]
    TRACKS_MATCHED_FIELD_NUMBER: _ClassVar[int]
    TRACKS_LOST_INTERRUPTED_FIELD_NUMBER: _ClassVar[int]
    TRACKS_LOST_MOVED_FIELD_NUMBER: _ClassVar[int]
    TRACKS_LOST_FAILED_FIELD_NUMBER: _ClassVar[int]
    TRACKS_CONTROL_FIELD_NUMBER: _ClassVar[int]
    TRACKS_MATCHED_CONTROL_FIELD_NUMBER: _ClassVar[int]
    TRACKS_NOBODY_LISTED_FIELD_NUMBER: _ClassVar[int]
    FINE_SCORES_FIELD_NUMBER: _ClassVar[int]
    CONTROL_SCORES_FIELD_NUMBER: _ClassVar[int]
    EYE_DISTANCES_FIELD_NUMBER: _ClassVar[int]
    SHARPNESS_FIELD_NUMBER: _ClassVar[int]
    LIGHT_FIELD_NUMBER: _ClassVar[int]
    WATCHED_US_FIELD_NUMBER: _ClassVar[int]
    UNWATCHED_NO_FRAMES_US_FIELD_NUMBER: _ClassVar[int]
    UNWATCHED_LATE_US_FIELD_NUMBER: _ClassVar[int]
    UNWATCHED_UNREADABLE_US_FIELD_NUMBER: _ClassVar[int]
    UNWATCHED_OUTSIDE_HOURS_US_FIELD_NUMBER: _ClassVar[int]
    BASELINE_FIELD_NUMBER: _ClassVar[int]
    BASELINE_SINCE_FIELD_NUMBER: _ClassVar[int]
    BASELINE_TAKEN_UP_FIELD_NUMBER: _ClassVar[int]
    FRAMES_PAUSED_FIELD_NUMBER: _ClassVar[int]
    TRACKS_LOST_PAUSED_FIELD_NUMBER: _ClassVar[int]
    UNWATCHED_PAUSED_US_FIELD_NUMBER: _ClassVar[int]
    tally_id: str
    deployment: str
    camera: str
    epoch: int
    reporter: Tally.Reporter
    first_seq: int
    last_seq: int
    first_captured_at: _timestamp_pb2.Timestamp
    last_captured_at: _timestamp_pb2.Timestamp
    frames_sampled_away: int
    frames_dropped_late: int
    frames_outside_hours: int
    frames_unreadable: int
    frames_discarded: int
    frames_analysed: int
    faces_detected: int
    tracks_closed: int
    tracks_too_small: int
    tracks_too_poor: int
    tracks_too_short: int
    bands: _containers.RepeatedCompositeFieldContainer[QualityBand]
    tracks_searched: int
    sightings: int
    tracks_begun: int
    tracks_matched: int
    tracks_lost_interrupted: int
    tracks_lost_moved: int
    tracks_lost_failed: int
    tracks_control: int
    tracks_matched_control: int
    tracks_nobody_listed: int
    fine_scores: FineScores
    control_scores: FineScores
    eye_distances: Measure
    sharpness: Measure
    light: Measure
    watched_us: int
    unwatched_no_frames_us: int
    unwatched_late_us: int
    unwatched_unreadable_us: int
    unwatched_outside_hours_us: int
    baseline: str
    baseline_since: _timestamp_pb2.Timestamp
    baseline_taken_up: Baseline
    frames_paused: int
    tracks_lost_paused: int
    unwatched_paused_us: int
    def __init__(self, tally_id: _Optional[str] = ..., deployment: _Optional[str] = ..., camera: _Optional[str] = ..., epoch: _Optional[int] = ..., reporter: _Optional[_Union[Tally.Reporter, str]] = ..., first_seq: _Optional[int] = ..., last_seq: _Optional[int] = ..., first_captured_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_captured_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., frames_sampled_away: _Optional[int] = ..., frames_dropped_late: _Optional[int] = ..., frames_outside_hours: _Optional[int] = ..., frames_unreadable: _Optional[int] = ..., frames_discarded: _Optional[int] = ..., frames_analysed: _Optional[int] = ..., faces_detected: _Optional[int] = ..., tracks_closed: _Optional[int] = ..., tracks_too_small: _Optional[int] = ..., tracks_too_poor: _Optional[int] = ..., tracks_too_short: _Optional[int] = ..., bands: _Optional[_Iterable[_Union[QualityBand, _Mapping]]] = ..., tracks_searched: _Optional[int] = ..., sightings: _Optional[int] = ..., tracks_begun: _Optional[int] = ..., tracks_matched: _Optional[int] = ..., tracks_lost_interrupted: _Optional[int] = ..., tracks_lost_moved: _Optional[int] = ..., tracks_lost_failed: _Optional[int] = ..., tracks_control: _Optional[int] = ..., tracks_matched_control: _Optional[int] = ..., tracks_nobody_listed: _Optional[int] = ..., fine_scores: _Optional[_Union[FineScores, _Mapping]] = ..., control_scores: _Optional[_Union[FineScores, _Mapping]] = ..., eye_distances: _Optional[_Union[Measure, _Mapping]] = ..., sharpness: _Optional[_Union[Measure, _Mapping]] = ..., light: _Optional[_Union[Measure, _Mapping]] = ..., watched_us: _Optional[int] = ..., unwatched_no_frames_us: _Optional[int] = ..., unwatched_late_us: _Optional[int] = ..., unwatched_unreadable_us: _Optional[int] = ..., unwatched_outside_hours_us: _Optional[int] = ..., baseline: _Optional[str] = ..., baseline_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., baseline_taken_up: _Optional[_Union[Baseline, _Mapping]] = ..., frames_paused: _Optional[int] = ..., tracks_lost_paused: _Optional[int] = ..., unwatched_paused_us: _Optional[int] = ...) -> None: ...

class Baseline(_message.Message):
    __slots__ = ("former", "list_root", "references", "subjects", "list_parts", "threshold", "threshold_origin", "threshold_list_size", "target_fpir", "calibration_id", "threshold_basis", "threshold_doubt", "models", "rules", "camera_inputs", "software")
    FORMER_FIELD_NUMBER: _ClassVar[int]
    LIST_ROOT_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    SUBJECTS_FIELD_NUMBER: _ClassVar[int]
    LIST_PARTS_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_ORIGIN_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_LIST_SIZE_FIELD_NUMBER: _ClassVar[int]
    TARGET_FPIR_FIELD_NUMBER: _ClassVar[int]
    CALIBRATION_ID_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_BASIS_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_DOUBT_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    CAMERA_INPUTS_FIELD_NUMBER: _ClassVar[int]
    SOFTWARE_FIELD_NUMBER: _ClassVar[int]
    former: str
    list_root: str
    references: int
    subjects: int
    list_parts: _containers.RepeatedCompositeFieldContainer[ListPart]
    threshold: float
    threshold_origin: str
    threshold_list_size: int
    target_fpir: float
    calibration_id: str
    threshold_basis: str
    threshold_doubt: str
    models: _containers.RepeatedCompositeFieldContainer[Model]
    rules: str
    camera_inputs: str
    software: str
    def __init__(self, former: _Optional[str] = ..., list_root: _Optional[str] = ..., references: _Optional[int] = ..., subjects: _Optional[int] = ..., list_parts: _Optional[_Iterable[_Union[ListPart, _Mapping]]] = ..., threshold: _Optional[float] = ..., threshold_origin: _Optional[str] = ..., threshold_list_size: _Optional[int] = ..., target_fpir: _Optional[float] = ..., calibration_id: _Optional[str] = ..., threshold_basis: _Optional[str] = ..., threshold_doubt: _Optional[str] = ..., models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ..., rules: _Optional[str] = ..., camera_inputs: _Optional[str] = ..., software: _Optional[str] = ...) -> None: ...

class ListPart(_message.Message):
    __slots__ = ("watchlist", "category", "references", "subjects")
    WATCHLIST_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    SUBJECTS_FIELD_NUMBER: _ClassVar[int]
    watchlist: str
    category: str
    references: int
    subjects: int
    def __init__(self, watchlist: _Optional[str] = ..., category: _Optional[str] = ..., references: _Optional[int] = ..., subjects: _Optional[int] = ...) -> None: ...

class Model(_message.Message):
    __slots__ = ("role", "name", "sha256", "prepared_sha256", "licence")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    PREPARED_SHA256_FIELD_NUMBER: _ClassVar[int]
    LICENCE_FIELD_NUMBER: _ClassVar[int]
    role: str
    name: str
    sha256: str
    prepared_sha256: str
    licence: str
    def __init__(self, role: _Optional[str] = ..., name: _Optional[str] = ..., sha256: _Optional[str] = ..., prepared_sha256: _Optional[str] = ..., licence: _Optional[str] = ...) -> None: ...

class FineScores(_message.Message):
    __slots__ = ("bin_width", "bins", "counts")
    BIN_WIDTH_FIELD_NUMBER: _ClassVar[int]
    BINS_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    bin_width: float
    bins: _containers.RepeatedScalarFieldContainer[int]
    counts: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, bin_width: _Optional[float] = ..., bins: _Optional[_Iterable[int]] = ..., counts: _Optional[_Iterable[int]] = ...) -> None: ...

class Measure(_message.Message):
    __slots__ = ("lowest", "counts")
    LOWEST_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    lowest: _containers.RepeatedScalarFieldContainer[float]
    counts: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, lowest: _Optional[_Iterable[float]] = ..., counts: _Optional[_Iterable[int]] = ...) -> None: ...

class QualityBand(_message.Message):
    __slots__ = ("lowest_quality", "highest_quality", "lowest_score", "bin_width", "counts")
    LOWEST_QUALITY_FIELD_NUMBER: _ClassVar[int]
    HIGHEST_QUALITY_FIELD_NUMBER: _ClassVar[int]
    LOWEST_SCORE_FIELD_NUMBER: _ClassVar[int]
    BIN_WIDTH_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    lowest_quality: float
    highest_quality: float
    lowest_score: float
    bin_width: float
    counts: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, lowest_quality: _Optional[float] = ..., highest_quality: _Optional[float] = ..., lowest_score: _Optional[float] = ..., bin_width: _Optional[float] = ..., counts: _Optional[_Iterable[int]] = ...) -> None: ...
