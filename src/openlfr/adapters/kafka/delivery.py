"""How kafka-python's producers send, so that they go on by themselves after brokers were away.

Its idempotent producer does not (3.0.12): when a record that was sent is given up, the producer
throws its id away and never asks for another, so it sends nothing any more and tells nobody. Hence
no idempotence, and one request at a time instead, which keeps the order. What that costs: a record
whose acknowledgement was lost is written twice. Each reader knows a second one by what stands in
it: a frame by camera, epoch and number (`Places` of the analysis service), a tally by its id (the
records), a change of the watchlist by its version (`SearchableEntries`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import timedelta

_REQUEST_MS = 30_000  # an unanswered request is made again, over another connection
_RECONNECT_MS = 1000  # the default waits up to 30 s before a broker that is back is noticed


def producer_arguments(within: timedelta) -> dict[str, Any]:
    """What a `KafkaProducer` is to be told besides how Kafka is reached.

    Args:
        within: How long a record may be tried, and how long a call may wait; a second at least.
    """
    within_ms = round(within.total_seconds() * 1000)
    return {
        "acks": "all",
        "enable_idempotence": False,
        "max_in_flight_requests_per_connection": 1,
        "reconnect_backoff_max_ms": _RECONNECT_MS,
        "max_block_ms": within_ms,
        "delivery_timeout_ms": within_ms,
        "request_timeout_ms": min(_REQUEST_MS, within_ms - 10),  # less by what records linger
    }
