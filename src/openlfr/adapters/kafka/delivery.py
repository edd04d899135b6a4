"""Settings with which kafka-python's producers recover by themselves after brokers were away.

Its idempotent producer does not recover (3.0.12): when it gives up a record that was sent, it
discards its producer id and never requests another, so it sends nothing any more and reports no
error. Hence no idempotence, and one request at a time instead, which keeps the order. The price: a
record whose acknowledgement was lost is written twice. Each reader recognises the second one: a
frame by camera, epoch and number (`Places` of the analysis service), a tally by its id (the
records), a change of the watchlist by its version (`SearchableEntries`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import timedelta

_REQUEST_MS = 30_000  # an unanswered request is repeated over another connection
_RECONNECT_MS = 1000  # with the default a returned broker is noticed after up to 30 s


def producer_arguments(within: timedelta) -> dict[str, Any]:
    """The arguments of a `KafkaProducer` besides address and credentials.

    Args:
        within: Longest time to deliver a record, and for a call to wait; at least a second.
    """
    within_ms = round(within.total_seconds() * 1000)
    return {
        "acks": "all",
        "enable_idempotence": False,
        "max_in_flight_requests_per_connection": 1,
        "reconnect_backoff_max_ms": _RECONNECT_MS,
        "max_block_ms": within_ms,
        "delivery_timeout_ms": within_ms,
        "request_timeout_ms": min(_REQUEST_MS, within_ms - 10),  # 10 ms: more than `linger_ms`
    }
