"""Settings with which kafka-python's producers recover after an outage of the brokers.

The idempotent producer (3.0.12) does not recover. After a sent record has timed out, this producer
discards its producer id and never requests another, so it sends nothing more and reports no error.
So idempotence is off, and one request at a time preserves the order. As a consequence, a record
whose acknowledgement was lost is written twice. Each reader recognises the duplicate: a frame by
camera, epoch and number (`CameraPositions` of the analysis service), a tally by its id (the
records), and a change of the watchlist by its version (`SearchableEntries`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import timedelta

_REQUEST_MS = 30_000  # an unanswered request is repeated over another connection
_RECONNECT_MS = 1000  # with the default, reconnecting may take up to 30 s


def producer_arguments(timeout: timedelta) -> dict[str, Any]:
    """Return the arguments of a `KafkaProducer` besides address and credentials.

    Args:
        timeout: Maximum time to deliver a record, and for a call to block; at least one second.
    """
    timeout_ms = round(timeout.total_seconds() * 1000)
    return {
        "acks": "all",
        "enable_idempotence": False,
        "max_in_flight_requests_per_connection": 1,
        "reconnect_backoff_max_ms": _RECONNECT_MS,
        "max_block_ms": timeout_ms,
        "delivery_timeout_ms": timeout_ms,
        "request_timeout_ms": min(_REQUEST_MS, timeout_ms - 10),  # 10 ms are more than `linger_ms`
    }
