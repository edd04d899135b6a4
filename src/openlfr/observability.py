"""Logs structured events on stderr, as text for people or as JSON for machines.

Use `structlog.get_logger()` and pass ids as keys (camera, epoch, seq, track, sighting):

    log.warning("frame_unreadable", camera="gate", seq=17)

Lines below the level are dropped before they are formatted. Pictures, templates and raw bytes are
never written, and addresses are cut to scheme and host.
"""

from __future__ import annotations

import logging
import re
import sys
import time
from typing import TYPE_CHECKING, Any, TextIO

import structlog

from openlfr.domain.addresses import redact_addresses
from openlfr.domain.text import escape_text

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

LEVELS = ("debug", "info", "warning", "error")


def configure_logging(
    *,
    level: str = "info",
    as_json: bool = False,
    stream: TextIO | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Set up logging for this process.

    Args:
        level: One of `LEVELS`; lines below it are dropped.
        as_json: Whether each line is a JSON object; otherwise lines are text, coloured on a
            terminal.
        stream: Output stream; stderr by default, since stdout is for the command's output.
        clock: Returns monotonic seconds, for suppressing repeated messages of libraries.
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
        logging.root.addHandler(_Libraries(logging.WARNING, clock))


_NUMBERS = re.compile(r"0x[0-9a-f]+|\d+")
_MAX_MESSAGES = 1000
_BUSY_WARNINGS = {
    "kafka.net.selector": re.compile(r"Task .* ran for [\d.]+s \("),
    "mode.timers": re.compile(r"Timer \S+ is overlapping \("),
}
"""Warnings that libraries log many times a second on a busy machine, and that require no action."""


REPEATED_S = 30.0
"""Seconds in which a library's message is logged once; messages may differ in numbers."""


class _Libraries(logging.Handler):
    """Logs the warnings of libraries in our format, and counts repetitions.

    While a broker is away, Kafka's clients repeat a few messages in some twenty lines a second.
    """

    def __init__(self, level: int, clock: Callable[[], float]) -> None:
        super().__init__(level)
        self._clock = clock
        self._logged: dict[tuple[str, str], tuple[float, int]] = {}  # time, and later repetitions

    def _repetitions(self, key: tuple[str, str]) -> int | None:
        """Return the number of suppressed repetitions; None if this message is suppressed, too."""
        now = self._clock()
        at, repetitions = self._logged.get(key, (-REPEATED_S, 0))
        if now - at < REPEATED_S:
            self._logged[key] = at, repetitions + 1
            return None
        if len(self._logged) > _MAX_MESSAGES:
            self._logged.clear()
        self._logged[key] = now, 0
        return repetitions

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        write = log.error if record.levelno >= logging.ERROR else log.warning
        try:
            message, busy_warning = record.getMessage(), _BUSY_WARNINGS.get(record.name)
            if busy_warning is not None and busy_warning.match(message):
                return
            repetitions = self._repetitions((record.name, _NUMBERS.sub("", message)[:200]))
            if repetitions is None:
                return
            more = {"repeated": repetitions} if repetitions else {}
            write("library", name=record.name, said=message, exc_info=record.exc_info, **more)
        except Exception:  # noqa: BLE001 - a failed log line must not stop the program
            self.handleError(record)


def keep_private(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace private values in an event: arrays and bytes by their sizes, addresses by hosts."""
    for key, value in event.items():
        event[key] = _private(value)
    return event


def _private(value: Any) -> Any:
    """Return a value, or a collection of values, with private parts replaced."""
    if isinstance(value, str):
        return escape_text(redact_addresses(value))
    if isinstance(value, BaseException):
        return escape_text(redact_addresses(f"{type(value).__name__}: {value}"))
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
    return redact_addresses(str(value))
