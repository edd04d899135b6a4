"""The alert lines: one JSON object for each event, each written once."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

from openlfr.domain.errors import Misconfigured, Unavailable
from openlfr.domain.text import shown

if TYPE_CHECKING:
    from pathlib import Path

    from openlfr.domain.alerts import AlertEvent

_BEGINNING = b'{"event": "'  # of every line


def alert_line(event: AlertEvent, emitted_at: datetime) -> dict[str, Any]:
    """An event as others read it (DESIGN.md, "Interfaces that stay stable").

    `impossible` stands there only where something says that the sighting is; `time_assumed` is true
    where nothing says when the film was made, so that `captured_at` counts from the run's start.
    """
    seen = event.sighting
    flag = {"impossible": asdict(event.impossible)} if event.impossible is not None else {}
    return {
        "event": str(event.event),
        "event_id": event.event_id,
        "alert_id": event.alert_id,
        "subject": seen.subject,
        "camera": seen.camera,
        "frame_index": seen.seq,
        "captured_at": _utc(seen.captured_at),
        "emitted_at": _utc(emitted_at),
        "box": [round(value, 1) for value in seen.box],
        "score": round(seen.score, 4),
        "threshold": round(seen.threshold, 4),
        "quality": round(seen.quality, 1),
        "time_assumed": seen.time_assumed,
    } | flag


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class AlertLines:
    """Where alert lines go: a file that is appended to and synced, a stream, both or neither."""

    def __init__(self, path: Path | None, stream: IO[str] | None = None) -> None:
        """Open the file; a line that a crash cut short is taken off its end.

        Raises:
            Misconfigured: The file cannot be opened, or is of another kind.
        """
        self._stream = stream
        self._file: IO[bytes] | None = None
        self.known: set[str] = set()
        if path is None:
            return
        if path.exists() and not path.is_file():
            raise Misconfigured(f"{path} is no file: alert lines are kept in a file.")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Made for its owner alone: it says who was seen where.
            self._file = os.fdopen(
                os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "ab+"
            )
            self._file.seek(0)
            for line in self._file:
                if line.endswith(b"\n"):
                    self._remember(line)
                else:
                    self._mend(path, line)
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
        """Whether `known` is all that was ever emitted, since the file tells."""
        return self._file is not None

    def _remember(self, line: bytes) -> bool:
        """Note the event of a line; False if it is not one of ours."""
        try:
            known = json.loads(line)
        except ValueError:
            return False
        if isinstance(known, dict) and isinstance(known.get("event_id"), str):
            self.known.add(known["event_id"])
            return True
        return False

    def _mend(self, path: Path, last: bytes) -> None:
        """Take a line that was cut short off the file's end; end one that is whole.

        Only what can be the beginning of a line of ours is taken off (a disk may also leave
        zeros): somebody may have named a file of another kind.
        """
        assert self._file is not None  # noqa: S101 - called by __init__ alone
        if self._remember(last):
            self._file.write(b"\n")
        elif last[: len(_BEGINNING)] == _BEGINNING[: len(last)] or not last.strip(b"\0"):
            self._file.truncate(self._file.tell() - len(last))
        else:
            raise Misconfigured(
                f"{path} is not a file of alert lines: it ends in something else. Name another "
                "file for --alerts."
            )

    def write(self, event: AlertEvent, emitted_at: datetime) -> None:
        """Write an event's line; on return it is on the disk and in the stream.

        Raises:
            Unavailable: The disk is full or fails.
        """
        text = shown(json.dumps(alert_line(event, emitted_at), ensure_ascii=False)) + "\n"
        if self._file is not None and event.event_id not in self.known:
            try:
                self._file.write(text.encode())
                self._file.flush()
                os.fsync(self._file.fileno())
            except OSError as error:
                raise Unavailable(
                    f"The alert file {self._path} cannot be written: {error.strerror or error}. "
                    "Free some space and go on with --resume; no alert is lost."
                ) from error
        self.known.add(event.event_id)
        if self._stream is not None:
            self._stream.write(text)
            self._stream.flush()

    def close(self) -> None:
        """Close the file; safe to call twice."""
        if self._file is not None:
            # What a full disk did not take was told by `write`, and is tried once more here.
            with suppress(OSError):
                self._file.close()
            self._file = None
