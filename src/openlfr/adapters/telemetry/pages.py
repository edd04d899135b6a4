"""The pages of a running service: /health/live, /health/ready and /metrics, and nothing else.

Served by threads of their own, so that they answer while everything else is at work, or hangs.
Whoever connects and says nothing is let go: after a while, or when others come.
"""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import structlog

from openlfr.domain.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Callable

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
CONNECTIONS = 16  # at once; a probe and Prometheus need one each
_SILENT_S = 5.0

log = structlog.get_logger()


class Pages:
    """An HTTP server of three pages; close it."""

    def __init__(
        self,
        address: tuple[str, int],
        *,
        stalled: Callable[[], str],
        lacks: Callable[[], str],
        metrics: Callable[[], bytes],
        notes: Callable[[], list[str]] = list,
    ) -> None:
        """Serve from now on.

        Args:
            address: Host and port; port 0 takes a free one.
            stalled: Why the process is to be started anew; empty while it is alive.
            lacks: Why it is not ready; empty where it is.
            metrics: The metrics in Prometheus's text format.
            notes: What is wrong and no restart mends, in sentences.

        Raises:
            Misconfigured: The address cannot be listened on.
        """

        class Handler(BaseHTTPRequestHandler):
            timeout = _SILENT_S

            def do_GET(self) -> None:
                if self.path == "/metrics":
                    self._answer_metrics()
                elif self.path == "/health/live":
                    self._tell("live", stalled())
                elif self.path == "/health/ready":
                    self._tell("ready", lacks())
                else:
                    self._answer(404, "text/plain", b"There is nothing here.\n")

            def _answer_metrics(self) -> None:
                try:
                    text = metrics()
                except Exception:
                    log.exception("metrics_failed")
                    self._answer(500, "text/plain", b"This page cannot be made now.\n")
                else:
                    self._answer(200, METRICS_TYPE, text)

            def _tell(self, what: str, why: str) -> None:
                said: dict[str, object] = {what: not why} | ({"why": why} if why else {})
                if found := notes():
                    said["notes"] = found
                self._answer(503 if why else 200, "application/json", json.dumps(said).encode())

            def _answer(self, status: int, kind: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:  # a probe every few seconds is no event
                return

        try:
            self._server = _Server(address, Handler)
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", "") or error
            raise Misconfigured(
                f"OPENLFR_HTTP: nothing can listen on {address[0]}:{address[1]} ({why})."
            ) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="pages", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    """A thread for each of the newest few connections."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._open: dict[socket.socket, None] = {}  # in the order in which they came
        self._changed = threading.Lock()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread; the oldest one makes room."""
        with self._changed:
            if len(self._open) >= CONNECTIONS:
                oldest = next(iter(self._open))
                del self._open[oldest]
                with suppress(OSError):  # its thread reads the end, and closes it
                    oldest.shutdown(socket.SHUT_RDWR)
            self._open[request] = None
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Its thread is done with it."""
        with self._changed:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, *_: Any) -> None:
        """Whoever asked went away; it is told in one line, and nobody else notices."""
        log.debug("page_not_read", exc_info=True)
