"""Parsing of messages: conversion of fields to domain values, and checks of every message."""

from __future__ import annotations

import math
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from google.protobuf.message import DecodeError, Message
from google.protobuf.timestamp_pb2 import Timestamp

from openlfr.domain.errors import BadInput
from openlfr.domain.faces import Box
from openlfr.wire.v1 import box_pb2

if TYPE_CHECKING:
    from enum import StrEnum

    from google.protobuf.descriptor import Descriptor, FieldDescriptor

    E = TypeVar("E", bound=StrEnum)

PACKAGE = "openlfr.wire.v1."
MAY_BE_ABSENT = frozenset(
    {
        "Alert.impossible",
        "Alert.time_assumed",
        "Alert.without_picture",
        "DeploymentState.threshold",
        "DeploymentState.threshold_origin",
        "Frame.ended",
        "Frame.time_assumed",
        # Absent from entries of 0.1.0.
        "ManifestEntry.category",
        "ManifestEntry.entry_hash",
        "Sighting.evidence",
        "Sighting.time_assumed",
        "Sighting.twice",
        # Absent without a calibration, or if the worker cannot count the subjects.
        "Baseline.subjects",
        "Baseline.target_fpir",
        "ListPart.subjects",
        # Absent from tallies of 0.1.0.
        "Tally.baseline",
        "Tally.baseline_since",
        "Tally.baseline_taken_up",
        "Tally.control_scores",
        "Tally.eye_distances",
        "Tally.fine_scores",
        "Tally.frames_paused",
        "Tally.light",
        "Tally.sharpness",
        "Tally.tracks_control",
        "Tally.tracks_lost_paused",
        "Tally.tracks_matched_control",
        "Tally.tracks_nobody_listed",
        "Tally.unwatched_late_us",
        "Tally.unwatched_no_frames_us",
        "Tally.unwatched_outside_hours_us",
        "Tally.unwatched_paused_us",
        "Tally.unwatched_unreadable_us",
        "Tally.watched_us",
        "Verdict.account",
        "Verdict.adjudication",
        "Verdict.final_at",
        "Verdict.issuer",
        "Verdict.kind",
        "Verdict.minutes_stopped",
        "Verdict.outcome",
        "Verdict.reason",
        "Verdict.withdraws",
    }
)
MAY_BE_EMPTY = frozenset(
    {
        "Baseline.calibration_id",
        "Baseline.former",
        "Baseline.threshold_doubt",
        "Evidence.content",
        "Frame.jpeg",
        "ListPart.category",
        "ManifestEntry.template_hash",
        "Model.licence",
        "Tally.baseline",
    }
)
MAY_BE_NEGATIVE = frozenset({"FineScores.bins"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST = 2**63 - 1  # of integers in messages and in the records

M = TypeVar("M", bound=Message)


def parse(kind: type[M], value: bytes | None) -> M:
    """Parse a message and check all its fields.

    Raises:
        BadInput: The bytes are not such a message, or a field is missing or has an invalid value.
    """
    if not value:
        raise BadInput(f"This {kind.DESCRIPTOR.name} message is empty.")
    try:
        message = kind.FromString(bytes(value))
    except DecodeError:
        raise BadInput(
            f"This is not a {kind.DESCRIPTOR.name} message, or it is damaged: it cannot be parsed."
        ) from None
    _check(message)
    return message


def unusable(message: Message, why: str) -> BadInput:
    """Return the error for a message that can be parsed but not used."""
    return BadInput(f"This {message.DESCRIPTOR.name} message cannot be used: {why}.")


def timestamp_of(moment: datetime) -> Timestamp:
    """Convert a moment to a protobuf timestamp, in whole microseconds."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone: messages contain moments, not wall times")
    elapsed = moment - _EPOCH
    return Timestamp(
        seconds=elapsed.days * 86400 + elapsed.seconds, nanos=elapsed.microseconds * 1000
    )


def read_moment(message: Message, name: str) -> datetime:
    """Return the moment of a timestamp field, UTC.

    Raises:
        BadInput: The moment is outside the years 1 to 9999.
    """
    stamp: Timestamp = getattr(message, name)
    if 0 <= stamp.nanos < 10**9:
        with suppress(OverflowError):
            return _EPOCH + timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // 1000)
    raise unusable(message, f"its {name} is not a moment")


def box_message(box: Box) -> box_pb2.Box:
    """Convert a box to a message."""
    x, y, w, h = map(float, box)
    return box_pb2.Box(x=x, y=y, w=w, h=h)


def box_of(message: box_pb2.Box) -> Box:
    """Convert a message to a box."""
    return Box(message.x, message.y, message.w, message.h)


def enum_name(prefix: str, value: StrEnum | None) -> str:
    """Return the name in the protos: `enum_name("EVENT", EventKind.OPENED)` is "EVENT_OPENED"."""
    return f"{prefix}_{value.upper() if value else 'UNSPECIFIED'}"


def optional_enum(kind: type[E], message: Message, name: str) -> E | None:
    """Return the value of an enum field; None if it is unspecified.

    Raises:
        BadInput: The value is from a newer version, so its meaning is unknown.
    """
    number = getattr(message, name)
    values = _enum_values(message.DESCRIPTOR, name)
    if number and number not in values:
        raise unusable(message, f"its {name} {number} is unknown to this version")
    return kind(values[number]) if number else None


def required_enum(kind: type[E], message: Message, name: str) -> E:
    """Return the value of an enum field; raise `BadInput` if it is unspecified or unknown."""
    value = optional_enum(kind, message, name)
    if value is None:
        raise unusable(message, f"it lacks its {name}")
    return value


@cache
def _enum_values(descriptor: Descriptor, field: str) -> dict[int, str]:
    """Return the domain's value for each number of an enum field: 1 -> "opened"."""
    enum = descriptor.fields_by_name[field].enum_type
    values = [] if enum is None else list(enum.values)
    return {each.number: each.name[len(field) + 1 :].lower() for each in values if each.number}


@cache
def _fields(descriptor: Descriptor) -> tuple[FieldDescriptor, ...]:
    """Return the fields to check: all except the alternatives of a oneof."""
    return tuple(
        field
        for field in descriptor.fields
        if field.containing_oneof is None or field.containing_oneof.name == f"_{field.name}"
    )


def _check(message: Message) -> None:
    descriptor = message.DESCRIPTOR
    for field in _fields(descriptor):
        name = f"{descriptor.name}.{field.name}"
        value = getattr(message, field.name)
        if field.is_repeated:
            values = list(value)
        elif message.HasField(field.name):
            values = [value]
        elif name in MAY_BE_ABSENT:
            continue
        else:
            raise unusable(message, f"it lacks its {field.name}")
        for each in values:
            _check_value(message, field, each)


def _check_value(message: Message, field: FieldDescriptor, value: object) -> None:
    name = f"{message.DESCRIPTOR.name}.{field.name}"
    match value:
        case Message():
            if value.DESCRIPTOR.full_name.startswith(PACKAGE):
                _check(value)
        case str() | bytes():
            if not value and name not in MAY_BE_EMPTY:
                raise unusable(message, f"its {field.name} is empty")
            if isinstance(value, str) and "\0" in value:  # PostgreSQL's text allows none
                raise unusable(message, f"its {field.name} contains a NUL character")
        case float():
            if not math.isfinite(value):
                raise unusable(message, f"its {field.name} is not finite")
        case int():
            if name in MAY_BE_NEGATIVE or field.enum_type is not None:
                return
            if not 0 <= value <= _LARGEST:
                raise unusable(message, f"its {field.name} is negative")
