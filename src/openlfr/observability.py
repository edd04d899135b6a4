"""Logging: structured events on stderr, as text for people or JSON for machines.

Use `structlog.get_logger()` and pass ids as keys (camera, epoch, seq, track, sighting):

    log.warning("frame_unreadable", camera="gate", seq=17)

Lines below the level are dropped before they are formatted. Pictures, templates and raw bytes are
never written, whatever their key; of addresses only scheme and host are written.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import TYPE_CHECKING, Any, TextIO

import structlog

from openlfr.domain.addresses import hide_addresses
from openlfr.domain.text import shown

if TYPE_CHECKING:
    from collections.abc import MutableMapping

LEVELS = ("debug", "info", "warning", "error")


def configure_logging(
    *, level: str = "info", as_json: bool = False, stream: TextIO | None = None
) -> None:
    """Set up logging for this process.

    Args:
        level: One of `LEVELS`; lines below it are dropped.
        as_json: Whether each line is a JSON object; otherwise text, coloured on a terminal.
        stream: Output stream; stderr by default, since stdout is for the command's output.
    """
    target = stream or sys.stderr
    renderer: structlog.typing.Processor
    if as_json:
        renderer = structlog.processors.JSONRenderer(default=str)
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=target.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.format_exc_info,
            keep_private,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(file=target),
        cache_logger_on_first_use=False,
    )
    logging.root.handlers[:] = [h for h in logging.root.handlers if not isinstance(h, _Libraries)]
    if as_json:
        logging.root.addHandler(_Libraries(logging.WARNING))


_OF_LOAD = {
    "kafka.net.selector": re.compile(r"Task .* ran for [\d.]+s \("),
    "mode.timers": re.compile(r"Timer \S+ is overlapping \("),
}
"""What a library warns of many times a second while the machine is busy; nobody can act on it."""


class _Libraries(logging.Handler):
    """Logs the warnings of libraries in our format."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        write = log.error if record.levelno >= logging.ERROR else log.warning
        try:
            said, of_load = record.getMessage(), _OF_LOAD.get(record.name)
            if of_load is not None and of_load.match(said):
                return
            write("library", name=record.name, said=said, exc_info=record.exc_info)
        except Exception:  # noqa: BLE001 - a failed log line must not stop the program
            self.handleError(record)


def keep_private(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace private values: arrays and bytes by their kind, addresses by scheme and host."""
    for key, value in event.items():
        event[key] = _private(value)
    return event


def _private(value: Any) -> Any:
    """A value, or a collection of values, with private parts replaced."""
    if isinstance(value, str):
        return shown(hide_addresses(value))
    if isinstance(value, BaseException):
        return shown(hide_addresses(f"{type(value).__name__}: {value}"))
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes, not logged>"
    if isinstance(value, dict):
        return {_private(key): _private(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_private(each) for each in value]
    if isinstance(shape := getattr(value, "shape", None), tuple) and shape:
        return f"<array {'x'.join(map(str, shape))}, not logged>"
    if value is None or isinstance(value, bool | int | float):
        return value
    return hide_addresses(str(value))
