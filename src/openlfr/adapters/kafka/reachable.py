"""Whether a broker takes connections, before kafka-python is asked to make one.

kafka-python leaks a socket for every refusal. It also says of a certificate that it does not trust
only that nobody answers.
"""

from __future__ import annotations

import socket
import ssl
import time
from typing import TYPE_CHECKING

from openlfr.domain.errors import Misconfigured

if TYPE_CHECKING:
    from openlfr.adapters.kafka.access import KafkaAccess

_EACH_S = 0.5, 2.0  # for one broker: at least, though time is up, and at most: there are others
_PAUSE_S = 0.1  # between two looks


def await_listener(kafka: KafkaAccess, until: float) -> None:
    """Wait until a broker takes a connection, and proves who it is where it must.

    Args:
        kafka: How Kafka is reached; every broker is tried once at least.
        until: `time.monotonic()` at which to give up.

    Raises:
        OSError: None does.
        Misconfigured: One that does is not who it should be, or speaks no TLS.
    """
    while True:
        refusal = OSError("no broker is configured")
        for broker in kafka.brokers:
            try:
                least, most = _EACH_S
                _connect(kafka, broker, max(least, min(most, until - time.monotonic())))
            except (OSError, ValueError) as error:  # a port that is no number is refused too
                refusal = error if isinstance(error, OSError) else OSError(str(error))
            else:
                return
        if time.monotonic() >= until:
            raise refusal
        time.sleep(_PAUSE_S)


def _connect(kafka: KafkaAccess, broker: str, wait_s: float) -> None:
    host, _, port = broker.rpartition(":")
    host = host.strip("[]")
    with socket.create_connection((host, int(port)), wait_s) as found:
        if kafka.tls:
            _shake_hands(kafka, found, host)


def _shake_hands(kafka: KafkaAccess, found: socket.socket, host: str) -> None:
    try:
        kafka.context().wrap_socket(found, server_hostname=host).close()
    except ssl.SSLCertVerificationError as error:
        raise Misconfigured(
            f"Kafka at {kafka} is not who it should be ({error.verify_message}): check the"
            " authorities in services.kafka.ca_file, and the names in its certificate."
        ) from None
    except ssl.SSLError as error:
        raise Misconfigured(
            f"Kafka at {kafka} does not speak TLS there ({error.reason}): check its port, and"
            " services.kafka.tls."
        ) from None
