"""The pages of a running service: /health/live, /health/ready and /metrics.

The pages have their own threads, so that they answer while the service is busy or hangs. A
connection without a request is closed after a few seconds, or when there are too many connections.
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
MAX_CONNECTIONS = 16  # at the same time; a probe and Prometheus need one each
_SILENT_S = 5.0  # time after which a connection without a request is closed

log = structlog.get_logger()


class StatusPages:
    """An HTTP server with three pages; close it after use."""

    def __init__(
        self,
        address: tuple[str, int],
        *,
        liveness_problem: Callable[[], str],
        readiness_problem: Callable[[], str],
        metrics: Callable[[], bytes],
        notes: Callable[[], list[str]] = list,
    ) -> None:
        """Start serving.

        Args:
            address: Host and port; port 0 chooses a free port.
            liveness_problem: Returns why the process needs a restart; empty if it needs none.
            readiness_problem: Returns why the process is not ready; empty if it is ready.
            metrics: Returns the metrics in Prometheus's text format.
            notes: Returns problems, as sentences, that a restart does not solve.

        Raises:
            Misconfigured: The server cannot listen on the address.
        """

        class Handler(BaseHTTPRequestHandler):
            timeout = _SILENT_S

            def do_GET(self) -> None:
                if self.path == "/metrics":
                    self._answer_metrics()
                elif self.path == "/health/live":
                    self._answer_health("live", liveness_problem())
                elif self.path == "/health/ready":
                    self._answer_health("ready", readiness_problem())
                else:
                    self._answer(404, "text/plain", b"This page does not exist.\n")

            def _answer_metrics(self) -> None:
                try:
                    text = metrics()
                except Exception:
                    log.exception("metrics_failed")
                    self._answer(500, "text/plain", b"The metrics cannot be read; see the log.\n")
                else:
                    self._answer(200, METRICS_TYPE, text)

            def _answer_health(self, key: str, problem: str) -> None:
                content: dict[str, object] = {key: not problem}
                if problem:
                    content["why"] = problem
                if current_notes := notes():
                    content["notes"] = current_notes
                body = json.dumps(content).encode()
                self._answer(503 if problem else 200, "application/json", body)

            def _answer(self, status: int, kind: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:  # requests are not logged
                return

        try:
            self._server = _Server(address, Handler)
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", "") or error
            raise Misconfigured(
                f"OPENLFR_HTTP: this service cannot listen on {address[0]}:{address[1]} ({why})."
            ) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="pages", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """The port on which the server listens."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    """Serves each connection in a thread; limits the number of connections."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._open: dict[socket.socket, None] = {}  # in the order of connection
        self._changed = threading.Lock()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread; close the oldest if there are `MAX_CONNECTIONS`."""
        with self._changed:
            if len(self._open) >= MAX_CONNECTIONS:
                oldest = next(iter(self._open))
                del self._open[oldest]
                with suppress(OSError):  # then the connection's thread reads its end and closes it
                    oldest.shutdown(socket.SHUT_RDWR)
            self._open[request] = None
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection; called by the connection's thread."""
        with self._changed:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, *_: Any) -> None:
        """Log in one line that a client has disconnected."""
        log.debug("page_not_read", exc_info=True)
