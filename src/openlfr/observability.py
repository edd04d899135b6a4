"""Logs: structured events on stderr, for a person or for a machine.

Use `structlog.get_logger()` and give ids as keys (camera, epoch, seq, track, sighting):

    log.warning("frame_unreadable", camera="gate", seq=17)

Lines below the level are dropped before anything is formatted. Pictures, templates and raw bytes
are never written, whatever they are called, and of addresses scheme and host alone.
"""

from __future__ import annotations

import logging
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
        level: One of `LEVELS`; what is below it is dropped unformatted.
        as_json: One JSON object a line, else coloured lines on a terminal.
        stream: Where to; stderr by default, so that stdout stays the command's own.
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


class _Libraries(logging.Handler):
    """What libraries warn of, as lines like our own."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        tell = log.error if record.levelno >= logging.ERROR else log.warning
        try:
            tell("library", name=record.name, said=record.getMessage(), exc_info=record.exc_info)
        except Exception:  # noqa: BLE001 - as every handler: a log line ends nothing
            self.handleError(record)


def keep_private(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace what may not be logged: arrays and bytes by their kind, addresses by their host."""
    for key, value in event.items():
        event[key] = _private(value)
    return event


def _private(value: Any) -> Any:
    """One value, or what a list or block of them holds, fit to be logged."""
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
