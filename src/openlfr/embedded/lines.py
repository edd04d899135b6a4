"""Alert lines: one JSON object per event, each written once."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

from openlfr.domain.errors import Misconfigured, Unavailable
from openlfr.domain.text import escape_text

if TYPE_CHECKING:
    from pathlib import Path

    from openlfr.domain.alerts import AlertEvent

_LINE_START = b'{"event": "'  # every alert line begins with this text


def alert_line(event: AlertEvent, emitted_at: datetime) -> dict[str, Any]:
    """Convert an event to JSON values, in the stable format that other programs read.

    `impossible` is present only if another sighting of the subject, in the same frame or at a
    distant camera, contradicts this sighting. `time_assumed` is true if the recording date of the
    file is unknown; then `captured_at` counts from the start of the run.
    """
    sighting = event.sighting
    flag = {"impossible": asdict(event.impossible)} if event.impossible is not None else {}
    return {
        "event": str(event.event),
        "event_id": event.event_id,
        "alert_id": event.alert_id,
        "subject": sighting.subject,
        "camera": sighting.camera,
        "frame_index": sighting.seq,
        "captured_at": _utc(sighting.captured_at),
        "emitted_at": _utc(emitted_at),
        "box": [round(value, 1) for value in sighting.box],
        "score": round(sighting.score, 4),
        "threshold": round(sighting.threshold, 4),
        "quality": round(sighting.quality, 1),
        "time_assumed": sighting.time_assumed,
    } | flag


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class AlertLines:
    """Writes alert lines to a file (appended and synced), to a stream, to both or to neither.

    Attributes:
        written_ids: Ids of the events that were written.
    """

    def __init__(self, path: Path | None, stream: IO[str] | None = None) -> None:
        """Open the file, and remove an incomplete last line that a crash left.

        Raises:
            Misconfigured: The file cannot be opened, or is not a file of alert lines.
        """
        self._stream = stream
        self._file: IO[bytes] | None = None
        self.written_ids: set[str] = set()
        if path is None:
            return
        if path.exists() and not path.is_file():
            raise Misconfigured(f"{path} is not a regular file: name another one for --alerts.")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Readable by its owner only, since the lines contain names and places of people.
            self._file = os.fdopen(
                os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "ab+"
            )
            self._file.seek(0)
            for line in self._file:
                if line.endswith(b"\n"):
                    self._remember(line)
                else:
                    self._repair_end(path, line)
            self._file.seek(0, os.SEEK_END)
        except Misconfigured:
            self.close()
            raise
        except OSError as error:
            raise Misconfigured(
                f"The alert file {path} cannot be written: {error.strerror or error}."
            ) from error
        self._path = path

    @property
    def has_file(self) -> bool:
        """Whether there is a file; then `written_ids` contains all events ever emitted."""
        return self._file is not None

    def _remember(self, line: bytes) -> bool:
        """Add the event of a line to `written_ids`; return False if it is no alert line."""
        try:
            values = json.loads(line)
        except ValueError:
            return False
        if isinstance(values, dict) and isinstance(values.get("event_id"), str):
            self.written_ids.add(values["event_id"])
            return True
        return False

    def _repair_end(self, path: Path, last: bytes) -> None:
        """Remove an incomplete last line; add the missing line break to a complete line.

        The file may be of another kind, so text is removed only if it is the beginning of an alert
        line, or zeros that a disk may leave after a crash.
        """
        assert self._file is not None  # noqa: S101 - only __init__ calls this method
        if self._remember(last):
            self._file.write(b"\n")
        elif last[: len(_LINE_START)] == _LINE_START[: len(last)] or not last.strip(b"\0"):
            self._file.truncate(self._file.tell() - len(last))
        else:
            raise Misconfigured(
                f"{path} is not a file of alert lines: it ends with other text. Name another "
                "file for --alerts."
            )

    def write(self, event: AlertEvent, emitted_at: datetime) -> None:
        """Write the line of an event; on return the line is on the disk and in the stream.

        The line of an event in `written_ids` is not written to the file again.

        Raises:
            Unavailable: The disk is full or fails.
        """
        text = escape_text(json.dumps(alert_line(event, emitted_at), ensure_ascii=False)) + "\n"
        if self._file is not None and event.event_id not in self.written_ids:
            try:
                self._file.write(text.encode())
                self._file.flush()
                os.fsync(self._file.fileno())
            except OSError as error:
                raise Unavailable(
                    f"The alert file {self._path} cannot be written: {error.strerror or error}. "
                    "Free some space and continue with --resume; no alert is lost."
                ) from error
        self.written_ids.add(event.event_id)
        if self._stream is not None:
            self._stream.write(text)
            self._stream.flush()

    def close(self) -> None:
        """Close the file; safe to call twice."""
        if self._file is not None:
            # Closing writes the rest of the buffer again; `write` has reported the error.
            with suppress(OSError):
                self._file.close()
            self._file = None
