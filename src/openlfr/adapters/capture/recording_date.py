"""Reads the recording date from a video file's metadata."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_KEYS = ("com.apple.quicktime.creationdate", "creation_time")
"""Metadata keys, best first: the first has a UTC offset, and editing a film does not change it."""
_EARLIEST = datetime(2000, 1, 2, tzinfo=UTC)
"""Earliest plausible date: a clock that was never set shows 1904, 1970 or 1 January 2000."""
_CLOCKS_DIFFER = timedelta(minutes=5)


def read_recording_date(
    container: InputContainer, stream: VideoStream, *, now: datetime
) -> datetime | None:
    """Return the recording date in a video's metadata, UTC; None if there is no plausible date.

    Args:
        container: The opened file.
        stream: The video stream.
        now: The current time. A date in the future is not plausible: the recorder's clock was
            wrong, or its local time was written as UTC.
    """
    for metadata in (container.metadata, stream.metadata):
        tags = {key.lower(): value for key, value in metadata.items()}  # Matroska writes capitals
        for key in _KEYS:
            date = _parse(tags.get(key, ""))
            if date is not None and _EARLIEST <= date <= now + _CLOCKS_DIFFER:
                return date
    return None


def _parse(text: str) -> datetime | None:
    """Parse a date with a time of day; None for a date alone, or text that is no date.

    A time without an offset is UTC, as the formats prescribe.
    """
    if len(text.strip()) <= len("2026-11-23"):
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
