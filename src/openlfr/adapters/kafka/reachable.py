"""Check that a broker accepts connections, before kafka-python connects.

kafka-python leaks a socket for every refused connection, and reports a certificate that it does not
trust as a broker that does not answer.
"""

from __future__ import annotations

import socket
import ssl
import time
from typing import TYPE_CHECKING

from openlfr.domain.errors import Misconfigured

if TYPE_CHECKING:
    from openlfr.adapters.kafka.access import KafkaAccess

_EACH_S = 0.5, 2.0  # shortest and longest wait for one broker, so that others get their turn
_PAUSE_S = 0.1  # between two rounds


def await_listener(kafka: KafkaAccess, until: float) -> None:
    """Wait until a broker accepts a connection and, with TLS, shows a trusted certificate.

    Args:
        kafka: Address and credentials of Kafka; every broker is tried at least once.
        until: `time.monotonic()` at which to give up.

    Raises:
        OSError: No broker accepts a connection.
        Misconfigured: A broker's certificate is not trusted, or the broker has no TLS.
    """
    while True:
        refusal = OSError("no broker is configured")
        for broker in kafka.brokers:
            try:
                least, most = _EACH_S
                _connect(kafka, broker, max(least, min(most, until - time.monotonic())))
            except (OSError, ValueError) as error:  # ValueError: the port is no number
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
