"""The pages of a running service: /health/live, /health/ready and /metrics, and nothing else.

Served by a thread of its own, so that they answer while everything else is at work, or hangs.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from openlfr.domain.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Callable

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Pages:
    """An HTTP server of three pages; close it."""

    def __init__(
        self,
        address: tuple[str, int],
        *,
        stalled: Callable[[], str],
        lacks: Callable[[], str],
        metrics: Callable[[], bytes],
    ) -> None:
        """Serve from now on.

        Args:
            address: Host and port; port 0 takes a free one.
            stalled: Why the process is to be started anew; empty while it is alive.
            lacks: Why it is not ready; empty where it is.
            metrics: The metrics in Prometheus's text format.

        Raises:
            Misconfigured: The address cannot be listened on.
        """

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/metrics":
                    self._answer(200, METRICS_TYPE, metrics())
                elif self.path == "/health/live":
                    self._tell("live", stalled())
                elif self.path == "/health/ready":
                    self._tell("ready", lacks())
                else:
                    self._answer(404, "text/plain", b"There is nothing here.\n")

            def _tell(self, what: str, why: str) -> None:
                said = {what: not why} | ({"why": why} if why else {})
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
            self._server = ThreadingHTTPServer(address, Handler)
        except OSError as error:
            raise Misconfigured(
                f"OPENLFR_HTTP: nothing can listen on {address[0]}:{address[1]} ({error.strerror})."
            ) from error
        self._server.daemon_threads = True
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
